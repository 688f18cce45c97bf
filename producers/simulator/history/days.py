"""Generates a history day by day: each day's events in one order, ready to be sent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from producers.feed.events import Events, Timeline, merge
from producers.simulator.calendar import DAY_MS, Calendar
from producers.simulator.decisions import Behaviour, DecisionModel
from producers.simulator.history import registrations
from producers.simulator.history.browsing import BrowsingEventBuilder
from producers.simulator.history.carts import HistoryCarts
from producers.simulator.history.event_rows import SOURCE_KEYS, EventRows
from producers.simulator.history.orders import HistoryOrders
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.history.prices import PriceList
from producers.simulator.history.recommendations import (
    Clicks,
    HistoryRecommender,
    RecommendedLists,
    concatenate_lists,
    draw_clicks,
)
from producers.simulator.history.scheduler import Scheduler
from producers.simulator.history.stock import HistoryStock
from producers.simulator.randomness import Floats, named_rng
from producers.simulator.searches import ViewSearches
from producers.simulator.visits import (
    Views,
    Visits,
    draw_organic_views,
    draw_view_searches,
    draw_visits,
    merge_views,
)
from producers.simulator.world.world import World, build_world


@dataclass(frozen=True)
class SimulatedDay:
    """The visits of one day without the limits of stock: the subject of the ground truth.

    `organic` are the views that follow from no recommendation, `views` are all. `click_probability` has the
    shape (lists, LIST_LENGTH).
    """

    visits: Visits
    organic: Views
    views: Views
    lists: RecommendedLists
    clicks: Clicks
    click_probability: Floats


class SimulatedHistory:
    """Generates the history of a plan."""

    def __init__(self, plan: HistoryPlan, behaviour: Behaviour | None = None) -> None:
        self.plan = plan
        self.world: World = build_world(plan.shape)
        self.calendar = Calendar(self.world)
        self.decisions = DecisionModel(self.world, self.calendar, behaviour or Behaviour())
        self._browsing = BrowsingEventBuilder(self.world)
        self._recommender = HistoryRecommender(self.world, named_rng(plan.shape.seed, "recommender"))

    def draw_day(self, number: int) -> SimulatedDay:
        """Draw the visits that begin on day `number`, from 0. No other day is needed."""
        plan, behaviour = self.plan, self.decisions.behaviour
        rng = named_rng(plan.shape.seed, "visits", number)
        start_ms = plan.start_ms + number * DAY_MS
        opens_ms = max(start_ms, plan.start_ms + registrations.OPENS_AFTER_MS)
        started = self.calendar.arrivals(rng, opens_ms, start_ms + DAY_MS, plan.visits_per_day)
        progress = (started - plan.start_ms) / (plan.end_ms - plan.start_ms)
        visits = draw_visits(self.decisions, rng, started, progress)
        organic = draw_organic_views(self.decisions, rng, visits)
        lists = concatenate_lists(
            self._recommender.home(rng, visits),
            self._recommender.beside(rng, visits, organic, behaviour.similar_shown_share),
        )
        clicks, followed, click = draw_clicks(self.decisions, rng, visits, lists)
        return SimulatedDay(visits, organic, merge_views(organic, followed), lists, clicks, click)

    def days(
        self, on_day: Callable[[SimulatedDay, ViewSearches], None] = lambda *_: None
    ) -> Iterator[Timeline]:
        """Generate each day's events in event-time order, the first day first, all before the end.

        `on_day` is called with the visits and the searches of each day.
        """
        plan, rows = self.plan, EventRows()
        prices = PriceList(self.world, self.calendar.sales(plan.start_ms, plan.end_ms + DAY_MS))
        scheduler, random = Scheduler(), Random(f"orders {plan.shape.seed}")
        stock = HistoryStock(self.world, rows, scheduler, random, plan)
        stock.schedule_first_stock(plan.start_ms + registrations.STOCKED_AFTER_MS)
        orders = HistoryOrders(self.world, rows, scheduler, stock, random)
        carts = HistoryCarts(self.world, rows, scheduler, stock, orders, prices.at)
        pending = [
            *registrations.catalogue_events(self.world, plan.start_ms),
            registrations.shopper_registrations(self.world, plan.start_ms, plan.end_ms),
            *prices.changes(),
        ]
        for number in range(plan.days):
            end_ms = plan.start_ms + (number + 1) * DAY_MS
            day = self.draw_day(number)
            rng = named_rng(plan.shape.seed, "pages", number)
            searches = draw_view_searches(self.decisions, rng, day.visits, day.views)
            on_day(day, searches)
            pending += self._browsing.events(rng, day.visits, day.views, day.lists, day.clicks, searches)
            carts.schedule(rng, day.visits, day.views, day.lists)
            scheduler.run_until(end_ms)
            pending += rows.drain()
            yield merge(_in_order([events.within(None, end_ms) for events in pending]))
            pending = [later for events in pending if len(later := events.within(end_ms, None))]


def _in_order(events: list[Events]) -> list[Events]:
    order = list(SOURCE_KEYS)
    return sorted((one for one in events if len(one)), key=lambda one: order.index(one.name))
