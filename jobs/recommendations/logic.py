"""The plan of job `recommendations`: its outputs, each a `.sql` file in this folder.

Java functions compute the pairs of a visit and their exact sums; all else is SQL. Each state is a MIN, a MAX,
a sum of these, or the first products by time, so it does not depend on the order or the repetition of events
(docs/decisions/recommendations-in-sql.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from common.job_versions import key_prefix, versioned_name
from common.settings import Settings
from jobs.connectors.build import SOURCES
from jobs.fingerprint import function_code
from jobs.plan import JobOutput, JobPlan, QueryFolder
from jobs.sinks import DEFAULT_FLUSH, job_config, redis
from jobs.sources import source_table
from schemas.events import all_events
from schemas.services import OTHERS

NAME = "recommendations"
QUERIES = QueryFolder(Path(__file__).parent)

EVENTS = OTHERS["jobs/recommendations"].check_reads(QUERIES.events())
"""The events that the views and outputs read."""

VIEWS = ("carts", "touches", "visit_pairs", "pairs", "interest", "offers", "categories")
"""Files of `views/`; a view comes after the views that it reads."""

FUNCTIONS = {
    "exact_sum": "souk.flink.visits.ExactSum",
    "pairs_of_visits": "souk.flink.visits.VisitPairs",
    "unix_s": "souk.flink.time.UnixSeconds",
}
"""Name in the queries → Java class (jobs/connectors/README.md)."""

ANSWER_FLUSH = "100 ms"
"""Flush interval of outputs that recommendations must show within 500 ms of an event (p99)."""

MAX_RECENT = 20
"""The maximum number of recent products stored for a session or a shopper."""

MAX_BOUGHT = 200
"""The maximum number of bought products stored for a shopper."""

MAX_SIMILAR = 96
"""The maximum number of similar products stored for a product. Recommendations use the best third. The rest
replace products whose score falls (docs/decisions/recommendations-in-sql.md)."""

MAX_POPULAR = 200
"""The maximum number of popular products stored for a category."""

SESSION_TTL, SHOPPER_TTL = "30 min", "30 d"
"""The time to live of the keys of a session and of a shopper, after their last event."""

PRODUCT_TTL = "35 d"
"""The time to live of a product's similar products, after their last change. It is longer than that of the
pairs (`views/pairs.sql`)."""

STATE_CONFIG = {
    # The state of a visit lives for the day of the visit and a second day for late events. Hints in the SQL
    # set longer times for the catalogue, the stock and the pairs.
    "table.exec.state.ttl": "2 d",
    # Sums are read and written once per batch, so that a removal and an addition are one change. Outputs
    # without state (recent views) are not delayed.
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "200 ms",
    "table.exec.mini-batch.size": "5000",
    "table.optimizer.agg-phase-strategy": "ONE_PHASE",
}


@dataclass(frozen=True)
class RedisOutput:
    """An output and how Redis stores it; `key_options` are the options `key` or `key.prefix`.

    An update replaces the row with the same `key`. Without a `key` a member keeps its highest score.
    """

    table: str
    mode: str
    key_options: Mapping[str, str]
    key: tuple[str, ...] = ()
    flush: str = ANSWER_FLUSH
    size: int | None = None
    ttl: str | None = None


def _newest(table: str, prefix: str, ttl: str) -> RedisOutput:
    return RedisOutput(table, "zset", {"key.prefix": prefix}, size=MAX_RECENT, ttl=ttl)


def _best(table: str, prefix: str, key: tuple[str, str], size: int, ttl: str | None = None) -> RedisOutput:
    return RedisOutput(table, "zset", {"key.prefix": prefix}, key, DEFAULT_FLUSH, size, ttl)


def _similar(table: str) -> RedisOutput:
    return _best(table, "similar:", ("product_id", "other_id"), MAX_SIMILAR, PRODUCT_TTL)


def _product(table: str, flush: str) -> RedisOutput:
    return RedisOutput(table, "hash", {"key.prefix": "product:"}, ("product_id",), flush)


OUTPUTS = (
    _newest("recent_of_session", "recent:", SESSION_TTL),
    _newest("recent_of_shopper", "recent:", SHOPPER_TTL),
    _newest("carted_by_session", "carted:", SESSION_TTL),
    _newest("carted_by_shopper", "carted:", SHOPPER_TTL),
    RedisOutput(
        "bought",
        "zset",
        {"key.prefix": "bought:"},
        ("shopper_id", "product_id"),
        ANSWER_FLUSH,
        MAX_BOUGHT,
        SHOPPER_TTL,
    ),
    _similar("similar_to_first"),
    _similar("similar_to_second"),
    _best("popular_in_category", "popular:", ("category", "product_id"), MAX_POPULAR),
    _product("product_offers", ANSWER_FLUSH),
    _product("product_stock", ANSWER_FLUSH),
    _product("product_interest", DEFAULT_FLUSH),
    RedisOutput("recommendations_as_of", "hash", {"key": "recommendations_as_of"}, ("event",)),
)


def plan(settings: Settings, version: str = "") -> JobPlan:
    """Return the plan of a version; without a version, its keys in Redis have no prefix.

    One job computes all outputs, so each topic is read and decoded once.

    Without a checkpoint the job starts at the first message of its topics: a sum needs all events.
    """
    name, events = versioned_name(NAME, version), all_events()
    return JobPlan(
        name=name,
        config=job_config(settings, name) | STATE_CONFIG,
        sources=tuple(source_table(events[each], settings, group=name, start="earliest") for each in EVENTS),
        views=QUERIES.views(VIEWS),
        outputs=tuple(_output(output, settings, key_prefix(version)) for output in OUTPUTS),
        functions=FUNCTIONS,
        function_code=function_code(FUNCTIONS, SOURCES),
    )


def _output(output: RedisOutput, settings: Settings, prefix: str) -> JobOutput:
    options = {
        **redis(settings, NAME, output.mode, output.flush),
        **{name: prefix + key for name, key in output.key_options.items()},
        **({"zset.max-size": str(output.size)} if output.size else {}),
        **({"ttl": output.ttl} if output.ttl else {}),
    }
    return JobOutput(output.table, QUERIES.of(output.table), output.key, options)
