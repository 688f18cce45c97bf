"""Requests and responses of the endpoints of alerts, reports and views."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import TypedDict

from common.ids import PRINTABLE, Id, Uuid
from producers.kit.http.strict_request import StrictRequest
from producers.services.alerts.model import (
    MAX_DISTANCE_MINUTES,
    MIN_DISTANCE_MINUTES,
    Clock,
    Condition,
    Direction,
    MessageKind,
    MessageStatus,
    QuietHours,
    ReportPeriod,
    Severity,
    State,
    TargetKind,
    Window,
)
from producers.services.alerts.webhooks import MAX_URL_LENGTH

NAME = "alerts"
"""The name of the service, by which endpoints find it."""

MAX_REPORT_METRICS = 20


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except Exception as error:
        raise ValueError(f"{name!r} is not an IANA time zone such as America/Sao_Paulo") from error
    return name


Line = Annotated[str, Field(min_length=1, max_length=100, pattern=PRINTABLE)]
MetricName = Annotated[str, Field(pattern="^[a-z0-9_]{1,40}$", examples=["net_sales"])]
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")]
Url = Annotated[str, Field(min_length=1, max_length=MAX_URL_LENGTH, pattern=PRINTABLE)]
Timezone = Annotated[
    str, Field(max_length=64, examples=["America/Sao_Paulo"]), AfterValidator(_known_timezone)
]
Number = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
Values = Annotated[int, Field(ge=1, le=24)]
Minutes = Annotated[
    int,
    Field(
        ge=MIN_DISTANCE_MINUTES,
        le=MAX_DISTANCE_MINUTES,
        description="Minutes. A rule sends no message more often than every quarter of an hour.",
    ),
]


class ThresholdCondition(StrictRequest):
    """The metric is above or below a value, in the unit of the metric (money in its smallest unit).

    The alert is resolved at `clear_value`; without it, at `value`.
    """

    kind: Literal["threshold"]
    direction: Literal["above", "below"]
    value: Number
    clear_value: Number | None = None

    @model_validator(mode="after")
    def _clears_on_the_other_side(self) -> Self:
        if self.clear_value is not None:
            sign = 1 if self.direction == "above" else -1
            if sign * self.clear_value > sign * self.value:
                side = "above" if sign > 0 else "below"
                raise ValueError(f"clear_value must not be {side} value: the alert would never be resolved")
        return self


class UsualCondition(StrictRequest):
    """The metric is far from the usual of that hour and weekday: the median of the last seven weeks.

    `deviations`: how far, in robust standard deviations (1.4826 × the median absolute deviation). `minimum`:
    nothing is said about smaller values.
    """

    kind: Literal["usual"]
    direction: Direction
    deviations: Annotated[float, Field(ge=2, le=10)] = 3.5
    minimum: Annotated[float, Field(ge=0, le=1e15)] = 0


class PageTarget(StrictRequest):
    """Messages are only listed on the page of alerts."""

    kind: Literal["page"]


class EmailTarget(StrictRequest):
    """Messages go to a person of the staff who may see figures, as long as they may."""

    kind: Literal["email"]
    address: Email


class WebhookTarget(StrictRequest):
    """Messages go to a URL, signed as Standard Webhooks describes."""

    kind: Literal["webhook"]
    url: Url


class QuietHoursRequest(StrictRequest):
    """The time of each day in which no message is sent; those of it are sent at its end, if still true."""

    start: Clock
    end: Clock

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.start == self.end:
            raise ValueError("quiet hours that end when they start would last for the whole day")
        return self


class RuleRequest(StrictRequest):
    """A rule of a seller.

    `window`: the metric is looked at for each hour, day or week that is over. The alert fires after
    `fires_after` values in a row for which the condition holds, and is resolved after `resolves_after` that
    are clear. `distance_minutes` is the least time between two messages. `repeat_minutes`: how often an open
    alert is sent again; without it, never.
    """

    name: Line
    metric: MetricName
    product_id: Id | None = None
    window: Window = "hour"
    condition: Annotated[ThresholdCondition | UsualCondition, Field(discriminator="kind")]
    severity: Severity = "warning"
    fires_after: Values = 1
    resolves_after: Values = 1
    distance_minutes: Minutes = 60
    repeat_minutes: Minutes | None = None
    quiet_hours: QuietHoursRequest | None = None
    timezone: Timezone | None = None
    target: Annotated[PageTarget | EmailTarget | WebhookTarget, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _repeats_seldom(self) -> Self:
        if self.repeat_minutes is not None and self.repeat_minutes < self.distance_minutes:
            raise ValueError("repeat_minutes must not be below distance_minutes")
        return self


class UnchangedTarget(StrictRequest):
    """Messages go where they go now. A webhook keeps its secret."""

    kind: Literal["unchanged"]


class RuleChange(RuleRequest):
    """The whole new content of a rule. With `version`, it is refused if the rule has another one now."""

    target: Annotated[  # type: ignore[assignment]  # the target can stay as it is
        PageTarget | EmailTarget | WebhookTarget | UnchangedTarget, Field(discriminator="kind")
    ]
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class ReportRequest(StrictRequest):
    """A report by mail about each day, week (from Monday) or month, sent at `hour` in its zone."""

    name: Line
    period: ReportPeriod
    metrics: Annotated[list[MetricName], Field(min_length=1, max_length=MAX_REPORT_METRICS)]
    hour: Annotated[int, Field(ge=0, le=23)] = 7
    timezone: Timezone | None = None
    address: Email

    @model_validator(mode="after")
    def _names_each_metric_once(self) -> Self:
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("name each metric once")
        return self


Bound = Annotated[
    str | None, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[0-9T:.Z+-]{0,30}$", examples=["2018-08-01"])
]


class ViewChoices(StrictRequest):
    """The choices of the metrics page. `from`, `until` and `to` are days, which replace the period."""

    metric: MetricName
    period: Annotated[str, Field(pattern="^[a-z0-9]{1,10}$", examples=["30d"])] = "30d"
    from_: Annotated[Bound, Field(alias="from")] = None
    until: Bound = None
    to: Bound = None
    compare: Literal["previous", "year", "none"] = "previous"
    by: Annotated[str, Field(pattern="^[a-z_]{0,40}$", examples=["product"])] = ""


class ViewRequest(StrictRequest):
    """A view to save. Its name is the seller's own, and another view of the name is replaced."""

    name: Line
    choices: ViewChoices


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages go. The address is masked, and of the URL only the host is shown."""

    kind: TargetKind
    address_hint: str | None
    host: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRuleResponse:
    """A rule and what it has found so far."""

    rule_id: Uuid
    version: Annotated[int, Field(description="Counts the changes that people made.")]
    name: str
    metric: str
    product_id: str | None
    window: Window
    condition: Condition
    severity: Severity
    fires_after: int
    resolves_after: int
    distance_minutes: int
    repeat_minutes: int | None
    quiet_hours: QuietHours | None
    timezone: str
    target: Target
    is_enabled: bool
    disabled_reason: str | None
    created_at: datetime
    state: State
    last_value: float | None
    evaluated_until: datetime
    last_message_at: datetime | None
    problem: Annotated[str | None, Field(description="Why the last evaluation failed.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRuleResponse(AlertRuleResponse):
    """A new rule. `webhook_secret` is in this response only."""

    webhook_secret: Annotated[str | None, Field(examples=["whsec_C2FtcGxlLXNlY3JldC1vZi0yNC1ieXRlcw=="])]


class AlertRulesResponse(TypedDict):
    """The rules of a seller, the oldest first."""

    rules: list[AlertRuleResponse]


class AlertMessageResponse(TypedDict):
    """A message of a rule."""

    message_id: Uuid
    rule_id: Uuid
    rule_name: str
    kind: MessageKind
    status: Annotated[
        MessageStatus,
        Field(description="`skipped`: it was no longer true when it could be sent."),
    ]
    subject: str
    body: str
    created_at: datetime
    send_at: datetime
    sent_at: datetime | None
    attempts: int
    error: str | None


class MessagesResponse(TypedDict):
    """Messages, the newest first."""

    messages: list[AlertMessageResponse]
    next_before: Annotated[Uuid | None, Field(description="Null on the last page.")]


class MessagesOfStatus(TypedDict):
    """The messages of a status. `oldest_at` is when the oldest of them was made."""

    status: MessageStatus
    messages: int
    oldest_at: datetime


class MessagesSummaryResponse(TypedDict):
    """All messages that wait, and those of the last day, by status; a status without messages is missing."""

    statuses: list[MessagesOfStatus]


class ReportResponse(TypedDict):
    """A report and the period that it covered last."""

    report_id: Uuid
    name: str
    period: ReportPeriod
    metrics: list[str]
    hour: int
    timezone: str
    address_hint: str | None
    is_enabled: bool
    disabled_reason: str | None
    created_at: datetime
    send_at: Annotated[datetime, Field(description="When the next one is due.")]
    covered_until: datetime
    last_sent_at: datetime | None
    problem: str | None


class ReportsResponse(TypedDict):
    """The reports of a seller, the oldest first."""

    reports: list[ReportResponse]


class ViewResponse(TypedDict):
    """A saved view."""

    view_id: Uuid
    name: str
    choices: ViewChoices
    created_at: datetime


class ViewsResponse(TypedDict):
    """The saved views of a seller, by name."""

    views: list[ViewResponse]


class SubscriptionResponse(TypedDict):
    """An alert or a report whose mails go to a person."""

    kind: Literal["alert", "report"]
    id: str
    seller_id: str
    name: str
    created_at: datetime
    is_enabled: bool


class SubscriptionsResponse(TypedDict):
    """What a person gets mails about."""

    subscriptions: list[SubscriptionResponse]
