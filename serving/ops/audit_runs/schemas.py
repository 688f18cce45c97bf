"""The responses of the routes about audits."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from common.audit_runs import AuditOutcome, AuditTrigger

Verdict = Literal["agree", "differ", "nothing to compare", "not compared"]


class Audit(TypedDict):
    """An audit: what started it, how it ended, and how much it compared."""

    audit_id: str
    trigger: AuditTrigger
    outcome: Annotated[
        AuditOutcome,
        Field(
            description="`incomplete`: a store could not be read; `nothing`: every store is empty; "
            "`interrupted`: it was killed."
        ),
    ]
    reason: Annotated[str, Field(description="Why it failed, or what it left out; else empty.")]
    is_whole: Annotated[bool, Field(description="Whether it made every comparison.")]
    started_at: datetime
    ended_at: datetime | None
    duration_s: float | None
    comparisons: Annotated[int, Field(description="The number of results.")]
    rows: int
    figures: int
    differences: int
    explained: Annotated[int, Field(description="Rows that are missing because they are dead letters.")]
    unread: Annotated[int, Field(description="Comparisons of which a store could not be read.")]
    peak_memory_mb: float | None


class Audits(TypedDict):
    """A page of audits, the newest first."""

    audits: list[Audit]
    next_cursor: Annotated[
        str | None, Field(description="The `cursor` of the next page; null on the last page.")
    ]


class AuditComparison(TypedDict):
    """What a comparison found about one subject."""

    comparison: Annotated[str, Field(examples=["kafka_vs_facts"])]
    subject: str
    left_store: Annotated[str, Field(description="The store that is right by definition.")]
    right_store: str
    verdict: Verdict
    rows: int
    figures: int
    differences: int
    explained: int
    unread: Annotated[str, Field(description="Why a store could not be read, or empty.")]


class AuditDifference(TypedDict):
    """A figure on which two stores disagree. Keys and values are shortened."""

    comparison: str
    subject: str
    left_store: str
    right_store: str
    key: Annotated[str, Field(examples=["seller_id=ana day=2026-11-27"])]
    field: Annotated[str, Field(description="`row` if one store has no such row.")]
    left_value: Annotated[str, Field(description="Empty if the store has no such row.")]
    right_value: str


class AuditDetails(Audit):
    """An audit with the result of each comparison, and the first differences, which are kept for 90 days."""

    results: Annotated[list[AuditComparison], Field(description="Those that do not agree come first.")]
    first_differences: list[AuditDifference]
