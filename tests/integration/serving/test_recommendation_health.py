"""The health of recommendations through the API, compared with plain Python over single events."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise, permutations
from math import log2
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser

from common.configuration.definitions import EXPERIMENTS
from common.configuration.values import SettingValue
from common.principal import Principal
from common.settings import Settings
from schemas.configuration.saved_values import SavedValues
from tests.integration.event_rows import insert_events
from tests.integration.metric_tables import emptied
from tests.integration.serving.conftest import running_serving
from tests.integration.serving.layouts import layouts, scroll_width
from tests.integration.serving.shop_audit import restored
from tests.principals import bearer

ZONE = ZoneInfo("America/Sao_Paulo")
DAYS = 10
END = datetime.combine(datetime.now(ZONE).date() + timedelta(days=1), time.min, ZONE).astimezone(UTC)
START = END - timedelta(days=DAYS)
BOUNDS = {"from": START.isoformat(), "to": END.isoformat()}
PATH = "/v1/admin/recommendations/health"
HTML = {"Accept": "text/html"}
CATEGORIES = ("lamps", "coffee", "toys", "books", None)
PAGES = ("home", "product", "cart")
FALLBACKS = {
    "live": ("popular_in_category", "popular_products"),
    "trained": ("popular_in_category", "popular_products"),
    "blend": ("popular_products",),
}
"""Personal strategy → the sources that only fill up its lists."""
EXPERIMENT = {
    "name": "health_test",
    "surface": "home",
    "salt": "1",
    "start": START.isoformat(),
    "stop": None,
    "arms": [{"name": arm, "strategy": arm, "share": 0.4} for arm in ("live", "blend")],
    "guardrails": [],
}


class Marketplace:
    """Random offers that change and are delisted, and lists of visitors, of whom some look and click."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.offers: list[tuple[str, str]] = []
        for number in range(60):
            self._product(f"p{number}")
        for number in range(6):
            self.emit("seller_registered", START, seller_id=f"s{number}", name=f"Casa {number}")
        for number in range(150):
            self._visitor(f"visitor-{number}")
        for number in range(1_001):
            at = START + timedelta(days=3, hours=4, seconds=number)
            self._list("robot", at, is_seen=True, sizes=(1, 5), surfaces=PAGES)

    def emit(self, table: str, at: datetime, **fields: Any) -> None:
        event_id = f"{table}-{len(self.events[table]):05}"
        self.events[table].append({"event_id": event_id, "occurred_at": at, **fields})

    def _product(self, product: str) -> None:
        draw = self.draw
        for seller in draw.sample(range(6), draw.choice((1, 1, 2))):
            offer = {"product_id": product, "seller_id": f"s{seller}"}
            self.offers.append((product, f"s{seller}"))
            at = START - timedelta(days=draw.randrange(40))
            self.emit("product_listed", at, **offer, **self._details())
            for _ in range(draw.randrange(3)):
                at += timedelta(hours=draw.randrange(1, 900))
                if draw.random() < 0.3:
                    self.emit("product_delisted", at, **offer, reason="seller")
                else:
                    self.emit("product_changed", at, **offer, **self._details())

    def _details(self) -> dict[str, Any]:
        draw = self.draw
        currency = "USD" if draw.random() < 0.1 else "BRL"
        price = draw.randrange(100, 900, 50)
        return {"category": draw.choice(CATEGORIES), "currency": currency, "price_minor": price}

    def _visitor(self, visitor: str) -> None:
        draw = self.draw
        for _ in range(draw.randrange(1, 6)):
            at = START + timedelta(minutes=draw.randrange(-2 * 1_440, DAYS * 1_440))
            for product, _ in draw.choices(self.offers, k=draw.randrange(4)):
                self.emit(
                    "product_viewed", at, session_id=f"{visitor}-{at:%d}", product_id=product, source="x"
                )
            self._list(visitor, at, draw.random() < 0.8)

    def _list(
        self,
        visitor: str,
        at: datetime,
        is_seen: bool,
        sizes: Sequence[int] = (0, 1, 5, 8),
        surfaces: Sequence[str] = (*PAGES, "email"),
    ) -> None:
        draw = self.draw
        name = f"list-{len(self.events['recommendation_answered'])}"
        strategy = draw.choice(["blend", "live", "popular", "because_looked"])
        surface = draw.choice(surfaces)
        is_mail = surface == "email"  # nobody knows whether a mail is seen
        kinds = [["popular_products"], ["popular_in_category"], ["item_neighbours"]]
        (sources,) = kinds[:1] if strategy == "popular" else draw.choices(kinds, (2, 2, 6))
        # The first offers are shown most, the last ones never; a list may be empty or have one product.
        popularity = [max(0, 70 - number) for number, _ in enumerate(self.offers)]
        shown = dict(draw.choices(self.offers, popularity, k=draw.choice(sizes)))
        reasons = draw.choice([[], [], ["no_model", "no_model"], ["no_history", "no_candidates"]])
        experiment, arm = draw.choice([(None, None), ("health_test", "live"), ("health_test", "blend")])
        self.emit(
            "recommendation_answered", at, recommendation_id=name, visitor_id=visitor, surface=surface,
            experiment=experiment, arm=arm, arm_propensity=0.5, strategy=strategy, is_explored=False,
            seeds=[], alternatives=[], answer_ms=draw.choice([None, draw.lognormvariate(2, 1)]),
            items=[
                {"position": place, "product_id": product, "seller_id": seller, "score": 0.5,
                 "source": draw.choice(sources), "propensity": 1.0}
                for place, (product, seller) in enumerate(shown.items(), 1)
            ],
            passed_over=[{"source": f"source-{n}", "reason": reason} for n, reason in enumerate(reasons)],
        )  # fmt: skip
        visit = {"recommendation_id": name, "session_id": visitor, "surface": surface}
        if is_seen and shown:
            if not is_mail:
                shown_at = at + timedelta(seconds=5)
                self.emit("recommendation_shown", shown_at, strategy=strategy, items=[], **visit)
            if draw.random() < 0.3:
                clicked = {"product_id": next(iter(shown)), "position": 1}
                self.emit("recommendation_clicked", at + timedelta(minutes=1), **clicked, **visit)

    def load(self, settings: Settings) -> None:
        """Insert all events twice."""
        insert_events(settings, self.events)


class Expected:
    """The same figures from single events, with definitions instead of formulas where there are any."""

    def __init__(self, shop: Marketplace, **filters: str) -> None:
        events = shop.events
        answers = [row for row in events["recommendation_answered"] if START <= row["occurred_at"] < END]
        self.answers = [row for row in answers if all(row[name] == one for name, one in filters.items())]
        in_view = {row["recommendation_id"] for row in events["recommendation_shown"]}
        self.clicked = {row["recommendation_id"] for row in events["recommendation_clicked"]}
        of_day = Counter(
            (row["visitor_id"], self.day(row)) for row in answers if row["recommendation_id"] in in_view
        )
        self.seen = [
            row
            for row in self.answers
            if row["recommendation_id"] in in_view and of_day[row["visitor_id"], self.day(row)] <= 1_000
        ]
        self.category: dict[str, str] = {}
        self.offers: dict[tuple[str, str], dict[str, Any]] = {}
        changes = [
            (row["occurred_at"], row["event_id"], row)
            for table in ("product_listed", "product_changed", "product_delisted")
            for row in events[table]
        ]
        for at, _, row in sorted(changes, key=lambda change: change[:2]):
            if "category" in row:
                self.category[row["product_id"]] = row["category"] or ""
            if at < END:
                self.offers[row["product_id"], row["seller_id"]] = row
        self.offers = {key: row for key, row in self.offers.items() if row.get("currency") == "BRL"}
        self.offered = {product for product, _ in self.offers}
        self.visits: dict[str, set[str]] = defaultdict(set)
        for view in events["product_viewed"]:
            if START <= view["occurred_at"] < END:
                self.visits[view["product_id"]].add(view["session_id"])

    @staticmethod
    def day(row: dict[str, Any]) -> str:
        day: str = row["occurred_at"].astimezone(ZONE).date().isoformat()
        return day

    def figures(self, day: str | None) -> dict[str, Any]:
        answers, seen = (
            [row for row in rows if day in (None, self.day(row))] for rows in (self.answers, self.seen)
        )
        times = sorted(row["answer_ms"] for row in answers if row["answer_ms"] is not None)
        personal = [row for row in answers if row["strategy"] in FALLBACKS]
        popular_only = [
            row
            for row in personal
            if row["items"] and all(one["source"] in FALLBACKS[row["strategy"]] for one in row["items"])
        ]
        lacking = Counter(
            reason for row in answers for reason in {one["reason"] for one in row["passed_over"]}
        )
        return {
            "answered": {
                "answers": len(answers),
                "clicked": sum(row["recommendation_id"] in self.clicked for row in answers),
                "clicked_share": _mean([row["recommendation_id"] in self.clicked for row in answers]),
                "p50_ms": times[int(0.5 * len(times))] if times else None,
                "p99_ms": times[int(0.99 * len(times))] if times else None,
                "empty_share": _mean([not row["items"] for row in answers]),
                "popular_only_share": len(popular_only) / len(personal) if personal else None,
                "lacking": {reason: (count, count / len(answers)) for reason, count in lacking.items()},
            },
            "seen": self._lists(seen),
            "shown": self._products(seen),
        }

    def _lists(self, seen: Sequence[dict[str, Any]]) -> dict[str, Any]:
        shown = [[self.category[one["product_id"]] for one in row["items"]] for row in seen]
        of_visitors: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row, categories in zip(seen, shown, strict=True):
            of_visitors[row["visitor_id"], self.day(row)] += categories
        clicked = [row["recommendation_id"] in self.clicked for row in seen]
        return {
            "lists": len(seen),
            "clicked": sum(clicked),
            "click_rate": _mean(clicked),
            "diversity": _mean(
                [_mean([a != b for a, b in permutations(each, 2)]) or 0 for each in shown if len(each) > 1]
            ),
            "largest_category": _mean(
                [max(Counter(each).values()) / len(each) for each in of_visitors.values()]
            ),
        }

    def _products(self, seen: Sequence[dict[str, Any]]) -> dict[str, Any]:
        exposure = dict.fromkeys(self.offered, 0.0)
        for row in seen:
            for one in row["items"]:
                if one["product_id"] in exposure:
                    exposure[one["product_id"]] += 1 / log2(one["position"] + 1)
        total = sum(exposure.values())
        catalogue = self.catalogue_popularity()
        popularity = sum(len(self.visits[each]) * part for each, part in exposure.items()) / total
        amounts = list(exposure.values())
        return {
            "products": sum(part > 0 for part in amounts),
            "coverage": sum(part > 0 for part in amounts) / len(amounts),
            "gini": sum(abs(a - b) for a in amounts for b in amounts) / (2 * len(amounts) * total),
            "popularity": popularity,
            "popularity_lift": popularity / catalogue - 1,
        }

    def catalogue_popularity(self) -> float:
        return sum(len(self.visits[each]) for each in self.offered) / len(self.offered)

    def shares(self, dimension: str) -> dict[str, tuple[float, float]]:
        """Return the share of exposure and of the catalogue by value of a dimension."""
        prices = sorted(row["price_minor"] for row in self.offers.values())
        bounds = [prices[int(level * len(prices))] for level in (0.2, 0.4, 0.6, 0.8)]

        def value(product: str, seller: str) -> str:
            offer = self.offers.get((product, seller))
            if dimension == "seller":
                return seller
            if offer is None:
                return ""
            if dimension == "category":
                return offer["category"] or ""
            return str(1 + sum(bound <= offer["price_minor"] for bound in bounds))

        exposed: Counter[str] = Counter()
        for row in self.seen:
            for one in row["items"]:
                exposed[value(one["product_id"], one["seller_id"])] += 1 / log2(one["position"] + 1)  # type: ignore[assignment]
        offered = Counter(value(*offer) for offer in self.offers)
        return {
            each: (exposed[each] / sum(exposed.values()), offered[each] / len(self.offers))
            for each in exposed.keys() | offered.keys()
        }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


@pytest.fixture(scope="module")
def marketplace() -> Marketplace:
    return Marketplace(11)


@pytest.fixture(scope="module")
def served(shop: Settings, marketplace: Marketplace) -> Iterator[Settings]:
    """The API over the marketplace, with an experiment among its last known settings."""
    values = SavedValues(shop)
    before = values.path.read_bytes() if values.path.exists() else b"{}"
    with restored(shop):
        marketplace.load(emptied(shop))
        values.save({EXPERIMENTS.name: SettingValue(3, EXPERIMENTS.parse(json.dumps([EXPERIMENT])))})
        try:
            with running_serving(shop) as served:
                yield served
        finally:
            values.path.write_bytes(before)


@pytest.fixture(scope="module")
def client(served: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.serving, trust_env=False, timeout=60, headers=bearer(served)) as client:
        yield client


def health(client: httpx.Client, **parameters: str) -> dict[str, Any]:
    answer = client.get(PATH, params=BOUNDS | parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def plain(figures: dict[str, Any]) -> dict[str, Any]:
    """Return figures with what answers lacked by reason."""
    lacking = {one["reason"]: (one["answers"], one["share"]) for one in figures["answered"]["lacking"]}
    answered = figures["answered"] | {"lacking": lacking}
    return {"answered": answered, "seen": figures["seen"], "shown": figures["shown"]}


def assert_close(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert_close(found[key], value)
    elif expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9), (found, expected)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"surface": "home"},
        {"strategy": "because_looked"},
        {"surface": "cart", "strategy": "blend"},
        {"experiment": "health_test"},
        {"experiment": "health_test", "arm": "live"},
    ],
)
def test_every_figure_is_that_of_single_events(
    client: httpx.Client, marketplace: Marketplace, filters: dict[str, str]
) -> None:
    found, expected = health(client, **filters), Expected(marketplace, **filters)
    assert found["catalogue"]["products"] == len(expected.offered)
    assert found["catalogue"]["popularity"] == pytest.approx(expected.catalogue_popularity())
    assert_close(plain(found["total"]), expected.figures(None))
    assert len(found["days"]) == DAYS
    for day in found["days"]:
        if any(expected.day(row) == day["day"] for row in expected.seen):
            assert_close(plain(day), expected.figures(day["day"]))


def test_mails_have_answers_and_clicks_but_no_lists_in_view(
    client: httpx.Client, marketplace: Marketplace
) -> None:
    total, expected = health(client, surface="email")["total"], Expected(marketplace, surface="email")
    clicked = sum(row["recommendation_id"] in expected.clicked for row in expected.answers)
    assert 0 < clicked < len(expected.answers)
    assert (total["answered"]["answers"], total["answered"]["clicked"]) == (len(expected.answers), clicked)
    assert (total["seen"]["lists"], total["seen"]["click_rate"], total["shown"]["gini"]) == (0, None, None)


def test_the_shares_of_groups_are_those_of_single_events(
    client: httpx.Client, marketplace: Marketplace
) -> None:
    expected = Expected(marketplace)
    found_groups = health(client)["groups"]
    assert {"seller", "category", "price_band"} <= {groups["dimension"] for groups in found_groups}
    for groups in found_groups:
        shares = expected.shares(groups["dimension"])
        found = {one["value"]: (one["exposure_share"], one["catalogue_share"]) for one in groups["values"]}
        assert found.keys() == shares.keys()
        for value, pair in shares.items():
            assert found[value] == pytest.approx(pair)
        assert groups["count"] == len(shares)
        assert groups["rest"] is None
        distance = sum(abs(exposed - offered) for exposed, offered in shares.values()) / 2
        assert groups["distance"] == pytest.approx(distance)
        if groups["dimension"] == "seller":
            assert {one["name"] for one in groups["values"]} == {f"Casa {number}" for number in range(6)}
        if groups["dimension"] == "price_band":
            bands = sorted((one for one in groups["values"] if one["value"]), key=lambda one: one["value"])
            for lower, upper in pairwise(bands):
                assert lower["highest_minor"] < upper["lowest_minor"], "bands do not overlap"


def test_groups_beyond_the_requested_number_are_together(client: httpx.Client) -> None:
    whole, short = (
        next(each for each in health(client, **top)["groups"] if each["dimension"] == "seller")
        for top in ({}, {"top": "2"})
    )
    assert short["values"] == whole["values"][:2]
    others = whole["values"][2:]
    assert short["rest"]["exposure_share"] == pytest.approx(sum(one["exposure_share"] for one in others))
    assert (short["count"], short["distance"]) == (whole["count"], whole["distance"])


def test_a_robot_is_in_the_answers_but_not_in_the_exposure(client: httpx.Client) -> None:
    found = health(client)
    day = max(found["days"], key=lambda one: one["answered"]["answers"])
    assert day["answered"]["answers"] > 1_000
    assert day["seen"]["lists"] < 200


def test_a_period_without_answers_has_no_figures_but_a_catalogue(client: httpx.Client) -> None:
    found = health(client, **{"from": "2020-01-01", "to": "2020-01-04"})
    assert [day["answered"]["answers"] for day in found["days"]] == [0, 0, 0]
    assert found["total"]["seen"]["click_rate"] is found["total"]["shown"]["gini"] is None
    assert found["total"]["shown"]["coverage"] is None
    assert found["total"]["answered"]["p99_ms"] is None


@pytest.mark.parametrize(
    ("parameters", "status", "kind", "said"),
    [
        ({"from": "2026-05-02", "to": "2026-05-01"}, 422, "bad-period", "must be before"),
        ({"from": "2026-01-01", "to": "2026-09-01"}, 422, "bad-period", "at most"),
        ({"from": "yesterday"}, 422, "bad-period", "yesterday"),
        ({"surface": "moon"}, 422, "bad-parameter", "surface"),
        ({"strategy": "best"}, 422, "bad-parameter", "because_looked"),
        ({"arm": "live"}, 422, "bad-parameter", "add experiment"),
        ({"experiment": "health_test", "arm": "dead"}, 422, "bad-parameter", "live, blend"),
        ({"experiment": "nothing"}, 404, "unknown-experiment", "nothing"),
        ({"top": "0"}, 422, "bad-parameter", "top"),
    ],
)
def test_what_can_not_be_shown_is_a_problem_that_says_why(
    client: httpx.Client, parameters: dict[str, str], status: int, kind: str, said: str
) -> None:
    answer = client.get(PATH, params=parameters)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, kind)
    assert said in answer.json()["detail"]


def test_only_administrators_may_see_it(served: Settings) -> None:
    seller = Principal("ana", frozenset({"shopper", "seller"}), sellers={"s1": "owner"}, session_id="s")
    for path in (PATH, "/admin/recommendation-health"):
        address, headers = f"{served.serving}{path}", bearer(served, seller)
        refused = httpx.get(address, headers=headers, trust_env=False, timeout=60)
        assert refused.status_code == 403


@pytest.mark.parametrize(("language", "title"), [("en", "By seller"), ("pt-BR", "Por vendedor")])
def test_the_page_shows_the_same_figures(client: httpx.Client, language: str, title: str) -> None:
    spoken = HTML | {"Accept-Language": language}
    page = client.get("/admin/recommendation-health", headers=spoken).raise_for_status().text
    assert title in page
    assert page.count('class="trend"') == 8
    assert "Casa 0" in page
    if language == "en":
        total = health(client, **{"from": (END - timedelta(days=30)).isoformat()})["total"]
        assert f"{total['seen']['click_rate']:.1%}" in page
        assert f"{total['shown']['coverage']:.1%}" in page


def test_the_page_of_lists_that_nobody_got_says_so(client: httpx.Client) -> None:
    address = "/admin/recommendation-health?period=7d&surface=order"
    page = client.get(address, headers=HTML).raise_for_status().text
    assert "Nothing was recommended in this period." in page
    chosen = client.get("/admin/recommendation-health?arm=health_test/live", headers=HTML)
    assert '<option value="health_test/live" selected>' in chosen.text
    unknown = client.get("/admin/recommendation-health?arm=health_test/none", headers=HTML)
    assert unknown.status_code == 422


@pytest.mark.nightly
@pytest.mark.browser
def test_the_page_fits_every_width(browser: Browser, served: Settings) -> None:
    context = browser.new_context(base_url=served.serving, extra_http_headers=bearer(served))
    page = context.new_page()
    page.goto("/admin/recommendation-health")
    assert page.locator(".trend").count() == 8
    for theme, width in layouts(page):
        assert scroll_width(page) <= width, f"{width} px, {theme}"
    context.close()
