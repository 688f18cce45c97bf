"""Turns the visits of a history into events: views, searches, recommended lists and clicks."""

from typing import Any

import numpy as np

from producers.feed.events import Events, Millis
from producers.simulator.history.event_rows import events_from_columns
from producers.simulator.history.recommendations import NO_ANCHOR, STRATEGIES, Clicks, RecommendedLists
from producers.simulator.randomness import Index
from producers.simulator.searches import ViewSearches
from producers.simulator.visits import NO_LIST, SOURCES, Views, Visits, draw_gaps
from producers.simulator.world.world import World

_SEARCHED_BEFORE_MS = 900
_NULL = np.array(None, object)


class BrowsingEventBuilder:
    """Builds the browsing events of a world's visits."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._products = np.array(world.products.ids, object)
        self._sellers = np.array([world.sellers.ids[row] for row in world.products.seller.tolist()], object)

    def events(
        self,
        rng: np.random.Generator,
        visits: Visits,
        views: Views,
        lists: RecommendedLists,
        clicks: Clicks,
        searches: ViewSearches,
    ) -> list[Events]:
        """Return all browsing events, each kind in the order of visits. `searches` are those of `views`."""
        sessions = np.array(visits.ids, object)
        signed_in = np.where(
            visits.signed_in, np.array(self._world.shoppers.ids, object)[visits.shopper], _NULL
        )
        list_ids = np.array([*lists.ids, None], object)
        search_ids = np.full(len(views), None, object)
        search_ids[searches.views] = searches.found.ids
        empty_ms_before = draw_gaps(rng, len(searches.empty.ids))
        who = _VisitIdentity(sessions, signed_in)
        return [
            self._shown(who, lists),
            self._clicked(who, lists, clicks),
            self._searched(who, visits, views, searches, empty_ms_before),
            events_from_columns("product_viewed", views.at, {
                **who.columns(views.visit),
                "product_id": self._products[views.product].tolist(),
                "seller_id": self._sellers[views.product].tolist(),
                "source": np.array(SOURCES, object)[views.source].tolist(),
                "search_id": search_ids.tolist(),
                "recommendation_id": list_ids[views.list_index].tolist(),
            }),
        ]  # fmt: skip

    def _shown(self, who: "_VisitIdentity", lists: RecommendedLists) -> Events:
        strategies = np.array(STRATEGIES, object)[lists.strategy].tolist()
        on_home = lists.anchor == NO_ANCHOR
        nothing = [None] * len(lists.ids)
        products = self._products[lists.items].tolist()
        sellers = self._sellers[lists.items].tolist()
        return events_from_columns("recommendation_shown", lists.at, {
            "recommendation_id": lists.ids,
            **who.columns(lists.visit),
            "surface": np.where(on_home, "home", "product").astype(object).tolist(),
            "strategy": strategies,
            "model_version": nothing,
            "experiment": ["recommendations"] * len(lists.ids),
            "variant": ["shown"] * len(lists.ids),
            "anchor_product_id": np.where(on_home, _NULL, self._products[lists.anchor]).tolist(),
            "items": [
                [
                    {"position": position, "product_id": product, "seller_id": seller, "score": None,
                     "source": strategy}
                    for position, (product, seller) in enumerate(zip(row, of_row, strict=True), 1)
                ]
                for row, of_row, strategy in zip(products, sellers, strategies, strict=True)
            ],
        })  # fmt: skip

    def _clicked(self, who: "_VisitIdentity", lists: RecommendedLists, clicks: Clicks) -> Events:
        on_home = lists.anchor[clicks.list_index] == NO_ANCHOR
        return events_from_columns("recommendation_clicked", clicks.at, {
            "recommendation_id": [lists.ids[row] for row in clicks.list_index.tolist()],
            **who.columns(lists.visit[clicks.list_index]),
            "surface": np.where(on_home, "home", "product").astype(object).tolist(),
            "product_id": self._products[clicks.product].tolist(),
            "position": clicks.position.tolist(),
        })  # fmt: skip

    def _searched(
        self,
        who: "_VisitIdentity",
        visits: Visits,
        views: Views,
        searches: ViewSearches,
        empty_ms_before: Millis,
    ) -> Events:
        """Return the searches that led to views, then those before some of them that found nothing."""
        found, empty = searches.found, searches.empty
        visit = views.visit[searches.views]
        at = views.at[searches.views] - _SEARCHED_BEFORE_MS
        empty_visit = visit[empty.before]
        empty_at = np.maximum(at[empty.before] - empty_ms_before, visits.started[empty_visit])
        ids = self._world.products.ids
        pages = [[ids[row] for row in page] for page in found.pages]
        n = len(found.ids) + len(empty.ids)
        return events_from_columns("search_performed", np.concatenate([at, empty_at]), {
            "search_id": found.ids + empty.ids,
            **who.columns(np.concatenate([visit, empty_visit])),
            "query": found.queries + empty.queries,
            "filters": [{}] * n,
            "page_number": [1] * n,
            "result_count": found.result_counts + [0] * len(empty.ids),
            "product_ids": pages + [[]] * len(empty.ids),
        })  # fmt: skip


class _VisitIdentity:
    """The session and the signed-in shopper of each visit."""

    def __init__(self, sessions: Any, signed_in: Any) -> None:
        self._sessions, self._signed_in = sessions, signed_in

    def columns(self, visit: Index) -> dict[str, list[Any]]:
        return {
            "session_id": self._sessions[visit].tolist(),
            "shopper_id": self._signed_in[visit].tolist(),
        }


assert NO_LIST == -1  # it is the index of the None at the end of the list ids
