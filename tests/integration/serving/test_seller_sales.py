"""A seller's sales agree with a plain computation from the rows, also while rows are added."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from common.settings import Settings
from tests.integration.serving.conftest import CANCELLED, SOLD, TABLES, clear, insert

SHOP = ZoneInfo("America/Sao_Paulo")
SELLERS = ("rosa", "ruy", "raul")
FIRST, LAST = datetime(2019, 1, 20, tzinfo=UTC), datetime(2019, 3, 25, tzinfo=UTC)
FIGURES = (*SOLD, *CANCELLED)
STEPS = {
    "hour": lambda moment: moment.replace(minute=0),
    "day": lambda moment: moment.replace(hour=0, minute=0),
    "week": lambda moment: (moment - timedelta(days=moment.weekday())).replace(hour=0, minute=0),
    "month": lambda moment: moment.replace(day=1, hour=0, minute=0),
}
Add = Callable[[str, list[Any]], None]
Rows = dict[tuple[str, datetime, str], list[int]]


def drawn(seed: int) -> list[list[Any]]:
    """Draw the figures of 400 orders, each in its own minute; some have no sale, some no cancellation."""
    rng = random.Random(seed)
    minutes = rng.sample(range(64 * 1440), 400)
    nothing = ((), SOLD, CANCELLED)
    return [
        [rng.choice(SELLERS), f"{FIRST + timedelta(minutes=minute):%F %T}", rng.choice(["BRL", "BRL", "EUR"])]
        + [0 if name in empty else rng.randrange(1, 9_000 if "minor" in name else 9) for name in FIGURES]
        for minute, empty in zip(minutes, rng.choices(nothing, k=400), strict=True)
    ]


def by_key(rows: list[list[Any]]) -> Rows:
    """Return the figures by seller, minute and currency."""
    return {
        (seller, datetime.fromisoformat(minute).replace(tzinfo=UTC), currency): figures
        for seller, minute, currency, *figures in rows
    }


@pytest.fixture(scope="module")
def history(shop: Settings) -> Iterator[Rows]:
    rows = drawn(1)
    for part in (slice(0, 250), slice(150, 400)):  # a hundred orders arrive twice
        insert(shop, "seller_sales_minute", rows[part])
    yield by_key(rows)
    clear(shop, "seller_sales_minute")
    insert(shop, "seller_sales_minute", TABLES["seller_sales_minute"][1])


def sums(rows: Rows, seller: str, start: datetime, end: datetime) -> dict[str, int]:
    here = [
        figures
        for (who, minute, currency), figures in rows.items()
        if who == seller and currency == "BRL" and start <= minute < end
    ]
    return {name: sum(figures[at] for figures in here) for at, name in enumerate(FIGURES)}


def said(totals: dict[str, Any]) -> dict[str, int]:
    cancelled = {f"cancelled_{name}": value for name, value in totals["cancelled"].items()}
    return {name: {**totals, **cancelled}[name] for name in FIGURES}


@pytest.mark.parametrize("grain", STEPS)
@pytest.mark.parametrize(
    ("seller", "start", "end"),
    [
        ("rosa", "2019-02-01", "2019-03-01"),
        ("ruy", "2019-02-10", "2019-02-20"),
        ("raul", "2019-02-16T12:00:00", "2019-02-17T12:30:00"),  # contains the repeated hour
        ("rosa", "2010-02-01", "2010-02-10"),  # nothing was sold
    ],
)
def test_the_answer_is_the_sum_of_the_newest_rows(
    api: httpx.Client, history: Rows, seller: str, grain: str, start: str, end: str
) -> None:
    asked = {"from": start, "to": end, "grain": grain}
    answer = api.get(f"/v1/sellers/{seller}/sales", params=asked).raise_for_status().json()

    for part in (answer, answer["previous"]):
        bounds = (datetime.fromisoformat(part["period"][name]) for name in ("from", "to"))
        between = (seller, *bounds)
        assert said(part["totals"]) == sums(history, *between)
        for bucket in part["series"]:
            of = (seller, datetime.fromisoformat(bucket["start"]), datetime.fromisoformat(bucket["end"]))
            expected = sums(history, *of)
            assert {name: bucket[name] for name in (*SOLD, "cancelled_orders", "cancelled_gross_minor")} == {
                name: expected[name] for name in (*SOLD, "cancelled_orders", "cancelled_gross_minor")
            }
    begins = {datetime.fromisoformat(bucket["start"]).astimezone(SHOP) for bucket in answer["series"][1:]}
    assert all(STEPS[grain](moment) == moment for moment in begins)


@pytest.mark.parametrize("seller", SELLERS)
def test_a_period_left_open_is_the_same_for_a_seller_who_was_just_seen(
    api: httpx.Client, history: Rows, seller: str
) -> None:
    last = max(minute for who, minute, _ in history if who == seller)
    answers = [api.get(f"/v1/sellers/{seller}/sales").raise_for_status().json() for _ in range(3)]

    after = datetime.fromisoformat(answers[0]["period"]["to"])
    assert after - timedelta(days=1, hours=1) <= last < after
    for answer in answers:
        assert {**answer, "as_of": None} == {**answers[0], "as_of": None}


@pytest.mark.parametrize(
    "newest",
    [
        "2018-11-04 03:30:00",  # the day that began at one o'clock
        "2018-12-03 15:00:00",  # the first day of the period
        "2019-01-02 15:00:00",  # the first day of the previous period
        "2019-02-17 02:30:00",  # the repeated hour
        "2019-03-18 15:00:00",
    ],
)
def test_a_period_left_open_is_as_if_its_days_were_asked_for(
    api: httpx.Client, shop: Settings, newest: str
) -> None:
    seller, last = f"open-{newest[:10]}", datetime.fromisoformat(newest)
    minutes = [last - timedelta(minutes=ago) for ago in range(0, 70 * 1440, 190)]
    figures = [1 for _ in FIGURES]
    rows = [[seller, f"{minute:%F %T}", "BRL", *figures] for minute in minutes]
    insert(shop, "seller_sales_minute", rows)

    for grain in ({}, *({"grain": name} for name in STEPS)):
        left_open = api.get(f"/v1/sellers/{seller}/sales", params=grain).raise_for_status().json()
        asked = {**left_open["period"], **grain}
        same = api.get(f"/v1/sellers/{seller}/sales", params=asked).raise_for_status().json()

        assert left_open["totals"]["orders"] > 200
        assert {**left_open, "as_of": None} == {**same, "as_of": None}


@pytest.mark.parametrize("newest", ["2018-02-10 12:00:00", "2018-02-18 12:00:00", "2018-05-01 12:00:00"])
def test_whose_last_sale_was_on_another_day_than_others_is_not_taken_for_one_of_them(
    api: httpx.Client, add: Add, newest: str
) -> None:
    assert api.get("/v1/sellers/ana/sales").json()["period"]["to"] == "2018-02-19T00:00:00-03:00"
    seller = f"late-{newest[:10]}"  # not requested before
    add("seller_sales_minute", [seller, newest, "BRL", *[1 for _ in FIGURES]])

    for _ in range(2):
        answer = api.get(f"/v1/sellers/{seller}/sales").raise_for_status().json()
        last_day = datetime.fromisoformat(answer["period"]["to"]) - timedelta(days=1)
        assert last_day.date().isoformat() == newest[:10]
        assert answer["totals"]["orders"] == 1


@pytest.mark.parametrize(
    "asked", [{}, {"to": "2018-03-01"}, {"from": "2018-02-01"}, {"from": "2018-02-01", "to": "2018-03-01"}]
)
def test_nobody_has_no_sales_though_others_were_asked_for(api: httpx.Client, asked: dict[str, str]) -> None:
    assert api.get("/v1/sellers/ana/sales", params=asked).status_code == 200
    assert api.get("/v1/sellers/nobody/sales", params=asked).status_code == 404


@pytest.mark.parametrize("currency", ["BRL", "EUR"])
@pytest.mark.parametrize("sold", [1, 0], ids=["sold", "cancelled"])
def test_a_period_left_open_follows_a_newer_sale(
    api: httpx.Client, add: Add, sold: int, currency: str
) -> None:
    before = api.get("/v1/sellers/ana/sales").json()
    figures = [*(sold for _ in SOLD), *(1 - sold for _ in CANCELLED)]
    add("seller_sales_minute", ["ana", "2018-03-05 12:00:00", currency, *figures])
    moved = api.get("/v1/sellers/ana/sales").json()

    assert before["period"]["to"] == "2018-02-19T00:00:00-03:00"
    assert moved["period"]["to"] == "2018-03-06T00:00:00-03:00"
    assert moved["series"][-1]["orders"] == (sold if currency == "BRL" else 0)
