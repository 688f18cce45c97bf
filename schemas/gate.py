"""The compatibility gate: compares today's schemas with every version that may still be in use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.compatibility import find_incompatibilities


@dataclass(frozen=True)
class SchemaViolation:
    """One change that is not FULL_TRANSITIVE. `field` is empty if it concerns the whole event."""

    event: str
    field: str
    why: str
    advice: str

    def __str__(self) -> str:
        where = f"{self.event}.{self.field}" if self.field else self.event
        return f"{where}: {self.why}. To do: {self.advice}."


def find_violations(current: Mapping[str, Any], versions: Mapping[str, list[Any]]) -> list[SchemaViolation]:
    """Return the changes that break readers or writers of earlier versions; empty if none does.

    `current` is event → schema, `versions` is event → earlier schemas, newest first (all parsed JSON). Each
    field is returned once, for the newest version with which it is incompatible.
    """
    found: dict[tuple[str, str], SchemaViolation] = {}
    for event, earlier in versions.items():
        if event not in current:
            if earlier:
                found[event, ""] = SchemaViolation(
                    event,
                    "",
                    "its schema was deleted, but its topic still contains events",
                    f"put schemas/events/{event}.avsc back; to retire an event, stop emitting it",
                )
            continue
        for version in earlier:
            if version == current[event]:
                continue
            for each in find_incompatibilities(version, current[event]):
                found.setdefault(
                    (event, each.field), SchemaViolation(event, each.field, each.why, each.advice)
                )
    return list(found.values())
