"""Compiles a loop to machine code, once a machine: what no vector operation says."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code, kept beside its source, which lets other threads run meanwhile.

    No `fastmath`: it takes infinities and NaN for impossible, and an excluded product scores minus infinity.
    """
    return cast(Callable[P, R], njit(cache=True, nogil=True)(function))
