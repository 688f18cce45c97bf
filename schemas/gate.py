"""The compatibility gate: today's schemas against every version that others may still hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.compatibility import breaks


@dataclass(frozen=True)
class Finding:
    """One change that is not FULL_TRANSITIVE. `field` is empty when it is about the whole event."""

    event: str
    field: str
    why: str
    advice: str

    def __str__(self) -> str:
        where = f"{self.event}.{self.field}" if self.field else self.event
        return f"{where}: {self.why}. To do: {self.advice}."


def check(current: Mapping[str, Any], versions: Mapping[str, list[Any]]) -> list[Finding]:
    """What breaks readers or writers of an earlier version; empty when every change is FULL_TRANSITIVE.

    `current` is event → schema, `versions` event → earlier schemas, newest first (all parsed JSON). A field
    is named once, with the newest version that it breaks.
    """
    found: dict[tuple[str, str], Finding] = {}
    for event, earlier in versions.items():
        if event not in current:
            if earlier:
                found[event, ""] = Finding(
                    event,
                    "",
                    "its schema is gone, and its topic still holds it",
                    f"put schemas/events/{event}.avsc back; stop sending it instead",
                )
            continue
        for version in earlier:
            if version == current[event]:
                continue
            for one in breaks(version, current[event]):
                found.setdefault((event, one.field), Finding(event, one.field, one.why, one.advice))
    return list(found.values())
