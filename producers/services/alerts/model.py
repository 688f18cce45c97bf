"""The rules of alerts, without a database: when a condition holds, an alert fires, a message is sent.

Owners and managers change alerts, reports and views; analysts see them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from statistics import median
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field

from common.access_policy import allow
from common.principal import FIGURES_STAFF, StaffRole

Window = Literal["hour", "day", "week"]
ConditionKind = Literal["threshold", "usual"]
Direction = Literal["above", "below", "either"]
Severity = Literal["info", "warning", "critical"]
State = Literal["normal", "pending", "firing", "recovering", "no_data"]
"""As in Prometheus: an alert fires after it was pending, and is resolved after it was recovering."""

Verdict = Literal["holds", "between", "clear", "unknown"]
"""Of one value. `between` neither fires an alert nor resolves it; `unknown` says that there is no value."""

MessageKind = Literal["fired", "repeated", "resolved", "test"]
MessageStatus = Literal["waiting", "sent", "failed", "skipped"]
TargetKind = Literal["page", "email", "webhook"]
ReportPeriod = Literal["day", "week", "month"]

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["22:00"])]
"""A time of the day, such as 22:00."""

WRITERS: frozenset[StaffRole] = frozenset({"owner", "manager"})
"""Who may change alerts, reports and views."""

SELLER = "seller_id"
"""The path parameter that names the seller."""

READ = allow(
    "seller", "analyst", "admin", "platform",
    traffic="read", staff=FIGURES_STAFF, seller_parameter=SELLER, scope="analytics:read",
)  # fmt: skip
WRITE = allow("seller", "admin", traffic="write", staff=WRITERS, seller_parameter=SELLER)
WRITE_WITH_SECRET = replace(WRITE, secret_response=True)
"""Of rules: the response has the secret of a new webhook."""

MAKER_LEFT = "The person who made this may not make it any more. Whoever resumes it takes it over."
"""Why a rule or a report is paused (`producers.kit.makers`)."""

MAKER_UNKNOWN = "It is not known whether the person who made this may still make it: users does not answer."

MAX_RULES, MAX_REPORTS, MAX_VIEWS = 50, 20, 50
"""How many of each a seller may have."""

MIN_DISTANCE_MINUTES, MAX_DISTANCE_MINUTES = 15, 7 * 24 * 60
"""The bounds of the time between two messages of a rule."""

CLEAR_MARGIN = 1.0
"""A change against the usual is clear once it is this many deviations below the limit."""

MIN_VALUES = 4
"""With fewer earlier values, nothing is usual yet."""

MAD_TO_DEVIATION = 1.4826
"""The median absolute deviation times this is the standard deviation of a normal distribution."""

MIN_SPREAD_SHARE = 0.1
"""The spread is at least this share of the median, so that small changes of a steady metric are usual."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The median of earlier values in the unit of the metric, and their spread, which is above 0."""

    median: float
    spread: float

    def deviations(self, value: float) -> float:
        """Return by how many robust standard deviations a value is above the median; below 0 if under it.

        Up to the constant, it is the modified z-score of Iglewicz and Hoaglin, "How to Detect and Handle
        Outliers" (1993), who call a value with more than 3.5 an outlier.
        """
        return (value - self.median) / self.spread


def usual_of(values: Sequence[float]) -> Usual | None:
    """Return what is usual after these values; None if they are too few, or if all of them are 0."""
    if len(values) < MIN_VALUES:
        return None
    middle = median(values)
    deviation = median(abs(value - middle) for value in values) * MAD_TO_DEVIATION
    spread = max(deviation, abs(middle) * MIN_SPREAD_SHARE)
    return Usual(middle, spread) if spread > 0 else None


@dataclass(frozen=True, slots=True)
class Condition:
    """When an alert fires.

    `threshold`: the value of the metric is above or below `value`; it is clear again at `clear_value`, or at
    `value` if that is None. `usual`: the value is `deviations` away from the usual of that hour and weekday.
    It is `unknown` if neither the value nor the usual reaches `minimum`, because a few orders more or less
    say nothing in a small shop.
    """

    __pydantic_config__ = ConfigDict(json_schema_serialization_defaults_required=True)

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


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The time of each day, from `start` until `end` in the zone of a rule, in which no message is sent.

    If `end` is before `start`, it is on the next day.
    """

    start: Clock
    end: Clock

    def end_after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when the quiet hours end in which a moment lies, in UTC; None if it lies in none."""
        local = moment.astimezone(zone)
        at, start, end = local.time(), time.fromisoformat(self.start), time.fromisoformat(self.end)
        if start < end:
            is_quiet, days = start <= at < end, 0
        else:
            is_quiet, days = at >= start or at < end, int(at >= start)
        if not is_quiet:
            return None
        ended = datetime.combine(local.date() + timedelta(days=days), end, zone).astimezone(UTC)
        return max(ended, moment)


def send_at(
    now: datetime,
    last_sent_at: datetime | None,
    distance: timedelta,
    quiet: QuietHours | None,
    zone: ZoneInfo,
) -> datetime:
    """Return when a message that is made now may be sent.

    It is at least `distance` after the message that the rule sent last, and not in its quiet hours.
    """
    earliest = now if last_sent_at is None else max(now, last_sent_at + distance)
    return (quiet and quiet.end_after(earliest, zone)) or earliest
