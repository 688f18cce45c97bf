"""The rules of alerts, without a database: when a condition holds, and when an alert fires and resolves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from common.principal import StaffRole
from producers.services.alerts.usual import Usual

Window = Literal["hour", "day", "week"]
ConditionKind = Literal["threshold", "usual"]
Direction = Literal["above", "below", "either"]
Severity = Literal["info", "warning", "critical"]
State = Literal["normal", "pending", "firing", "recovering", "no_data"]
"""As in Prometheus: an alert fires after it was pending, and is resolved after it was recovering."""

Verdict = Literal["holds", "between", "clear", "unknown"]
"""Of one value. `between` neither fires an alert nor resolves it; `unknown` says that there is no value."""

MessageKind = Literal["fired", "repeated", "resolved", "test"]

WRITERS: frozenset[StaffRole] = frozenset({"owner", "manager"})
"""Who may change alerts, reports and views."""

MAKER_LEFT = "The person who made this may not make it any more. Whoever resumes it takes it over."
"""Why a rule or a report is paused (`producers.kit.makers`)."""

MAKER_UNKNOWN = "It is not known whether the person who made this may still make it: users does not answer."

MAX_RULES, MAX_REPORTS, MAX_VIEWS = 50, 20, 50
"""How many of each a seller may have."""

MIN_DISTANCE_MINUTES, MAX_DISTANCE_MINUTES = 15, 7 * 24 * 60
"""The bounds of the time between two messages of a rule."""

CLEAR_MARGIN = 1.0
"""A change against the usual is clear once it is this many deviations below the limit."""


@dataclass(frozen=True, slots=True)
class Condition:
    """When an alert fires.

    `threshold`: the value of the metric is above or below `value`; it is clear again at `clear_value`, or at
    `value` if that is None. `usual`: the value is `deviations` away from the usual of that hour and weekday.
    It is `unknown` if neither the value nor the usual reaches `minimum`, because a few orders more or less
    say nothing in a small shop.
    """

    kind: ConditionKind
    direction: Direction
    value: float | None = None
    clear_value: float | None = None
    deviations: float | None = None
    minimum: float = 0.0

    def judge(self, value: float | None, usual: Usual | None) -> Verdict:
        """Return what a value of the metric says. `usual` is what is usual there, if that is known."""
        if value is None:
            return "unknown"
        if self.kind == "threshold":
            return self._judge_threshold(value)
        if usual is None or max(abs(value), abs(usual.median)) < self.minimum:
            return "unknown"
        limit = self.deviations or 0.0
        away = usual.deviations(value)
        away = {"above": away, "below": -away, "either": abs(away)}[self.direction]
        if away >= limit:
            return "holds"
        return "between" if away > limit - CLEAR_MARGIN else "clear"

    def _judge_threshold(self, value: float) -> Verdict:
        limit = self.value or 0.0
        clear = limit if self.clear_value is None else self.clear_value
        sign = -1 if self.direction == "below" else 1
        if sign * value > sign * limit:
            return "holds"
        return "between" if sign * value > sign * clear else "clear"


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a rule, and for how many values in a row it has been pending or recovering."""

    state: State = "normal"
    count: int = 0

    @property
    def is_open(self) -> bool:
        """Whether an alert has fired and is not resolved."""
        return self.state in ("firing", "recovering")

    def after(self, verdict: Verdict, fires_after: int, resolves_after: int) -> "Progress":
        """Return the progress after one more value.

        An alert fires after `fires_after` values for which the condition holds, and is resolved after
        `resolves_after` values that are clear. Without a value, an open alert stays as it is.
        """
        if self.is_open:
            return self._after_open(verdict, resolves_after)
        if verdict == "unknown":
            return Progress("no_data")
        if verdict != "holds":
            return Progress()
        count = self.count + 1 if self.state == "pending" else 1
        return Progress("firing") if count >= fires_after else Progress("pending", count)

    def _after_open(self, verdict: Verdict, resolves_after: int) -> "Progress":
        if verdict == "unknown":
            return self
        if verdict != "clear":
            return Progress("firing")
        count = self.count + 1 if self.state == "recovering" else 1
        return Progress() if count >= resolves_after else Progress("recovering", count)


def progress_after(
    progress: Progress, verdicts: Iterable[Verdict], fires_after: int, resolves_after: int
) -> Progress:
    """Return the progress after several values, the oldest first."""
    for verdict in verdicts:
        progress = progress.after(verdict, fires_after, resolves_after)
    return progress


def message_kind(
    before: Progress,
    after: Progress,
    last_message_at: datetime | None,
    repeat_after: timedelta | None,
    now: datetime,
) -> MessageKind | None:
    """Return which message an evaluation makes: at most one, however many values it has looked at.

    An alert that stays open makes another message once `repeat_after` has passed since the last one.
    """
    if before.is_open != after.is_open:
        return "fired" if after.is_open else "resolved"
    if not after.is_open or last_message_at is None or repeat_after is None:
        return None
    return "repeated" if now >= last_message_at + repeat_after else None
