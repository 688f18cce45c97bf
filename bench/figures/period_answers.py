"""Measures the API's answers about long periods, each beside a plain query of the same rows."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from redis.asyncio import Redis
from rich.console import Console

from bench import year_of_orders
from bench.durations import Quantiles, stopwatch
from bench.year_of_orders import BEGIN, LENGTH, SELLERS, seller_id
from clickhouse.databases import ROWS_SUFFIX
from clickhouse.metrics.definition import read_definitions
from clickhouse.query_files import load_queries
from common.clock import system_clock
from common.settings import Settings
from serving.analytics import sales
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import ClickHouseQueries, Row, Value
from serving.kit.live_versions import LiveVersions
from serving.kit.names import Names
from serving.kit.periods import previous_period
from serving.kit.problems import ClickHouseUnavailable
from serving.kit.watermarks import WatermarkCache

ANSWERS_OF_SELLER, ANSWERS_OF_MARKETPLACE = 100, 40
"""Answers to measure for each question about one seller, and about the marketplace."""

WARM_UP = 3

MAX_SECONDS = 60.0
"""No further answer to a question is measured after this time."""

SEED = 1
DAYS = 90
TYPICAL = range(SELLERS * 2 // 5, SELLERS * 3 // 5)
"""The ranks of sellers of a typical size."""

_PEER_OF_SELLER, _PEER_OF_MARKETPLACE = "peer_of_seller", "peer_of_marketplace"
_LARGEST = 0


@dataclass(frozen=True)
class Answers:
    """Times of an answer about one period, those of each of its queries, and those of the peer.

    The peer adds up the stored rows without a roll-up and without FINAL. `failed` counts answers that the API
    would refuse with 503, because a query took too long.
    """

    answered: Quantiles | None
    peer: Quantiles
    queries: dict[str, Quantiles]
    failed: int

    @property
    def ratio(self) -> float | None:
        """Return the median of the answers divided by that of the peer."""
        return round(self.answered.p50_ms / self.peer.p50_ms, 2) if self.answered else None


@dataclass(frozen=True)
class Question:
    """What is measured: an answer of the API, and the peer's query of the same rows.

    `draw` returns a request and the seller that it is about ("" for the marketplace).
    """

    name: str
    answers: int
    draw: Callable[[Random], tuple[PeriodRequest, str]]


def questions() -> list[Question]:
    """Return what is measured. The year before is empty, so an answer about a year reads one year."""
    year = PeriodRequest(BEGIN.date().isoformat(), (BEGIN + LENGTH).date().isoformat(), "day")
    return [
        Question(
            "a typical seller, 90 days", ANSWERS_OF_SELLER, lambda r: (_days(r), seller_id(r.choice(TYPICAL)))
        ),
        Question("the largest seller, 90 days", ANSWERS_OF_SELLER, lambda r: (_days(r), seller_id(_LARGEST))),
        Question("the marketplace, 90 days by day", ANSWERS_OF_MARKETPLACE, lambda r: (_days(r), "")),
        Question("the marketplace, a year by day", ANSWERS_OF_MARKETPLACE, lambda _: (year, "")),
    ]


def _days(random: Random) -> PeriodRequest:
    """Draw 90 days for which the facts contain the period before, too."""
    last = BEGIN.date() + timedelta(days=random.randint(2 * DAYS + 1, LENGTH.days))
    return PeriodRequest((last - timedelta(days=DAYS)).isoformat(), last.isoformat(), "day")


class TimedQueries(ClickHouseQueries):
    """The API's queries, and the seconds that each has taken."""

    def __init__(self, settings: Settings) -> None:
        peers = {name: year_of_orders.statement(name) for name in (_PEER_OF_SELLER, _PEER_OF_MARKETPLACE)}
        super().__init__(settings, load_queries() | peers)
        self._rows_database = f"{settings.clickhouse_database}{ROWS_SUFFIX}"
        self._definitions = read_definitions()
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)

    def stored_rows(self, metric: str) -> dict[str, Value]:
        """Return the database and the table with the stored rows of a metric, as parameters of a peer."""
        return {"database": self._rows_database, "table": f"{metric}_{self._definitions[metric].version}"}

    async def rows(self, query: str, **parameters: Value) -> list[Row]:
        """Run a query and record its time."""
        with stopwatch() as seconds:
            rows = await super().rows(query, **parameters)
        self.seconds[query].append(seconds())
        return rows


def _peer_parameters(context: AnalyticsContext, requested: PeriodRequest, seller: str) -> dict[str, Value]:
    """Return the parameters of the peer's query: it reads the rows of the period and of the one before."""
    period = context.period(requested, None)
    return {
        "previous_start": previous_period(period, context.zone).start,
        "period_end": period.end,
        "timezone": context.zone.key,
        **({"seller_id": seller} if seller else {}),
    }


@asynccontextmanager
async def _analytics_context(
    settings: Settings, queries: ClickHouseQueries
) -> AsyncIterator[AnalyticsContext]:
    """Yield the context of the API's services, without the process of the API."""
    watermarks = WatermarkCache(queries)
    # Nothing listens here: names of products come from ClickHouse.
    versions = LiveVersions(Redis(port=1))
    currency = settings.shop_currency
    names = Names(queries, versions)
    try:
        yield AnalyticsContext(
            settings.timezone, currency, queries, versions, names, watermarks, system_clock
        )
    finally:
        await watermarks.aclose()


async def measure(settings: Settings, console: Console) -> dict[str, Answers]:
    """Return question → times, on a ClickHouse with the year of orders and its metrics."""
    async with TimedQueries(settings) as queries, _analytics_context(settings, queries) as context:
        answers = {}
        for question in questions():
            console.print(f"measuring {question.name}", highlight=False)
            answers[question.name] = await _ask(question, context, queries)
        return answers


async def _ask(question: Question, context: AnalyticsContext, queries: TimedQueries) -> Answers:
    """Measure the answers to a question. After each, the peer's query of the same period is measured."""
    random = Random(f"{SEED} {question.name}")
    seconds: list[float] = []
    failed = 0
    requested, seller = question.draw(random)
    peer = _PEER_OF_SELLER if seller else _PEER_OF_MARKETPLACE
    peer_rows = queries.stored_rows("sales_lines" if seller else "sales_orders")
    begun = time.monotonic()
    for number in range(WARM_UP + question.answers):
        if number == WARM_UP:
            seconds, failed = [], 0
            queries.seconds.clear()
        try:
            with stopwatch() as answer_s:
                await (
                    sales.of_seller(context, seller, requested)
                    if seller
                    else sales.of_marketplace(context, requested)
                )
            seconds.append(answer_s())
        except ClickHouseUnavailable:
            failed += 1
        await queries.rows(peer, **peer_rows, **_peer_parameters(context, requested, seller))
        if number >= WARM_UP and time.monotonic() - begun > MAX_SECONDS:
            break
        requested, seller = question.draw(random)
    peer_seconds = queries.seconds.pop(peer)
    each = {name: Quantiles.of(times) for name, times in queries.seconds.items() if name != "as_of"}
    return Answers(Quantiles.of(seconds) if seconds else None, Quantiles.of(peer_seconds), each, failed)
