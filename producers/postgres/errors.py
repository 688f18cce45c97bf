"""What PostgreSQL's errors mean to a service: away for a moment, or never going to take these values."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg

from common.errors import Retryable

AWAY: tuple[type[Exception], ...] = (
    OSError,  # refused, reset, unreachable, timed out
    asyncpg.PostgresConnectionError,  # or the connection was closed under our hands (`closed_is_away`)
    asyncpg.OperatorInterventionError,  # shutting down, starting up, a statement that took too long
    asyncpg.InsufficientResourcesError,  # too many connections, disk full, out of memory
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.ReadOnlySQLTransactionError,  # a standby, in the middle of a switch
)
"""Nothing was committed, or nobody knows: the same again later is right, since every effect is idempotent."""

RETRYABLE: tuple[type[Exception], ...] = (Retryable, *AWAY)
"""What a loop answers with back-off."""

UNFIT: tuple[type[Exception], ...] = (
    asyncpg.DataError,  # out of range, a NUL inside a text
    asyncpg.CheckViolationError,
    asyncpg.NotNullViolationError,
    asyncpg.ProgramLimitExceededError,  # too long for an index
)
"""These values can't be stored, however often they come."""


@contextmanager
def closed_is_away(is_closed: Callable[[], bool]) -> Iterator[None]:
    """Tell apart what asyncpg calls an InterfaceError: a lost connection, a value, or a bug of ours.

    Raises:
        asyncpg.ConnectionDoesNotExistError: the connection is closed.
        asyncpg.DataError: a value does not fit its parameter.
        asyncpg.InterfaceError: a bug.
    """
    try:
        yield
    except asyncpg.InterfaceError as error:
        if isinstance(error, ValueError):
            raise asyncpg.DataError(str(error)) from error
        if is_closed():
            raise asyncpg.ConnectionDoesNotExistError(str(error)) from error
        raise
