"""The versions of a setting, and what a change or a roll-back makes of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.configuration.setting import Setting


@dataclass(frozen=True, slots=True)
class Version:
    """A value of a setting: who set it, when and why. Version 0 is the default, which nobody has set."""

    version: int
    """Its number."""
    value: Any
    author: str | None = None
    """The subject of the principal that set it."""
    reason: str | None = None
    changed_at: datetime | None = None
    rolled_back_to: int | None = None
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
    return Version(0, setting.default)


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
