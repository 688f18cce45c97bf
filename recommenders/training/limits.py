"""Limits of the process that trains, so that the platform stays quick beside it."""

import os
import resource

from common.errors import UserError
from common.settings import Settings

THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "ARROW_NUM_THREADS",
)  # fmt: skip
"""Variables by which the libraries of the models limit their threads. They read them at import."""

SECONDS_PER_BUDGET = 5
"""The search takes its budget of CPU time, and three times as long at most; the rest is for the comparison
and the last fit."""

FIXED_S = 300.0

NOT_ENOUGH_MEMORY = "SOUK_TRAINING_MEMORY_MB is not enough: raise it, and run ./souk up"
"""Why a training failed with a MemoryError, whose own text names no setting."""


class NoRoom(UserError):
    """A model would take too much of Redis' memory. The model in use stays."""


def environment() -> dict[str, str]:
    """Return the environment of this process, with one thread for each library."""
    return os.environ | dict.fromkeys(THREAD_VARIABLES, "1")


def max_seconds(settings: Settings) -> float:
    """Return after how many seconds a training is killed."""
    return FIXED_S + SECONDS_PER_BUDGET * settings.training_budget_s


def limit_this_process(settings: Settings) -> None:
    """Give this process the lowest priority, and limit its memory and its CPU time.

    A model that needs more memory is left out of the search. If the memory is not enough for what is read or
    for the chosen model, the training fails with MemoryError. The time ends it if nobody else does.
    """
    os.nice(19)
    memory = settings.training_memory_mb * 1_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    seconds = int(max_seconds(settings))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 10))
