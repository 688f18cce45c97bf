"""Browsing of the history as events: views, searches, recommended lists and clicks, from whole visits."""

from typing import Any

import numpy as np

from producers.feed.events import Events
from producers.simulator.draws import Index
from producers.simulator.history.recommended import NO_ANCHOR, STRATEGIES, Clicks, Lists
from producers.simulator.history.rows import events_of
from producers.simulator.searches import Searches, search
from producers.simulator.visits import NO_LIST, SEARCH, SOURCES, Views, Visits
from producers.simulator.world.world import World

_SEARCHED_BEFORE_MS = 900
_NOTHING = np.array(None, object)


class Browsing:
    """Makes events of a world's visits."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._products = np.array(world.products.ids, object)
        self._sellers = np.array([world.sellers.ids[row] for row in world.products.seller.tolist()], object)

    def events(
        self, rng: np.random.Generator, visits: Visits, views: Views, lists: Lists, clicks: Clicks
    ) -> list[Events]:
        """All of them, each name in the order of visits."""
        sessions = np.array(visits.ids, object)
        signed_in = np.where(
            visits.signed_in, np.array(self._world.shoppers.ids, object)[visits.shopper], _NOTHING
        )
        list_ids = np.array([*lists.ids, None], object)
        found = np.flatnonzero(views.source == SEARCH)
        searches = search(self._world, rng, visits.shopper[views.visit[found]], views.product[found])
        search_ids = np.full(len(views), None, object)
        search_ids[found] = searches.ids
        who = _Who(sessions, signed_in)
        return [
            self._shown(who, lists),
            self._clicked(who, lists, clicks),
            self._searched(who, views, found, searches),
            events_of("product_viewed", views.at, {
                **who.columns(views.visit),
                "product_id": self._products[views.product].tolist(),
                "seller_id": self._sellers[views.product].tolist(),
                "source": np.array(SOURCES, object)[views.source].tolist(),
                "search_id": search_ids.tolist(),
                "recommendation_id": list_ids[views.of_list].tolist(),
            }),
        ]  # fmt: skip

    def _shown(self, who: "_Who", lists: Lists) -> Events:
        strategies = np.array(STRATEGIES, object)[lists.strategy].tolist()
        on_home = lists.anchor == NO_ANCHOR
        nothing = [None] * len(lists.ids)
        products = self._products[lists.items].tolist()
        sellers = self._sellers[lists.items].tolist()
        return events_of("recommendation_shown", lists.at, {
            "recommendation_id": lists.ids,
            **who.columns(lists.visit),
            "surface": np.where(on_home, "home", "product").astype(object).tolist(),
            "strategy": strategies,
            "model_version": nothing,
            "experiment": ["recommendations"] * len(lists.ids),
            "variant": ["shown"] * len(lists.ids),
            "anchor_product_id": np.where(on_home, _NOTHING, self._products[lists.anchor]).tolist(),
            "items": [
                [
                    {"position": position, "product_id": product, "seller_id": seller, "score": None,
                     "source": strategy}
                    for position, (product, seller) in enumerate(zip(row, of_row, strict=True), 1)
                ]
                for row, of_row, strategy in zip(products, sellers, strategies, strict=True)
            ],
        })  # fmt: skip

    def _clicked(self, who: "_Who", lists: Lists, clicks: Clicks) -> Events:
        on_home = lists.anchor[clicks.of_list] == NO_ANCHOR
        return events_of("recommendation_clicked", clicks.at, {
            "recommendation_id": [lists.ids[row] for row in clicks.of_list.tolist()],
            **who.columns(lists.visit[clicks.of_list]),
            "surface": np.where(on_home, "home", "product").astype(object).tolist(),
            "product_id": self._products[clicks.product].tolist(),
            "position": clicks.position.tolist(),
        })  # fmt: skip

    def _searched(self, who: "_Who", views: Views, found: Index, searches: Searches) -> Events:
        n = len(found)
        return events_of("search_performed", views.at[found] - _SEARCHED_BEFORE_MS, {
            "search_id": searches.ids,
            **who.columns(views.visit[found]),
            "query": searches.queries,
            "filters": [{}] * n,
            "page_number": [1] * n,
            "result_count": searches.result_counts,
            "product_ids": [list(dict.fromkeys(row)) for row in self._products[searches.pages].tolist()],
        })  # fmt: skip


class _Who:
    """Session and shopper of each visit."""

    def __init__(self, sessions: Any, signed_in: Any) -> None:
        self._sessions, self._signed_in = sessions, signed_in

    def columns(self, visit: Index) -> dict[str, list[Any]]:
        return {
            "session_id": self._sessions[visit].tolist(),
            "shopper_id": self._signed_in[visit].tolist(),
        }


assert NO_LIST == -1  # so that it picks the None at the end of the lists' ids
