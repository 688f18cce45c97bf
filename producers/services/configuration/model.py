"""The versions of a setting, and what a change or a roll-back makes of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from common.configuration.setting import Setting

MAX_TEXT_CHARS = 10_000
MAX_ENTRIES = 1_000

Value = (
    bool
    | Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
    | Annotated[float, Field(allow_inf_nan=False)]
    | Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
    | Annotated[list[Any], Field(max_length=MAX_ENTRIES)]
)
"""A value of any setting; the setting's definition limits it further."""


@dataclass(frozen=True, slots=True)
class Version:
    """A value of a setting: who set it, when and why. Version 0 is the default, which nobody has set."""

    version: int
    """Its number."""
    value: Value
    author: str | None
    """The subject of the principal that set it."""
    reason: str | None
    changed_at: datetime | None
    rolled_back_to: int | None
    """The version whose value it restored; None unless it was a roll-back."""


@dataclass(frozen=True, slots=True)
class Change:
    """A request to change a setting: who sends it and why.

    `expected` is the version that the sender has seen; None if any version may be replaced.
    """

    author: str
    reason: str
    expected: int | None = None


class VersionConflict(Exception):
    """Somebody has changed the setting since the sender saw it."""


def default_version(setting: Setting[Any]) -> Version:
    """Return version 0 of a setting."""
    return Version(0, setting.default, None, None, None, None)


def next_version(
    current: Version, value: Any, change: Change, now: datetime, rolled_back_to: int | None = None
) -> Version | None:
    """Return the version that follows; None if the setting has this value already.

    Raises:
        VersionConflict: the current version is not the expected one.
    """
    if change.expected is not None and change.expected != current.version:
        raise VersionConflict
    if value == current.value:
        return None
    return Version(current.version + 1, value, change.author, change.reason, now, rolled_back_to)


def published_author(author: str) -> str | None:
    """Return the author for the event: a process of the platform by name, a person as None.

    Events are never deleted, and nothing about a person may outlast their erasure.
    """
    return author if author.startswith("platform:") else None
