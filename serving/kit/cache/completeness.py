"""Lets code deep in a request mark its response as incomplete, so that the response is not cached."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Completeness:
    """Whether a response has all that it should have."""

    complete: bool = True


_completeness: ContextVar[Completeness | None] = ContextVar("completeness", default=None)


@contextmanager
def watch_completeness() -> Iterator[Completeness]:
    """Return what `mark_incomplete` changes in this context and in tasks that are started in it."""
    completeness = Completeness()
    token = _completeness.set(completeness)
    try:
        yield completeness
    finally:
        _completeness.reset(token)


def mark_incomplete() -> None:
    """Mark the response of this context as incomplete: a store did not answer, and something is left out."""
    if completeness := _completeness.get():
        completeness.complete = False
