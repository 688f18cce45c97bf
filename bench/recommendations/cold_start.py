"""Measures the lists beside products that few have seen, in a simulated marketplace whose truth is known.

Products with a long history lose all but a few of their visits. The lists are those of the API
(`RecommendationService.similar`) from a Redis that has what job `recommendations` would have written, with a
model that was trained on the same visits. The truth is whether the same shoppers want two products: the
cosine of their probabilities to be viewed, over all shoppers. A second measure are the neighbours that the
full history gives. Nothing of both is known to the lists.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray
from redis import Redis
from rich.console import Console
from scipy.sparse import csr_array

from bench.tables import print_notes, print_table
from bench.temporary_platform import temporary_redis
from common.clock import to_millis
from common.configuration.values import SettingValues
from common.errors import SoukError
from common.settings import Settings
from jobs.recommendations.logic import MAX_POPULAR, MAX_SIMILAR
from producers.simulator.calendar import Calendar
from producers.simulator.decisions import Behaviour, DecisionModel
from producers.simulator.history.registrations import listing_columns
from producers.simulator.randomness import named_rng
from producers.simulator.visits import draw_organic_views, draw_visits
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.world import World, build_world
from recommenders.evaluation.loaders.attributes import attributes_of
from recommenders.evaluation.loaders.interactions import log_of
from recommenders.registry import MODELS
from recommenders.training.neighbour_rows import FEW_SHOPPERS, ServedModel, similar_content
from recommenders.training.publication import Publications
from serving.kit.live_versions import LiveVersions
from serving.kit.redis_client import open_redis
from serving.recommendations.recommender import NEIGHBOURS
from serving.recommendations.rules.shop_rules import ShopRules
from serving.recommendations.scoring import SUPPORT, covisit_unit
from serving.recommendations.service import RecommendationService
from serving.recommendations.strategies import STRATEGIES, Strategy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LENGTH = 12
FIRST_OF_A_VISIT = 10
"""As job `recommendations` counts."""

START = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 28
LONG_HISTORY = 40
"""A product with as many visits may be hidden."""

MODEL = "ridge"
WAIT_S = 60.0

LEVELS: tuple[int | None, ...] = (0, 1, 2, 3, 5, 10, 20, None)
"""The numbers of visits that hidden products keep; None keeps all."""

POPULAR_ALONE = Strategy(("popular_in_category",), ())
BY_VISITS = {name: replace(each, until_supported=None) for name, each in STRATEGIES.items()}

ARMS: Mapping[str, tuple[Mapping[Any, Strategy], int]] = {
    "visits alone": (BY_VISITS, 0),
    "attributes until visits support": (STRATEGIES, FEW_SHOPPERS),
    "popular in the category": ({**STRATEGIES, "blend": POPULAR_ALONE}, FEW_SHOPPERS),
}
"""Name → the strategies, and from how many shoppers on the trained model is used."""


@dataclass(frozen=True)
class ColdStartPlan:
    """The sizes of the marketplace, the number of visits and of hidden products, and the seed."""

    products: int
    shoppers: int
    visits: int
    hidden: int
    seed: int


@dataclass(frozen=True)
class ColdStartFigures:
    """The lists of an arm beside products of which `kept` visits are known; None: all.

    `in_category` is the share of the twelve places with a product of the same category, `same_thing` that of
    products which are the same thing, such as another desk lamp. `wanted` is the NDCG
    of the truth, `as_full` that of the neighbours which the full history gives. `gain` is the mean difference
    of `wanted` from the first arm, with the half-width of its 95 % interval. `variants` is the share of lists
    with two variants of one product, `ms` the mean time of an answer with empty caches.
    """

    kept: int | None
    arm: str
    in_category: float
    same_thing: float
    wanted: float
    as_full: float
    gain: float
    gain_within: float
    variants: float
    ms: float


@dataclass(frozen=True)
class ColdStartResult:
    """The figures, and how many products were hidden of how many, with how many visits on average."""

    figures: list[ColdStartFigures]
    hidden: int
    products: int
    visits_of_hidden: float


@dataclass(frozen=True)
class VisitLog:
    """What visits did, one element for each product of a visit, oldest first. `at_s` is that of the visit."""

    visit: Ints
    shopper: Ints
    product: Ints
    weight: Floats
    at_s: Floats

    def keeping(self, hidden: Ints, kept: int | None) -> "VisitLog":
        """Return the log in which hidden products have only their newest `kept` visits."""
        if kept is None:
            return self
        newest_first = np.arange(len(self.product))[::-1]
        order = newest_first[np.argsort(self.product[::-1], kind="stable")]
        sorted_products = self.product[order]
        starts = np.searchsorted(sorted_products, sorted_products)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order)) - starts
        stays = ~np.isin(self.product, hidden) | (rank < kept)
        return VisitLog(*(column[stays] for column in vars(self).values()))


@dataclass(frozen=True)
class CoVisitSums:
    """What job `recommendations` computes: the sums of pairs, [products, products], and visits by product."""

    sums: Floats
    visits: Ints

    @classmethod
    def of(cls, log: VisitLog, products: int) -> "CoVisitSums":
        """Add up the pairs of all visits."""
        unit = np.array([covisit_unit(at) for at in log.at_s.tolist()])
        shape = int(log.visit.max()) + 1, products
        plain = csr_array((log.weight, (log.visit, log.product)), shape=shape)
        decayed = csr_array((log.weight * unit, (log.visit, log.product)), shape=shape)
        return cls((plain.T @ decayed).toarray(), np.bincount(log.product, minlength=products))

    @property
    def interest(self) -> Floats:
        """The sum of each product with itself."""
        return np.diag(self.sums)


def simulate(world: World, visits: int, seed: int) -> VisitLog:
    """Draw organic visits of four weeks; the first ten products of each count."""
    rng = named_rng(seed, "cold start")
    decisions = DecisionModel(world, Calendar(world), Behaviour())
    end = START + timedelta(days=DAYS)
    started = np.sort(rng.integers(to_millis(START), to_millis(end), visits))
    drawn = draw_visits(decisions, rng, started)
    views = draw_organic_views(decisions, rng, drawn)
    pairs = views.visit * len(world.products.ids) + views.product
    _, first = np.unique(pairs, return_index=True)
    first = np.sort(first)
    visit = views.visit[first]
    rank = np.arange(len(first)) - np.searchsorted(visit, visit)
    first = first[rank < FIRST_OF_A_VISIT]
    added = np.isin(pairs, pairs[views.adds])
    visit = views.visit[first]
    return VisitLog(
        visit,
        drawn.shopper[visit],
        views.product[first],
        np.where(added[first], 2.0, 1.0),
        drawn.started[visit] / 1000.0,
    )


def wanted_together(world: World) -> Floats:
    """Return how much the same shoppers want two products: [products, products], from 0 to 1.

    It is the cosine of P(an organic view is of the product), over all shoppers by their share of the visits.
    """
    products, shoppers, tastes = world.products, world.shoppers, world.tastes
    within = shoppers.mixture @ tastes.within.T
    chances = shoppers.preference[:, products.category] * within * np.sqrt(shoppers.activity)[:, None]
    chances /= np.linalg.norm(chances, axis=0)
    alike: Floats = chances.T @ chances
    np.fill_diagonal(alike, 0.0)
    return alike


def neighbours_of(sums: CoVisitSums, as_of_s: float) -> Floats:
    """Return the cosines of each product's best neighbours by co-visits, 0 for all others."""
    root = np.sqrt(np.maximum(sums.interest, np.finfo(np.float64).tiny))
    shrunk = sums.sums / (sums.sums + SUPPORT * covisit_unit(as_of_s))
    cosines: Floats = sums.sums / root[:, None] / root[None, :] * shrunk
    np.fill_diagonal(cosines, 0.0)
    cut = np.partition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS][:, None]
    return np.where(cosines >= cut, cosines, 0.0)


def ndcg(shown: Sequence[int], gains: Floats) -> float:
    """Return the NDCG of a list of at most `LENGTH` products; `gains` has that of each product."""
    discounts = 1.0 / np.log2(np.arange(2, LENGTH + 2))
    best = np.sort(gains)[::-1][:LENGTH]
    ideal = float(best @ discounts[: len(best)])
    return float(gains[list(shown)] @ discounts[: len(shown)]) / ideal if ideal else 0.0


class Shop:
    """The marketplace, and the Redis that its lists are read from."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self._settings = world, settings
        self.columns = listing_columns(world, np.arange(len(world.products.ids)))
        self.codes = {product_id: code for code, product_id in enumerate(world.products.ids)}

    def write(self, log: VisitLog) -> None:
        """Replace what Redis has by what this log gives: co-visits, cards, rankings and two models."""
        sums = CoVisitSums.of(log, len(self.codes))
        with Redis.from_url(self._settings.redis) as redis:
            redis.flushdb()
            pipeline: Any = redis.pipeline(transaction=False)
            pipeline.hset("recommendations_as_of", "product_viewed", int(log.at_s.max()))
            for code, product_id in enumerate(self.world.products.ids):
                self._write_product(pipeline, code, product_id, sums)
            pipeline.execute()
            self._publish(redis, log)

    def _write_product(self, pipeline: Any, code: int, product_id: str, sums: CoVisitSums) -> None:
        offer = {name: self.columns[name][code] for name in self.columns}
        card: dict[str, bytes] = {"offers": orjson.dumps([{**offer, "listed": 1}])}
        interest = float(sums.interest[code])
        if interest > 0:
            card |= {"interest": repr(interest).encode(), "visits": str(sums.visits[code]).encode()}
            ranking = f"popular:{offer['category']}"
            pipeline.zadd(ranking, {product_id: interest})
            pipeline.zremrangebyrank(ranking, 0, -MAX_POPULAR - 1)
        pipeline.hset(f"product:{product_id}", mapping=card)
        row = sums.sums[code].copy()
        row[code] = 0.0
        best = np.argsort(-row, kind="stable")[:MAX_SIMILAR]
        members = {self.world.products.ids[other]: float(row[other]) for other in best if row[other] > 0}
        if members:
            pipeline.zadd(f"similar:{product_id}", members)

    def _publish(self, redis: Redis, log: VisitLog) -> None:
        """Train a model on the log and publish it once for each number of shoppers from which it is used."""
        texts: dict[str, list[Any]] = {"item": self.world.products.ids}
        texts |= {name: self.columns[name] for name in ("name", "category")}
        if "attributes" in self.columns:
            texts["attributes"] = [
                " ".join(f"{key} {value}" for key, value in each.items())
                for each in self.columns["attributes"]
            ]
        table = pa.table(texts)
        columns = {
            "user": pa.array(log.shopper),
            "item": pa.array([self.world.products.ids[code] for code in log.product.tolist()]),
            "time": pa.array(log.at_s.astype(np.int64)),
            "weight": pa.array(log.weight),
        }
        learned = log_of(columns, attributes_of(table, "item"))
        model, content = MODELS[MODEL]().fit(learned), similar_content(learned)
        publications = Publications(redis)
        for few in {each for _, each in ARMS.values()}:
            served = replace(ServedModel.of(model, content), few_shoppers=few)
            publications.write(served, version_for(few), datetime.fromtimestamp(log.at_s.max(), UTC))

    async def lists(self, arm: str, products: Sequence[str], known: str) -> tuple[list[list[int]], float]:
        """Return the codes of the products beside each of `products`, and the mean milliseconds of an answer.

        `known` is a product with a long history, beside which the trained model answers.
        """
        strategies, few = ARMS[arm]
        redis = open_redis(self._settings)
        with Redis.from_url(self._settings.redis) as writer:
            Publications(writer).switch(version_for(few), None)
        rules = ShopRules(SettingValues(), self.world.shape.currency)
        service = RecommendationService(LiveVersions(redis), strategies=strategies, rules=rules)
        if "trained_neighbours" in strategies["blend"].blended:
            deadline = time.monotonic() + WAIT_S
            while (await service.similar(known, LENGTH))["model_version"] is None:
                if time.monotonic() > deadline:
                    raise SoukError("the trained model was not read")
                await asyncio.sleep(0.02)
        found, begun = [], time.perf_counter()
        for product_id in products:
            answer = await service.similar(product_id, LENGTH)
            found.append([self.codes[item["product_id"]] for item in answer["items"]])
        ms = (time.perf_counter() - begun) / len(products) * 1000
        await redis.aclose()
        return found, ms


def version_for(few_shoppers: int) -> str:
    """Return the version of the model that is used from so many shoppers on."""
    return f"bench-{few_shoppers}"


def run(settings: Settings, plan: ColdStartPlan, port_offset: int, console: Console) -> ColdStartResult:
    """Measure on a Redis of its own, which is stopped at the end.

    Raises:
        SoukError: Redis does not start, or the sizes leave no product with a long history.
    """
    world = build_world(WorldShape(plan.seed, plan.products // 20, plan.products, plan.shoppers))
    log = simulate(world, plan.visits, plan.seed)
    visits = np.bincount(log.product, minlength=plan.products)
    known = np.flatnonzero(visits >= LONG_HISTORY)
    if len(known) < 2:
        raise SoukError(f"no product has {LONG_HISTORY} visits: give more --visits, or fewer --products")
    rng = named_rng(plan.seed, "hidden products")
    hidden = np.sort(rng.choice(known, min(plan.hidden, len(known) // 2), replace=False))
    truth = wanted_together(world)
    full = neighbours_of(CoVisitSums.of(log, plan.products), float(log.at_s.max()))
    best_known = world.products.ids[max(set(known.tolist()) - set(hidden.tolist()), key=visits.__getitem__)]
    figures = []
    with temporary_redis(settings, port_offset) as own:
        shop = Shop(world, own)
        for kept in LEVELS:
            console.print(f"{'all' if kept is None else kept} visits of {len(hidden)} products")
            shop.write(log.keeping(hidden, kept))
            ids = [world.products.ids[code] for code in hidden.tolist()]
            lists = {arm: asyncio.run(shop.lists(arm, ids, best_known)) for arm in ARMS}
            figures += _figures(kept, hidden, lists, shop, truth, full)
    return ColdStartResult(figures, len(hidden), plan.products, round(float(visits[hidden].mean()), 1))


def _figures(
    kept: int | None,
    hidden: Ints,
    lists: Mapping[str, tuple[list[list[int]], float]],
    shop: Shop,
    truth: Floats,
    full: Floats,
) -> list[ColdStartFigures]:
    category, thing = shop.world.products.category, things(shop.world)
    groups = shop.columns.get("group_id", [None] * len(category))
    wanted = {
        arm: np.array([ndcg(shown, truth[code]) for code, shown in zip(hidden, found, strict=True)])
        for arm, (found, _) in lists.items()
    }
    first = next(iter(wanted.values()))
    return [
        ColdStartFigures(
            kept,
            arm,
            _share(category, hidden, found),
            _share(thing, hidden, found),
            round(float(wanted[arm].mean()), 4),
            round(
                float(np.mean([ndcg(shown, full[code]) for code, shown in zip(hidden, found, strict=True)])),
                4,
            ),
            round(float((wanted[arm] - first).mean()), 4),
            round(float(1.96 * (wanted[arm] - first).std() / np.sqrt(len(hidden))), 4),
            round(float(np.mean([_has_variants([groups[each] for each in shown]) for shown in found])), 4),
            round(ms, 2),
        )
        for arm, (found, ms) in lists.items()
    ]


def things(world: World) -> Ints:
    """Return a number for each product that says what it is: the noun of its name."""
    products: Any = world.products
    nouns = products.noun if hasattr(products, "noun") else products.nouns
    found: Ints = np.unique(nouns, return_inverse=True)[1]
    return found


def _share(of: Ints, hidden: Ints, lists: Sequence[Sequence[int]]) -> float:
    """Return the mean share of the places with a product that has the number of the page's product."""
    pairs = zip(hidden.tolist(), lists, strict=True)
    return round(float(np.mean([np.sum(of[list(shown)] == of[code]) / LENGTH for code, shown in pairs])), 4)


def _has_variants(groups: Sequence[str | None]) -> bool:
    named = [each for each in groups if each]
    return len(set(named)) < len(named)


def show(result: ColdStartResult, console: Console) -> None:
    """Print the result."""
    print_table(
        console,
        (
            "visits",
            "lists",
            "same category",
            "same thing",
            "wanted",
            "gain",
            "as full history",
            "variants",
            "ms",
        ),
        (
            (
                "all" if each.kept is None else f"{each.kept}",
                each.arm,
                f"{each.in_category:.3f}",
                f"{each.same_thing:.3f}",
                f"{each.wanted:.3f}",
                f"{each.gain:+.3f} ± {each.gain_within:.3f}",
                f"{each.as_full:.3f}",
                f"{each.variants:.3f}",
                f"{each.ms:.1f}",
            )
            for each in result.figures
        ),
        title="Lists of twelve beside products that few have seen",
    )
    print_notes(
        console,
        (
            f"{result.hidden} of {result.products:,} products were hidden; "
            f"they have {result.visits_of_hidden:g} visits on average",
            "wanted: NDCG of whether the same shoppers want both",
            "as full history: NDCG of the neighbours that all visits give",
        ),
    )
