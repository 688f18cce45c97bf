"""The plan of job `rankings`: sorted sets in Redis, each a `.sql` file in this folder."""

from pathlib import Path

from common.job_versions import key_prefix, versioned_name
from common.settings import Settings
from jobs.connectors.build import SOURCES
from jobs.fingerprint import function_code
from jobs.plan import JobOutput, JobPlan, QueryFolder
from jobs.sinks import job_config, redis_ranking
from jobs.sources import source_table
from schemas.events import all_events
from schemas.services import OTHERS
from schemas.topics import RANKINGS

NAME = "rankings"
QUERIES = QueryFolder(Path(__file__).parent)

EVENTS = OTHERS["jobs/rankings"].check_reads(QUERIES.events())
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


def plan(settings: Settings, version: str = "") -> JobPlan:
    """Return the plan of a version; without a version, its keys in Redis have no prefix.

    Without a checkpoint the job starts at the first message of its topics and ignores committed offsets: a
    sum needs all events.
    """
    name, events = versioned_name(NAME, version), all_events()
    return JobPlan(
        name=name,
        config=job_config(settings, name) | STATE_CONFIG,
        sources=tuple(source_table(events[each], settings, group=name, start="earliest") for each in EVENTS),
        views=QUERIES.views(VIEWS),
        outputs=tuple(
            JobOutput(
                table,
                QUERIES.of(table),
                ("product_id",),
                redis_ranking(settings, table, key_prefix(version) + table),
            )
            for table in RANKINGS
        ),
        functions=FUNCTIONS,
        function_code=function_code(FUNCTIONS, SOURCES),
    )
