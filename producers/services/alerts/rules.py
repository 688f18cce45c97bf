"""A rule of a seller as it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from producers.kit.makers import Made
from producers.services.alerts.model import Condition, Progress, Severity, Window
from producers.services.alerts.quiet_hours import QuietHours

TargetKind = Literal["page", "email", "webhook"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages go: to a person, to a URL with the encrypted secret of signatures, or to the page."""

    kind: TargetKind
    person_id: str | None = None
    address_hint: str | None = None
    url: str | None = None
    sealed_secret: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, and how far it was evaluated. `alert_id` is that of the open alert."""

    rule_id: str
    seller_id: str
    name: str
    version: int
    created_at: datetime
    made: Made
    metric: str
    product_id: str | None
    window: Window
    condition: Condition
    severity: Severity
    fires_after: int
    resolves_after: int
    distance: timedelta
    repeat_after: timedelta | None
    quiet: QuietHours | None
    timezone: str
    target: Target
    is_enabled: bool
    disabled_reason: str | None
    evaluated_until: datetime
    progress: Progress
    alert_id: str | None
    last_value: float | None
    last_message_at: datetime | None
    problem: str | None


def rule_of(row: Mapping[str, Any]) -> Rule:
    """Return the rule of a row of the table `rules`."""
    repeat = row["repeat_minutes"]
    quiet = (
        None
        if row["quiet_start"] is None
        else QuietHours(row["quiet_start"], row["quiet_end"], ZoneInfo(row["timezone"]))
    )
    return Rule(
        rule_id=row["rule_id"],
        seller_id=row["seller_id"],
        name=row["name"],
        version=row["version"],
        created_at=row["created_at"],
        made=Made(row["maker"], row["made_at"], row["seller_id"]),
        metric=row["metric"],
        product_id=row["product_id"],
        window=row["window_length"],
        condition=Condition(**row["condition"]),
        severity=row["severity"],
        fires_after=row["fires_after"],
        resolves_after=row["resolves_after"],
        distance=timedelta(minutes=row["distance_minutes"]),
        repeat_after=None if repeat is None else timedelta(minutes=repeat),
        quiet=quiet,
        timezone=row["timezone"],
        target=Target(row["target"], row["person_id"], row["address_hint"], row["url"], row["sealed_secret"]),
        is_enabled=row["is_enabled"],
        disabled_reason=row["disabled_reason"],
        evaluated_until=row["evaluated_until"],
        progress=Progress(row["state"], row["state_count"]),
        alert_id=row["alert_id"],
        last_value=row["last_value"],
        last_message_at=row["last_message_at"],
        problem=row["problem"],
    )
