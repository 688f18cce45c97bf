"""The response of `GET /v1/ops/overview`, which the page `/ops` shows, too."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.training_runs import Training
from serving.ops.audit_runs import Audit
from serving.ops.schemas import FiguresState

PartStateName = Literal["ready", "not_ready", "off"]
StageName = Literal["shop", "kafka", "jobs", "stores", "api", "night"]
MemorySource = Literal["metrics", "redis", "this_machine", "flink_heap"]
MonitoringState = Literal["watching", "off", "not_answering"]


class PartOverview(TypedDict):
    """A part of the platform: whether it is ready, since when not, and its memory."""

    part: Annotated[str, Field(examples=["clickhouse"])]
    state: Annotated[
        PartStateName,
        Field(description="`off`: it may be missing, and nothing says that it was ever started here."),
    ]
    needed: Annotated[bool, Field(description="Whether the platform can't serve without it.")]
    detail: Annotated[str, Field(description="Details of a ready part, or what is missing and what to do.")]
    not_ready_since: Annotated[
        datetime | None,
        Field(
            description="When the answering process first saw that it is not ready: it looks every minute."
        ),
    ]
    memory_bytes: Annotated[int | None, Field(description="Null if nothing reports it.")]
    memory_from: Annotated[
        MemorySource | None,
        Field(
            description="`metrics`: what the process exports; `redis`: INFO; `this_machine`: its processes; "
            "`flink_heap`: only the heap, as part `jobs` exports it."
        ),
    ]


class StageOverview(TypedDict):
    """A stage through which data flows, its parts and its figures."""

    stage: StageName
    parts: list[PartOverview]
    figures: Annotated[
        dict[str, float | None],
        Field(
            description="Figure → value; null while it is not known. Figures that end in `_per_s` and "
            "`_per_minute` are rates over the last minute, known from the second reading on.",
            examples=[{"orders_per_minute": 12.0, "outbox_waiting": 0.0}],
        ),
    ]


class JobStatus(TypedDict):
    """A Flink job. Figures are null until Flink has given them."""

    job: Annotated[str, Field(examples=["rankings"])]
    version: Annotated[
        str | None,
        Field(description="The live version, of which the figures are; null for jobs without versions."),
    ]
    running: bool
    restarts: Annotated[int | None, Field(description="Since it was submitted.")]
    checkpoint_age_s: Annotated[
        float | None,
        Field(description="Since the newest checkpoint, or since the submission if none was completed."),
    ]
    checkpoint_s: Annotated[float | None, Field(description="How long the newest checkpoint took.")]
    checkpoints_failed: int | None
    back_pressure: Annotated[float | None, Field(description="Share of time, 0 to 1, that it is held up.")]
    busy: Annotated[
        float | None, Field(description="Share of time, 0 to 1, that its busiest operator works.")
    ]
    messages_behind: Annotated[int | None, Field(description="Messages that it has not processed yet.")]


class JobVersions(TypedDict):
    """The versions of a job that writes to Redis (`./souk metrics list`)."""

    job: str
    live: str | None
    next: Annotated[str | None, Field(description="The version that is built.")]
    before: Annotated[str | None, Field(description="The version before the live one, which is still fed.")]
    messages_behind: Annotated[int | None, Field(description="What `next` has still to read.")]
    problem: Annotated[str, Field(description="Why `next` does not run, or empty.")]


class GroupLag(TypedDict):
    """How far a consumer group is behind the end of its topics."""

    group: Annotated[str, Field(examples=["souk_orders"])]
    messages_behind: int


class UnresolvedDeadLetters(TypedDict):
    """The dead letters of an event or a table that were neither replayed nor discarded."""

    name: Annotated[str, Field(examples=["order_placed"])]
    unresolved: int


class FiringAlert(TypedDict):
    """An alert of Prometheus."""

    name: Annotated[str, Field(examples=["ConsumerBehind"])]
    state: Literal["firing", "pending"]
    severity: Annotated[str, Field(examples=["critical"])]
    summary: str
    action: str
    since: datetime
    labels: dict[str, str]
    runbook: Annotated[str, Field(description="The page that says what to do: an address, or a file.")]


class MailKind(TypedDict):
    """The mails of a kind that the mailbox got within a day."""

    kind: Annotated[str, Field(examples=["verification"])]
    mails: int
    newest_at: datetime


class AlertMessages(TypedDict):
    """The messages of sellers' alerts: those that wait, and those of the last day."""

    waiting: int
    sent: int
    failed: int
    skipped: int
    oldest_waiting_at: datetime | None


class MailOverview(TypedDict):
    """What was sent to people within a day, and what is late."""

    kinds: list[MailKind]
    overdue: Annotated[int, Field(description="Weekly mails that are more than an hour late.")]
    alert_messages: AlertMessages


class SourceState(TypedDict):
    """Where a part of this answer comes from.

    While a source does not answer, its figures are null. The states of parts, memory, audits, trainings and
    mails are those of `answered_at`.
    """

    source: str
    answers: bool
    answered_at: datetime | None
    failing_since: datetime | None
    problem: str


class Disk(TypedDict):
    """The disk of the folder with the platform's data, on the machine of the answering process."""

    free_bytes: int
    total_bytes: int


class Links(TypedDict):
    """Pages of other programs; null if none is set."""

    grafana: str | None
    zipkin: str | None
    prometheus: str | None


class PlatformOverview(TypedDict):
    """The whole platform at one moment. What a source can't give within 3 s is null; `sources` says why."""

    at: datetime
    ready: Annotated[bool, Field(description="Whether every needed part is ready.")]
    stages: Annotated[list[StageOverview], Field(description="In the direction in which data flows.")]
    figures: FiguresState | None
    jobs: list[JobStatus] | None
    job_versions: list[JobVersions] | None
    consumer_groups: list[GroupLag] | None
    dead_letters: Annotated[
        list[UnresolvedDeadLetters] | None,
        Field(description="Names with at least one; see /admin/dead-letters."),
    ]
    audits: Annotated[list[Audit] | None, Field(description="The newest audits: GET /v1/ops/audits has all.")]
    trainings: Annotated[list[Training] | None, Field(description="The newest training, if there is one.")]
    monitoring: Annotated[
        MonitoringState, Field(description="`off`: Prometheus does not run, so nobody watches for alerts.")
    ]
    alerts: list[FiringAlert] | None
    mails: MailOverview | None
    disk: Annotated[Disk | None, Field(description="Null until it is known.")]
    links: Links
    sources: list[SourceState]
