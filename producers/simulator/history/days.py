"""The history day by day: each day's events in one order, ready to be sent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from producers.feed.events import Events, Timeline, merge
from producers.simulator.calendar import DAY_MS, Calendar
from producers.simulator.choices import Behaviour, Choices
from producers.simulator.draws import Floats, stream
from producers.simulator.history import introduction
from producers.simulator.history.agenda import Agenda
from producers.simulator.history.browsing import Browsing
from producers.simulator.history.carts import Carts
from producers.simulator.history.orders import Orders
from producers.simulator.history.plan import Plan
from producers.simulator.history.prices import PriceList
from producers.simulator.history.recommended import Clicks, Lists, Recommender, follow, joined
from producers.simulator.history.rows import SOURCE_KEYS, Rows
from producers.simulator.history.stock import Stock
from producers.simulator.visits import Views, Visits, arrive, browse, merged
from producers.simulator.world.world import World, build


@dataclass(frozen=True)
class Day:
    """What one day's visits did before the stock had a say: what the truth is about.

    `organic` are the views that follow from no recommendation, `views` all; `click` (lists, LENGTH) is the
    probability that each item shown is clicked.
    """

    visits: Visits
    organic: Views
    views: Views
    lists: Lists
    clicks: Clicks
    click: Floats


class History:
    """The history of one plan."""

    def __init__(self, plan: Plan, behaviour: Behaviour | None = None) -> None:
        self.plan = plan
        self.world: World = build(plan.shape)
        self.calendar = Calendar(self.world)
        self.choices = Choices(self.world, self.calendar, behaviour or Behaviour())
        self._browsing = Browsing(self.world)
        self._recommender = Recommender(self.world, stream(plan.shape.seed, "recommender"))

    def draw_day(self, number: int) -> Day:
        """What people do in the visits that begin on day `number`, from 0; needs no other day."""
        plan, behaviour = self.plan, self.choices.behaviour
        rng = stream(plan.shape.seed, "visits", number)
        start_ms = plan.start_ms + number * DAY_MS
        opens_ms = max(start_ms, plan.start_ms + introduction.OPENS_AFTER_MS)
        started = self.calendar.arrivals(rng, opens_ms, start_ms + DAY_MS, plan.visits_per_day)
        progress = (started - plan.start_ms) / (plan.end_ms - plan.start_ms)
        visits = arrive(self.choices, rng, started, progress)
        organic = browse(self.choices, rng, visits)
        lists = joined(
            self._recommender.home(rng, visits),
            self._recommender.beside(rng, visits, organic, behaviour.similar_shown_share),
        )
        clicks, followed, click = follow(self.choices, rng, visits, lists)
        return Day(visits, organic, merged(organic, followed), lists, clicks, click)

    def days(self, on_day: Callable[[Day], None] = lambda _: None) -> Iterator[Timeline]:
        """Each day's events in event-time order, the first day first; none is at or after the end.

        `on_day` is given what each day's visits did.
        """
        plan, rows = self.plan, Rows()
        prices = PriceList(self.world, self.calendar.sales(plan.start_ms, plan.end_ms + DAY_MS))
        agenda, random = Agenda(), Random(f"orders {plan.shape.seed}")
        stock = Stock(self.world, rows, agenda, random, plan)
        stock.fill(plan.start_ms + introduction.STOCKED_AFTER_MS)
        orders = Orders(self.world, rows, agenda, stock, random)
        carts = Carts(self.world, rows, agenda, stock, orders, prices.at)
        waiting = [
            *introduction.catalogue(self.world, plan.start_ms),
            introduction.joining(self.world, plan.start_ms, plan.end_ms),
            *prices.changes(),
        ]
        for number in range(plan.days):
            end_ms = plan.start_ms + (number + 1) * DAY_MS
            day = self.draw_day(number)
            on_day(day)
            rng = stream(plan.shape.seed, "pages", number)
            waiting += self._browsing.events(rng, day.visits, day.views, day.lists, day.clicks)
            carts.fill(rng, day.visits, day.views, day.lists)
            agenda.play(end_ms)
            waiting += rows.take()
            yield merge(_in_order([events.within(None, end_ms) for events in waiting]))
            waiting = [later for events in waiting if len(later := events.within(end_ms, None))]


def _in_order(events: list[Events]) -> list[Events]:
    order = list(SOURCE_KEYS)
    return sorted((one for one in events if len(one)), key=lambda one: order.index(one.name))
