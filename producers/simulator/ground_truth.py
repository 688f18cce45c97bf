"""The ground truth of a history, with which estimates from its events can be compared.

The probabilities are exact under the model (docs/simulator.md), given the calendar at each time. They assume
that the product is in stock.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.errors import SoukError
from producers.simulator.decisions import DecisionModel
from producers.simulator.history.days import SimulatedDay
from producers.simulator.history.recommendations import LIST_LENGTH, NO_ANCHOR
from producers.simulator.randomness import Floats
from producers.simulator.searches import KINDS, ViewSearches, Wanted
from producers.simulator.visits import RECOMMENDATION
from producers.simulator.world.categories import DEPARTMENTS, LEAVES, NOUNS
from producers.simulator.world.world import World

Arrays = dict[str, NDArray[np.generic]]

README = Path(__file__).with_name("ground_truth.md")


def visit_arrays(decisions: DecisionModel, day: SimulatedDay) -> Arrays:
    """Return one element per visit; `orders` is P(orders | its views) = P(checks out) · P(cart not empty)."""
    visits, views = day.visits, day.views
    in_cart = decisions.in_cart_probability(visits.shopper[views.visit], views.product, views.at)
    cart_empty = np.exp(np.bincount(views.visit, np.log1p(-in_cart), len(visits)))
    check_out = decisions.checkout_probability(visits.shopper, visits.registered)
    return {
        "session_id": np.array(visits.ids, "S32"),
        "shopper": visits.shopper.astype(np.int32),
        "started_at_ms": visits.started,
        "recommendations": visits.recommended,
        "organic_views": np.bincount(day.organic.visit, minlength=len(visits)).astype(np.int16),
        "check_out": check_out.astype(np.float32),
        "orders": (check_out * (1 - cart_empty)).astype(np.float32),
    }


def view_arrays(decisions: DecisionModel, day: SimulatedDay) -> Arrays:
    """Return one element per view, by visit; `buys` = P(add) · P(not removed) · P(checks out)."""
    visits, views = day.visits, day.views
    shopper = visits.shopper[views.visit]
    adds = decisions.add_probability(shopper, views.product, views.at)
    in_cart = decisions.in_cart_probability(shopper, views.product, views.at)
    check_out = decisions.checkout_probability(shopper, visits.registered[views.visit])
    return {
        "viewed_at_ms": views.at,
        "shopper": shopper.astype(np.int32),
        "product": views.product.astype(np.int32),
        "recommended": views.source == RECOMMENDATION,
        "adds": adds.astype(np.float32),
        "buys": (in_cart * check_out).astype(np.float32),
    }


def recommendation_arrays(decisions: DecisionModel, day: SimulatedDay) -> Arrays:
    """Return one row per list, one column per position.

    The effect of showing a product is `buys_shown - buys_not_shown`. With q = P(in the cart at the end |
    viewed once), π = P(an organic view is of the product), n = the organic views of the visit (without the
    view beside which the list was shown) and c = P(click):

        buys_not_shown = P(checks out) · (1 − (1 − πq)ⁿ)
        buys_shown     = P(checks out) · (1 − (1 − πq)ⁿ · (1 − cq))
    """
    visits, lists = day.visits, day.lists
    visit, product = np.repeat(lists.visit, LIST_LENGTH), lists.items.ravel()
    shopper = visits.shopper[visit]
    in_cart = decisions.in_cart_probability(shopper, product, np.repeat(lists.at, LIST_LENGTH))
    organic = np.bincount(day.organic.visit, minlength=len(visits))[lists.visit]
    views = np.repeat(organic - (lists.anchor != NO_ANCHOR), LIST_LENGTH)
    viewed = decisions.view_probability(shopper, product, visits.demand[visit])
    not_in_cart = (1 - viewed * in_cart) ** views
    check_out = decisions.checkout_probability(shopper, visits.registered[visit])

    def as_rows(values: Floats) -> NDArray[np.float32]:
        return values.reshape(-1, LIST_LENGTH).astype(np.float32)

    return {
        "recommendation_id": np.array(lists.ids, "S32"),
        "session_id": np.array(visits.ids, "S32")[lists.visit],
        "shopper": visits.shopper[lists.visit].astype(np.int32),
        "strategy": lists.strategy.astype(np.int8),
        "product": lists.items.astype(np.int32),
        "clicks": day.click_probability.astype(np.float32),
        "buys_shown": as_rows(check_out * (1 - not_in_cart * (1 - day.click_probability.ravel() * in_cart))),
        "buys_not_shown": as_rows(check_out * (1 - not_in_cart)),
    }


def search_arrays(day: SimulatedDay, searches: ViewSearches) -> Arrays:
    """Return one element per search, by visit: what the shopper wanted. Those that find nothing come last."""
    visits, found, empty = day.visits, searches.found, searches.empty
    of_search = np.concatenate([np.arange(len(found.ids)), empty.before])
    visit = day.views.visit[searches.views][of_search]
    wanted = [found.wanted[row] for row in of_search.tolist()]
    columns = dict(zip(Wanted._fields, zip(*wanted, strict=True), strict=True)) if wanted else {}
    return {
        "search_id": np.array(found.ids + empty.ids, "S32"),
        "session_id": np.array(visits.ids, "S32")[visit],
        "shopper": visits.shopper[visit].astype(np.int32),
        "product": np.array(columns.get("product", ()), np.int32),
        "kind": np.array(columns.get("kind", ()), np.int8),
        "attribute": np.array(columns.get("attribute", ()), "U24"),
        "language": np.array(columns.get("language", ()), "U5"),
        "misspelt": np.array(columns.get("misspelt", ()), bool),
        "finds_nothing": np.arange(len(of_search)) >= len(found.ids),
    }


def world_arrays(world: World) -> Arrays:
    """Return the arrays of sellers, products, shoppers and archetypes; row r has the number r + 1."""
    sellers, products, shoppers = world.sellers, world.products, world.shoppers
    attributes = products.contents.attributes
    keys = sorted({key for each in attributes for key in each})
    return {
        "seller_size": sellers.size,
        "seller_quality": sellers.quality,
        "seller_language": np.array(sellers.languages, "U5"),
        "product_category": products.category,
        "product_noun": products.noun,
        "product_group": np.array([group or "" for group in products.contents.group_ids], "U12"),
        **{
            f"product_attribute_{key}": np.array([each.get(key, "") for each in attributes], "U24")
            for key in keys
        },
        "product_seller": products.seller,
        "product_price_minor": products.price_minor,
        "product_relative_price": products.relative_price,
        "product_popularity": products.popularity,
        "product_quality": products.quality,
        "product_factors": products.factors,
        "archetype_taste": world.tastes.taste,
        "archetype_within": world.tastes.within,
        "popular_within": world.tastes.popular,
        "shopper_mixture": shoppers.mixture,
        "shopper_love": shoppers.preference,
        "common_love": shoppers.common_preference,
        "shopper_price_sensitivity": shoppers.price_sensitivity,
        "shopper_check_out": shoppers.checkout,
        "shopper_activity": shoppers.activity,
        "shopper_joins": shoppers.joins,
        "shopper_language": np.array(shoppers.languages, "U5"),
    }


class GroundTruth:
    """Collects the ground truth of the days of a history and writes it to files."""

    def __init__(self, decisions: DecisionModel) -> None:
        self._decisions = decisions
        self._days: dict[str, list[Arrays]] = {
            "visits": [], "views": [], "recommendations": [], "searches": [],
        }  # fmt: skip

    def add(self, day: SimulatedDay, searches: ViewSearches) -> None:
        """Add a day and its searches."""
        self._days["visits"].append(visit_arrays(self._decisions, day))
        self._days["views"].append(view_arrays(self._decisions, day))
        self._days["recommendations"].append(recommendation_arrays(self._decisions, day))
        self._days["searches"].append(search_arrays(day, searches))

    def arrays(self, name: str) -> Arrays:
        """Return the arrays of `visits`, `views`, `recommendations` or `searches` of all days so far."""
        days = self._days[name]
        return {column: np.concatenate([day[column] for day in days]) for column in days[0]} if days else {}

    def write(self, directory: Path) -> None:
        """Write one `.npz` file per kind, with a README that describes each array.

        Raises:
            SoukError: the directory can't be written.
        """
        world = self._decisions.world
        description = {
            "shape": asdict(world.shape),
            "behaviour": asdict(self._decisions.behaviour),
            "departments": {
                name: [leaf.category_id for leaf in LEAVES if leaf.department == name] for name in DEPARTMENTS
            },
            "categories": [leaf.category_id for leaf in LEAVES],
            "nouns": [dict(noun.names) for noun in NOUNS],
            "search_kinds": KINDS,
        }
        try:
            directory.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(directory / "world.npz", **world_arrays(world))
            for name in self._days:
                np.savez_compressed(directory / f"{name}.npz", **self.arrays(name))
            (directory / "world.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
            (directory / "README.md").write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
        except OSError as error:
            raise SoukError(f"the ground truth can't be written to {directory} ({error.strerror})") from error
