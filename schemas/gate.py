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
    """Return what breaks readers or writers of earlier versions; empty if all changes are FULL_TRANSITIVE.

    `current` is event → schema, `versions` is event → earlier schemas, newest first (all parsed JSON). Each
    field is returned once, for the newest version that it breaks.
    """
    found: dict[tuple[str, str], SchemaViolation] = {}
    for event, earlier in versions.items():
        if event not in current:
            if earlier:
                found[event, ""] = SchemaViolation(
                    event,
                    "",
                    "its schema is gone, and its topic still holds it",
                    f"put schemas/events/{event}.avsc back; stop sending it instead",
                )
            continue
        for version in earlier:
            if version == current[event]:
                continue
            for one in find_incompatibilities(version, current[event]):
                found.setdefault((event, one.field), SchemaViolation(event, one.field, one.why, one.advice))
    return list(found.values())
