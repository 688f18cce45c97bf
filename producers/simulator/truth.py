"""The truth behind the history: what estimates from its events can be compared with.

All of it is exact under the model (docs/simulator.md), given what the calendar was at the moment, and as
long as a product is in stock.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.errors import SoukError
from producers.simulator.choices import Choices
from producers.simulator.draws import Floats
from producers.simulator.history.days import Day
from producers.simulator.history.recommended import LENGTH, NO_ANCHOR
from producers.simulator.visits import RECOMMENDATION
from producers.simulator.world.categories import LEAVES, TREE
from producers.simulator.world.world import World

Arrays = dict[str, NDArray[np.generic]]

README = Path(__file__).with_name("truth.md")


def of_visits(choices: Choices, day: Day) -> Arrays:
    """One element a visit; `orders` is P(it orders | what it viewed) = P(checks out) · P(cart not empty)."""
    visits, views = day.visits, day.views
    keep = choices.keep(visits.shopper[views.visit], views.product, views.at)
    none_kept = np.exp(np.bincount(views.visit, np.log1p(-keep), len(visits)))
    check_out = choices.check_out(visits.shopper, visits.registered)
    return {
        "session_id": np.array(visits.ids, "S32"),
        "shopper": visits.shopper.astype(np.int32),
        "started_at_ms": visits.started,
        "recommendations": visits.recommended,
        "organic_views": np.bincount(day.organic.visit, minlength=len(visits)).astype(np.int16),
        "check_out": check_out.astype(np.float32),
        "orders": (check_out * (1 - none_kept)).astype(np.float32),
    }


def of_views(choices: Choices, day: Day) -> Arrays:
    """One element a view, visit after visit; `buys` = P(add) · P(not removed) · P(checks out)."""
    visits, views = day.visits, day.views
    shopper = visits.shopper[views.visit]
    adds = choices.add(shopper, views.product, views.at)
    kept = choices.keep(shopper, views.product, views.at)
    check_out = choices.check_out(shopper, visits.registered[views.visit])
    return {
        "viewed_at_ms": views.at,
        "shopper": shopper.astype(np.int32),
        "product": views.product.astype(np.int32),
        "recommended": views.source == RECOMMENDATION,
        "adds": adds.astype(np.float32),
        "buys": (kept * check_out).astype(np.float32),
    }


def of_recommendations(choices: Choices, day: Day) -> Arrays:
    """One row a list, one column a position. A product's effect is `buys_shown - buys_not_shown`.

    With q = P(in the cart at the end | viewed once), π = P(an organic view is of it), n the organic views of
    the visit (less the one beside which the list stood) and c = P(click):

        buys_not_shown = P(checks out) · (1 − (1 − πq)ⁿ)
        buys_shown     = P(checks out) · (1 − (1 − πq)ⁿ · (1 − cq))
    """
    visits, lists = day.visits, day.lists
    visit, product = np.repeat(lists.visit, LENGTH), lists.items.ravel()
    shopper = visits.shopper[visit]
    keep = choices.keep(shopper, product, np.repeat(lists.at, LENGTH))
    organic = np.bincount(day.organic.visit, minlength=len(visits))[lists.visit]
    chances = np.repeat(organic - (lists.anchor != NO_ANCHOR), LENGTH)
    missed = (1 - choices.view(shopper, product, visits.demand[visit]) * keep) ** chances
    check_out = choices.check_out(shopper, visits.registered[visit])

    def as_rows(values: Floats) -> NDArray[np.float32]:
        return values.reshape(-1, LENGTH).astype(np.float32)

    return {
        "recommendation_id": np.array(lists.ids, "S32"),
        "session_id": np.array(visits.ids, "S32")[lists.visit],
        "shopper": visits.shopper[lists.visit].astype(np.int32),
        "strategy": lists.strategy.astype(np.int8),
        "product": lists.items.astype(np.int32),
        "clicks": day.click.astype(np.float32),
        "buys_shown": as_rows(check_out * (1 - missed * (1 - day.click.ravel() * keep))),
        "buys_not_shown": as_rows(check_out * (1 - missed)),
    }


def of_world(world: World) -> Arrays:
    """Sellers, products, shoppers and archetypes; row r is the one of number r + 1."""
    sellers, products, shoppers = world.sellers, world.products, world.shoppers
    return {
        "seller_size": sellers.size,
        "seller_quality": sellers.quality,
        "product_category": products.category,
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
        "shopper_love": shoppers.love,
        "common_love": shoppers.common_love,
        "shopper_price_sensitivity": shoppers.price_sensitivity,
        "shopper_check_out": shoppers.checkout,
        "shopper_activity": shoppers.activity,
        "shopper_joins": shoppers.joins,
    }


class Truth:
    """Gathers the truth of the days of a history and writes it down."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._days: dict[str, list[Arrays]] = {"visits": [], "views": [], "recommendations": []}

    def add(self, day: Day) -> None:
        """Take one more day."""
        self._days["visits"].append(of_visits(self._choices, day))
        self._days["views"].append(of_views(self._choices, day))
        self._days["recommendations"].append(of_recommendations(self._choices, day))

    def gathered(self, name: str) -> Arrays:
        """The arrays of `visits`, `views` or `recommendations` of all days so far, in their order."""
        days = self._days[name]
        return {column: np.concatenate([day[column] for day in days]) for column in days[0]} if days else {}

    def write(self, directory: Path) -> None:
        """Write all of it, one `.npz` a kind, with a README of what each array is.

        Raises:
            SoukError: the directory can't be written.
        """
        world = self._choices.world
        words = {
            "shape": asdict(world.shape),
            "behaviour": asdict(self._choices.behaviour),
            "departments": {name: [leaf.name for leaf in leaves] for name, leaves in TREE.items()},
            "categories": [leaf.name for leaf in LEAVES],
        }
        try:
            directory.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(directory / "world.npz", **of_world(world))
            for name in self._days:
                np.savez_compressed(directory / f"{name}.npz", **self.gathered(name))
            (directory / "world.json").write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")
            (directory / "README.md").write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
        except OSError as error:
            raise SoukError(f"the truth can't be written to {directory} ({error.strerror})") from error
