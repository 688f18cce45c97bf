"""The plan of job `rankings`: sorted sets in Redis, each a `.sql` file in this folder."""

from collections.abc import Mapping
from pathlib import Path

from common.settings import Settings
from jobs.connectors.build import SOURCES
from jobs.fingerprint import function_code
from jobs.options import job_config
from jobs.plan import JobOutput, JobPlan
from jobs.queries import QueryFolder
from jobs.sinks import redis_ranking
from jobs.sources import source_table
from schemas.events import EventSchema
from schemas.topics import RANKINGS

NAME = "rankings"
QUERIES = QueryFolder(Path(__file__).parent)

EVENTS = QUERIES.events()
"""The events that the views and rankings read."""

FUNCTIONS = {
    "decayed_sum": "souk.flink.orders.DecayedSum",
    "unix_s": "souk.flink.time.UnixSeconds",
}
"""Name in the queries → Java class (jobs/connectors/README.md)."""

VIEWS = ("sold", "popularity")
"""Files of `views/`; a view comes after the views that it reads."""

STATE_CONFIG = {
    # An order is remembered for a week after its confirmation was read. A copy of the confirmation that
    # arrives later would count again. The sums are kept longer (`views/popularity.sql`).
    "table.exec.state.ttl": "7 d",
}


def plan(settings: Settings, events: Mapping[str, EventSchema]) -> JobPlan:
    """Return the plan.

    Without a checkpoint the job starts at the first message of its topics and ignores committed offsets: a
    sum needs all events.
    """
    return JobPlan(
        name=NAME,
        config=job_config(settings, NAME) | STATE_CONFIG,
        sources=tuple(source_table(events[name], settings, group=NAME, start="earliest") for name in EVENTS),
        views=QUERIES.views(VIEWS),
        outputs=tuple(
            JobOutput(name, QUERIES.of(name), ("product_id",), redis_ranking(settings, name))
            for name in RANKINGS
        ),
        functions=FUNCTIONS,
        function_code=function_code(FUNCTIONS, SOURCES),
    )
