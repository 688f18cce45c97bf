"""Job `recommendations`: the list of its outputs, each a `.sql` file of this folder, as a plan.

All of it is SQL but the pairs of a visit: every state is a MIN, a MAX, a sum over such, or the first so many
by time, and so the same whatever order events come in and however often
(docs/decisions/recommendations-in-sql.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from common.settings import Settings
from jobs.options import job_config
from jobs.plan import Output, Plan
from jobs.queries import Queries
from jobs.sinks import CALM, redis
from jobs.sources import source_table
from schemas.events import Event

NAME = "recommendations"
QUERIES = Queries(Path(__file__).parent)

EVENTS = QUERIES.events()
"""The events that the views and outputs read."""

VIEWS = ("carts", "touches", "visit_pairs", "pairs", "interest", "listings")
"""Files of `views/`, each after those it reads."""

FUNCTIONS = {
    "pairs_of_visits": "souk.flink.visits.VisitPairs",
    "unix_s": "souk.flink.time.UnixSeconds",
}
"""Name in the queries → Java class (jobs/connectors/README.md)."""

AT_ONCE = "100 ms"
"""Flush interval of what the next answer must show. The aim is 500 ms from event to answer (p99)."""

KEPT_RECENT = 20
"""Products that are remembered of a visitor."""

KEPT_BOUGHT = 200
"""Products that are remembered as bought by a shopper."""

KEPT_SIMILAR = 64
"""Neighbours that are kept of a product; answers look at the first half, so one that falls leaves no gap."""

KEPT_POPULAR = 200
"""Products that are kept of a category."""

OF_SESSION, OF_SHOPPER = "30 min", "30 d"
"""A session is forgotten so long after its last event, a shopper so long after theirs."""

OF_PRODUCT = "35 d"
"""Neighbours are forgotten so long after the last change of one, a little after their pairs (`pairs.sql`)."""

STATE = {
    # What a hint does not keep longer (catalogue, stock, pairs) is the memory of visits: their day, and a
    # second one for what comes late.
    "table.exec.state.ttl": "2 d",
    # Sums are read and written once a batch, in which what is taken back and said anew is one change. What
    # was seen lately needs no state, and passes without waiting.
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "200 ms",
    "table.exec.mini-batch.size": "5000",
    "table.optimizer.agg-phase-strategy": "ONE_PHASE",
}


@dataclass(frozen=True)
class InRedis:
    """One output: where its rows lie. `key` is what an update replaces; without it scores only grow."""

    table: str
    mode: str
    where: Mapping[str, str]
    key: tuple[str, ...] = ()
    flush: str = AT_ONCE
    size: int | None = None
    ttl: str | None = None


def _newest(table: str, prefix: str, ttl: str) -> InRedis:
    return InRedis(table, "zset", {"key.prefix": prefix}, size=KEPT_RECENT, ttl=ttl)


def _best(table: str, prefix: str, key: tuple[str, str], size: int, ttl: str | None = None) -> InRedis:
    return InRedis(table, "zset", {"key.prefix": prefix}, key, CALM, size, ttl)


def _similar(table: str) -> InRedis:
    return _best(table, "similar:", ("product_id", "other_id"), KEPT_SIMILAR, OF_PRODUCT)


def _product(table: str, flush: str) -> InRedis:
    return InRedis(table, "hash", {"key.prefix": "product:"}, ("product_id",), flush)


OUTPUTS = (
    _newest("recent_of_session", "recent:", OF_SESSION),
    _newest("recent_of_shopper", "recent:", OF_SHOPPER),
    _newest("carted_by_session", "carted:", OF_SESSION),
    _newest("carted_by_shopper", "carted:", OF_SHOPPER),
    InRedis(
        "bought",
        "zset",
        {"key.prefix": "bought:"},
        ("shopper_id", "product_id"),
        AT_ONCE,
        KEPT_BOUGHT,
        OF_SHOPPER,
    ),
    _similar("similar_to_first"),
    _similar("similar_to_second"),
    _best("popular_in_category", "popular:", ("category", "product_id"), KEPT_POPULAR),
    _product("product_cards", AT_ONCE),
    _product("product_stock", AT_ONCE),
    _product("product_interest", CALM),
    InRedis("recommendations_as_of", "hash", {"key": "recommendations_as_of"}, ("event",)),
)


def plan(settings: Settings, events: Mapping[str, Event]) -> Plan:
    """All outputs as one job, so that each topic is read and decoded once.

    Without a checkpoint it starts at the beginning of the topics, as every job that adds up does.
    """
    return Plan(
        name=NAME,
        config=job_config(settings, NAME) | STATE,
        sources=tuple(source_table(events[n], settings, group=NAME, start="earliest") for n in EVENTS),
        views=QUERIES.views(VIEWS),
        outputs=tuple(_output(output, settings) for output in OUTPUTS),
        functions=FUNCTIONS,
    )


def _output(output: InRedis, settings: Settings) -> Output:
    options = {
        **redis(settings, NAME, output.mode, output.flush),
        **output.where,
        **({"zset.max-size": str(output.size)} if output.size else {}),
        **({"ttl": output.ttl} if output.ttl else {}),
    }
    return Output(output.table, QUERIES.of(output.table), output.key, options)
