"""The plan of job `signals`: one table in ClickHouse, and a view for each pattern."""

from pathlib import Path

from common.settings import Settings
from jobs.plan import JobOutput, JobPlan, QueryFolder
from jobs.signals.rules import RULES, SignalRules
from jobs.sinks import DEFAULT_FLUSH, clickhouse, job_config
from jobs.sources import FETCH_IN_BATCHES, source_table
from schemas.events import all_events
from schemas.services import OTHERS

NAME = "signals"
TABLE = "signals"
QUERIES = QueryFolder(Path(__file__).parent)

EVENTS = OTHERS["jobs/signals"].check_reads(QUERIES.events())
"""The events that the views read."""

VIEWS = (
    *("confirmed", "cancelled"),
    *("failed_payments", "payment_outcomes", "payment_failures"),
    *("reviews", "review_pace", "review_floods"),
    *("viewing_sessions", "seller_activity", "seller_windows", "conversion_falls", "cancellation_waves"),
    *("stock_activity", "stock_hours", "stock_supply", "stock_ends"),
)
"""Files of `views/`; a view comes after the views that it reads."""

LATENESS_S = 60
"""An event may be this much older than the newest one of its partition. A later one is in no signal."""

CONFIG = {
    # A topic that pauses must not be overtaken by the others: its next events would be too late. So the
    # watermark waits for it as long as for a late event.
    "table.exec.source.idle-timeout": f"{LATENESS_S} s",
    # Each watermark makes Flink look through the events that wait for it. Signals need no more of them.
    "pipeline.auto-watermark-interval": "2 s",
    # Copies of an event are recognised for a day after it was read. A later copy is too late for a signal.
    "table.exec.state.ttl": "1 d",
}


def plan(settings: Settings, rules: SignalRules = RULES) -> JobPlan:
    """Return the plan.

    Without a checkpoint the job starts at the first message of its topics. It raises the same signals again,
    and their ids are the same.
    """
    events = all_events()
    queries = QueryFolder(QUERIES.folder, rules.parameters(settings.restock_lead_days))
    return JobPlan(
        name=NAME,
        config=job_config(settings, NAME) | CONFIG,
        sources=tuple(
            source_table(
                events[each], settings, group=NAME, start="earliest",
                fetch=FETCH_IN_BATCHES, lateness_s=LATENESS_S,
            )
            for each in EVENTS
        ),
        views=queries.views(VIEWS),
        outputs=(
            JobOutput(
                TABLE, queries.of(TABLE), (), clickhouse(settings, TABLE, DEFAULT_FLUSH, versioned=False)
            ),
        ),
    )  # fmt: skip
