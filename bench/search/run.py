"""Judges the shop's search with labelled queries beside PostgreSQL's, and measures its speed with facets."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from bench.durations import Quantiles, stopwatch
from bench.search.corpus import Document, documents, wanted_documents
from bench.search.postgres import TUNINGS, PostgresSearch, TextSearchTuning, server_with_trigrams
from bench.tables import print_notes, print_table
from common.settings import Settings
from producers.simulator.search_truth import QUERIES, LabelledQuery, labelled_queries, ndcg
from producers.simulator.world.products import Products, draw_products
from producers.simulator.world.sellers import Sellers, draw_sellers
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.world import build_world

if TYPE_CHECKING:
    from tantivy import Searcher

DEPTH = 10
"""Products of a page."""

ENGINE, ILIKE, FULL_TEXT = "search of the shop", "ILIKE", "full text with pg_trgm"

TIMES_ILIKE, TIMES_FULL_TEXT, AIM_FULL_TEXT = 1.25, 1.0, 1.1
"""The search must reach these multiples of the others' NDCG, and aims at the last one."""

AIM_BARE = 3.0
"""The 99th percentile with facets aims at this multiple of that of the engine's bare query, or less."""

SELLERS = 200
_WORLDS = 10
"""The large catalogue consists of this many worlds, with seeds of their own."""

_WARM_UP = 200


@dataclass(frozen=True)
class SearchBenchPlan:
    """A world of `products` to judge with, and a catalogue of `large` products whose queries are timed.

    With `large` 0 nothing is timed.
    """

    products: int
    large: int
    rounds: int
    seed: int


@dataclass(frozen=True)
class SearchBenchResult:
    """NDCG@10 by search and kind of query (`all` for all of them), on the half that counts, and durations.

    `tuned` is what the other half chose for PostgreSQL. `worst` are queries to tune with, `missed` what must
    be reached.
    """

    judged: Mapping[str, Mapping[str, float]]
    tuned: TextSearchTuning
    documents: int
    worst: Sequence[str] = ()
    index_s: float = 0.0
    large_documents: int = 0
    with_facets: Quantiles | None = None
    bare: Quantiles | None = None
    missed: Sequence[str] = ()
    missed_aims: Sequence[str] = ()


def run(settings: Settings, plan: SearchBenchPlan, port_offset: int, console: Console) -> SearchBenchResult:
    """Run the plan.

    Raises:
        PartUnavailable: PostgreSQL does not start.
        CannotFetch: its extensions can't be downloaded.
    """
    console.print(f"drawing {plan.products:,} products")
    world = build_world(WorldShape(seed=plan.seed, sellers=SELLERS, products=plan.products, shoppers=1))
    found, queries = documents(world.products, world.sellers), labelled_queries(world)
    wanted = [wanted_documents(found, query.gains) for query in queries]
    console.print("asking PostgreSQL")
    with server_with_trigrams(settings, port_offset) as url:
        by_postgres, tuned = asyncio.run(_ask_postgres(url, found, queries, wanted))
    console.print("asking the search of the shop")
    rankings = {ENGINE: _ask_engine(found, world.products, world.sellers, queries), **by_postgres}
    judged = {name: _judged(each, queries, wanted) for name, each in rankings.items()}
    result = SearchBenchResult(judged, tuned, len(found), _worst(rankings[ENGINE], queries, wanted))
    if plan.large:
        result = _timed(result, plan, queries, console)
    return verdict(result)


def show(result: SearchBenchResult, console: Console) -> None:
    """Print the result."""
    print_table(
        console,
        ["NDCG@10", "all", *QUERIES],
        [
            [name, *(f"{values[kind]:.3f}" for kind in ("all", *QUERIES))]
            for name, values in result.judged.items()
        ],
        title=f"100 queries that count, {result.documents:,} products",
        caption="each search has the same texts; labels: producers/simulator/search_truth.py",
    )
    if result.with_facets and result.bare:
        rows = (("with six facets", result.with_facets), ("the engine's bare query", result.bare))
        print_table(
            console,
            ["search", "p50 ms", "p99 ms"],
            [[name, f"{each.p50_ms:.1f}", f"{each.p99_ms:.1f}"] for name, each in rows],
            title=f"{result.large_documents:,} products",
        )
    print_notes(console, [f"PostgreSQL, as the other 100 queries chose: {result.tuned}"])
    print_notes(console, [f"worst: {query}" for query in result.worst])
    print_notes(console, [f"missed: {goal}" for goal in result.missed])
    print_notes(console, [f"missed aim: {goal}" for goal in result.missed_aims])


async def _ask_postgres(
    url: str,
    found: Sequence[Document],
    queries: Sequence[LabelledQuery],
    wanted: Sequence[Mapping[int, float]],
) -> tuple[dict[str, list[list[int]]], TextSearchTuning]:
    search = await PostgresSearch.connect(url)
    try:
        await search.load(found)
        by_words = [await search.ilike(query.query, DEPTH) for query in queries]
        by_tuning = {
            tuning: [await search.full_text(query.query, DEPTH, tuning) for query in queries]
            for tuning in TUNINGS
        }
    finally:
        await search.close()
    tuned = max(TUNINGS, key=lambda tuning: _mean(by_tuning[tuning], queries, wanted, "tune"))
    return {ILIKE: by_words, FULL_TEXT: by_tuning[tuned]}, tuned


def _ask_engine(
    found: Sequence[Document], products: Products, sellers: Sellers, queries: Sequence[LabelledQuery]
) -> list[list[int]]:
    from bench.search.engine import EngineSearch

    with tempfile.TemporaryDirectory(prefix="souk-bench-") as folder:
        search = EngineSearch(Path(folder))
        search.add(found, products, sellers)
        searcher = search.open()
        return [search.ranking(searcher, query.query, DEPTH) for query in queries]


def _timed(
    result: SearchBenchResult, plan: SearchBenchPlan, queries: Sequence[LabelledQuery], console: Console
) -> SearchBenchResult:
    from bench.search.engine import EngineSearch, bare, with_facets

    with tempfile.TemporaryDirectory(prefix="souk-bench-") as folder, stopwatch() as seconds:
        search, count = EngineSearch(Path(folder)), 0
        for number in range(_WORLDS):
            console.print(f"indexing {plan.large:,} products: {number}/{_WORLDS}")
            shape = WorldShape(seed=plan.seed + 1 + number, sellers=SELLERS, products=plan.large // _WORLDS)
            sellers = draw_sellers(shape)
            products = draw_products(shape, sellers)
            found = documents(products, sellers)
            search.add(found, products, sellers, f"{number}-")
            count += len(found)
        searcher = search.open()
        index_s = seconds()
        texts = [query.query for query in queries]
        console.print("timing")
        timed, plain = _in_turn(searcher, texts, plan.rounds, with_facets, bare)
    return replace(result, index_s=index_s, large_documents=count, with_facets=timed, bare=plain)


def _in_turn(
    searcher: "Searcher", texts: Sequence[str], rounds: int, *searches: "Callable[[Searcher, str, int], None]"
) -> list[Quantiles]:
    """Time the searches in turn, so that all have the same machine."""
    for text in texts[:_WARM_UP]:
        for search in searches:
            search(searcher, text, DEPTH)
    durations: list[list[float]] = [[] for _ in searches]
    for _ in range(rounds):
        for text in texts:
            for search, of_search in zip(searches, durations, strict=True):
                with stopwatch() as seconds:
                    search(searcher, text, DEPTH)
                of_search.append(seconds())
    return [Quantiles.of(each) for each in durations]


def _judged(
    rankings: Sequence[Sequence[int]], queries: Sequence[LabelledQuery], wanted: Sequence[Mapping[int, float]]
) -> dict[str, float]:
    return {"all": _mean(rankings, queries, wanted, "count")} | {
        kind: _mean(rankings, queries, wanted, "count", kind) for kind in QUERIES
    }


def _mean(
    rankings: Sequence[Sequence[int]],
    queries: Sequence[LabelledQuery],
    wanted: Sequence[Mapping[int, float]],
    half: str,
    kind: str = "",
) -> float:
    scores = [
        ndcg(ranking, gains, DEPTH)
        for ranking, query, gains in zip(rankings, queries, wanted, strict=True)
        if query.half == half and kind in ("", query.kind)
    ]
    return float(np.mean(scores))


def _worst(
    rankings: Sequence[Sequence[int]], queries: Sequence[LabelledQuery], wanted: Sequence[Mapping[int, float]]
) -> list[str]:
    """Return the five queries to tune with of which the search makes least."""
    scored = [
        (ndcg(ranking, gains, DEPTH), query)
        for ranking, query, gains in zip(rankings, queries, wanted, strict=True)
        if query.half == "tune"
    ]
    lowest = sorted(scored, key=lambda each: each[0])[:5]
    return [f"{query.query} ({query.kind}, {score:.2f})" for score, query in lowest]


def verdict(result: SearchBenchResult) -> SearchBenchResult:
    """Return the result with what the search misses."""
    reached = {name: values["all"] for name, values in result.judged.items()}
    missed = [
        f"NDCG@10 of at least {times} × that of {name}"
        for name, times in ((ILIKE, TIMES_ILIKE), (FULL_TEXT, TIMES_FULL_TEXT))
        if reached[ENGINE] < times * reached[name]
    ]
    aims = []
    if reached[ENGINE] < AIM_FULL_TEXT * reached[FULL_TEXT]:
        aims.append(f"NDCG@10 of {AIM_FULL_TEXT} × that of {FULL_TEXT}")
    if result.with_facets and result.bare and result.with_facets.p99_ms > AIM_BARE * result.bare.p99_ms:
        aims.append(f"a 99th percentile of at most {AIM_BARE:.0f} × that of the bare query")
    return replace(result, missed=missed, missed_aims=aims)
