"""Decides which units have a feature that is rolled out to a percentage of them."""

from hashlib import sha1

_DIGITS = 15
_LARGEST = 0xFFFFFFFFFFFFFFF


def position(name: str, unit: str) -> float:
    """Return the position of a unit in a roll-out, from 0 to 1: always the same one, and uniformly spread.

    The hash is that of PlanOut (`planout/ops/random.py`, `getUniform`): the first 60 bits of a SHA-1 digest.
    Because the name of the feature is part of it, two features are rolled out to different units.
    """
    digest = sha1(f"{name}.{unit}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:_DIGITS], 16) / _LARGEST


def is_included(name: str, unit: str, percentage: float) -> bool:
    """Return whether a unit, such as a visitor's id, has the feature at this percentage (0 to 100).

    A higher percentage adds units and removes none.
    """
    return percentage >= 100 or position(name, unit) * 100 < percentage
