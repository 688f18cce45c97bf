"""Classifies PostgreSQL's errors: those that a retry can resolve, and values that can never be stored."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg

from common.errors import Retryable

TRANSIENT: tuple[type[Exception], ...] = (
    OSError,  # refused, reset, unreachable, timed out
    asyncpg.PostgresConnectionError,  # or the connection was closed (see `closed_is_transient`)
    asyncpg.OperatorInterventionError,  # shutting down, starting up, a statement that took too long
    asyncpg.InsufficientResourcesError,  # too many connections, disk full, out of memory
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.ReadOnlySQLTransactionError,  # a standby, during a failover
)
"""Not committed, or the outcome is unknown. A retry is safe, because every effect is idempotent."""

RETRYABLE: tuple[type[Exception], ...] = (Retryable, *TRANSIENT)
"""The errors that loops retry with back-off."""

INVALID: tuple[type[Exception], ...] = (
    asyncpg.DataError,  # out of range, a NUL inside a text
    asyncpg.CheckViolationError,
    asyncpg.NotNullViolationError,
    asyncpg.ProgramLimitExceededError,  # too long for an index
)
"""The values can't be stored; a retry fails again."""


@contextmanager
def closed_is_transient(is_closed: Callable[[], bool]) -> Iterator[None]:
    """Replace asyncpg's InterfaceError, which has several causes, with an error that names the cause.

    Raises:
        asyncpg.ConnectionDoesNotExistError: the connection is closed.
        asyncpg.DataError: a value does not fit its parameter.
        asyncpg.InterfaceError: any other cause; it is a bug.
    """
    try:
        yield
    except asyncpg.InterfaceError as error:
        if isinstance(error, ValueError):
            raise asyncpg.DataError(str(error)) from error
        if is_closed():
            raise asyncpg.ConnectionDoesNotExistError(str(error)) from error
        raise
