"""Measures the answers to the questions: of the API, of the plain query, and of PostgreSQL."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import asyncpg
from rich.console import Console

from bench.analytics.questions import QUESTIONS, AnalyticsQuestion
from bench.analytics.rows import PEER, TENTH
from bench.figures.period_answers import DAYS, SEED, WARM_UP, TimedQueries, analytics_context
from bench.quantiles import Quantiles
from bench.stopwatch import stopwatch
from bench.year_of_orders import BEGIN, LENGTH, SELLERS, seller_id
from common.settings import Settings
from serving.analytics.service.metrics import MetricsService
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.clickhouse import Value

ANSWERS, ANSWERS_OF_LARGEST = 100, 20
"""Answers to measure for each question about any seller, and about the largest one; the 90 days are drawn."""

MAX_SECONDS = 60.0
"""No further answer to a question is measured after this time."""

PRODUCTS_OF_SELLER = 11
LARGEST = ", largest"
"""Follows the name of a question about the largest seller."""

_BARE = "bench_bare"


@dataclass(frozen=True)
class QuestionAnswers:
    """Times of the API, of the plain query, and of the same query in PostgreSQL on a tenth of the rows."""

    api: Quantiles
    bare: Quantiles
    postgres: Quantiles

    @property
    def to_bare(self) -> float:
        """Return the median of the API divided by that of the plain query."""
        return round(self.api.p50_ms / self.bare.p50_ms, 2)

    @property
    def of_postgres(self) -> float:
        """Return the median of PostgreSQL, on a tenth of the rows, divided by that of the plain query."""
        return round(self.postgres.p50_ms / self.bare.p50_ms, 2)


@dataclass(frozen=True)
class _Draw:
    seller: str
    product: str
    start: str
    end: str


async def measure(
    settings: Settings, peer: asyncpg.Connection, console: Console
) -> tuple[dict[str, QuestionAnswers], list[str]]:
    """Return question → times, and a sentence for each answer in which the stores differ."""
    differences = []
    answers = {}
    async with TimedQueries(settings) as queries, analytics_context(settings, queries) as context:
        stored = queries.stored_rows("sales_lines")
        table = f"`{stored['database']}`.`{stored['table']}`"
        for question in QUESTIONS:
            console.print(f"measuring {question.name}", highlight=False)
            answers[question.name] = await _ask(question, context, table, peer, SELLERS, ANSWERS)
            of_largest = await _ask(question, context, table, peer, 1, ANSWERS_OF_LARGEST)
            answers[f"{question.name}{LARGEST}"] = of_largest
            if difference := await _difference(question, context, table, peer):
                differences.append(difference)
    return answers, differences


async def _ask(
    question: AnalyticsQuestion,
    context: AnalyticsContext,
    table: str,
    peer: asyncpg.Connection,
    sellers: int,
    answers: int,
) -> QuestionAnswers:
    """Measure answers about the `sellers` largest sellers."""
    random, service = Random(f"{SEED} {question.name}"), MetricsService(context)
    seconds: list[list[float]] = [[], [], []]
    bare_sql, peer_sql = question.sql("clickhouse", table), question.sql("postgres", PEER)
    begun = time.monotonic()
    for number in range(WARM_UP + answers):
        if number == WARM_UP:
            seconds = [[], [], []]
        draw = _draw(random, sellers)
        with stopwatch() as api_s:
            await service.of_seller(draw.seller, question.request(draw.start, draw.end, draw.product))
        parameters = _parameters(question, context, draw)
        with stopwatch() as bare_s:
            await context.clickhouse.rows_of_sql(_BARE, bare_sql, parameters)
        with stopwatch() as peer_s:
            await peer.fetch(peer_sql, *_arguments(question, parameters))
        for times, each in zip(seconds, (api_s, bare_s, peer_s), strict=True):
            times.append(each())
        if number >= WARM_UP and time.monotonic() - begun > MAX_SECONDS:
            break
    return QuestionAnswers(*(Quantiles.of(times) for times in seconds))


async def _difference(
    question: AnalyticsQuestion, context: AnalyticsContext, table: str, peer: asyncpg.Connection
) -> str:
    """Compare the answers of both stores about the same tenth of the rows, for the largest seller."""
    draw = _Draw(seller_id(0), "product-0", BEGIN.date().isoformat(), (BEGIN + LENGTH).date().isoformat())
    parameters = _parameters(question, context, draw)
    ours = await context.clickhouse.rows_of_sql(_BARE, question.sql("clickhouse", table, TENTH), parameters)
    theirs = await peer.fetch(question.sql("postgres", PEER), *_arguments(question, parameters))
    width = len(question.sums)
    found, expected = (sorted(_sums(list(row.values()), width) for row in rows) for rows in (ours, theirs))
    return "" if found == expected else f"{question.name}: ClickHouse and PostgreSQL differ"


def _sums(values: Sequence[Any], width: int) -> list[int]:
    return [int(value or 0) for value in values[-width:]]


def _draw(random: Random, sellers: int) -> _Draw:
    seller = random.randrange(sellers)
    last = BEGIN.date() + timedelta(days=random.randint(DAYS, LENGTH.days))
    product = f"product-{seller * PRODUCTS_OF_SELLER + random.randrange(PRODUCTS_OF_SELLER)}"
    return _Draw(seller_id(seller), product, (last - timedelta(days=DAYS)).isoformat(), last.isoformat())


def _parameters(question: AnalyticsQuestion, context: AnalyticsContext, draw: _Draw) -> dict[str, Value]:
    request = question.request(draw.start, draw.end, draw.product)
    period = context.period(request.period, None)
    product: dict[str, Value] = {"product_id": draw.product} if question.of_product else {}
    return {
        "seller_id": draw.seller,
        "currency": context.currency,
        "period_start": period.start,
        "period_end": period.end,
        "timezone": context.zone.key,
        **product,
    }


def _arguments(question: AnalyticsQuestion, parameters: dict[str, Value]) -> list[Value]:
    """Return the arguments of the query in PostgreSQL; one without groups of time has no `$5`."""
    given = list(parameters.values())
    return given if question.group in ("day", "week", "weekday", "hour") else given[:4]
