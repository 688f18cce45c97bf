"""What PostgreSQL's errors mean to a service: away for a moment, or never going to take these values."""

import asyncpg

from common.errors import Retryable

AWAY: tuple[type[Exception], ...] = (
    OSError,  # refused, reset, unreachable, timed out
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,  # the connection was closed under our hands
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
