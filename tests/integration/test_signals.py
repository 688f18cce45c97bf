"""The signals of job `signals` in a real Flink: one run over all patterns, out of order and with copies."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import get_args

import pytest

from clickhouse.client import connect
from common.clock import to_millis
from common.settings import Settings
from common.signals import SignalKind
from jobs.engine import statement_set, table_environment
from jobs.signals.logic import EVENTS, LATENESS_S, plan
from jobs.signals.rules import RULES
from tests.integration.bounded import Events, Row, run_bounded
from tests.integration.metric_tables import emptied
from tests.integration.signal_reference import expected_signals
from tests.integration.test_metrics import at, line

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WINDOW = timedelta(hours=RULES.window_hours)
SESSIONS, ORDERS = 20, 15
"""Sessions and orders of an ordinary window: 15 orders are more than the 12 that a fall takes."""

HISTORY_DAYS = 36_500
"""The events of the tests are older than the events that signals are about."""

DRAWN = ("drawn-a", "drawn-b", "drawn-c")
"""The sellers of the random history; its method of payment is cash."""
WEIGHTS = (40, 30, 2, 3, 5, 2, 8)

Stream = Iterator[tuple[str, datetime, Row]]
"""Events: topic, time and fields."""


def captured(payment: str, method: str, moment: datetime) -> tuple[str, datetime, Row]:
    fields = {"payment_id": payment, "order_id": payment, "method": method, "installments": 1}
    return "payment_captured", moment, {**fields, "shopper_id": "s", "currency": "BRL", "amount_minor": 100}


def failed(payment: str, method: str, moment: datetime, attempt: int = 1) -> tuple[str, datetime, Row]:
    fields = {"payment_id": payment, "order_id": payment, "method": method, "attempt": attempt}
    money = {"shopper_id": "s", "currency": "BRL", "amount_minor": 100}
    return "payment_failed", moment, {**fields, **money, "final": True, "reason": "declined"}


def failures(name: str, method: str, start: datetime, count: int, pause: timedelta = MINUTE) -> Stream:
    for number in range(count):
        yield failed(f"{name}-{number}", method, start + number * pause)


def confirmed(order: str, moment: datetime, *lines: Row) -> tuple[str, datetime, Row]:
    fields = {"order_id": order, "shopper_id": "s", "placed_at": at(moment), "currency": "BRL"}
    return "order_confirmed", moment, {**fields, "lines": list(lines)}


def cancelled(
    order: str, moment: datetime, *lines: Row, reason: str = "shopper_request", paid: bool = True
) -> tuple[str, datetime, Row]:
    fields = {"order_id": order, "shopper_id": "s", "reason": reason, "placed_at": at(moment)}
    was = {"currency": "BRL", "confirmed_at": at(moment) if paid else None}
    return "order_cancelled", moment, {**fields, **was, "lines": list(lines)}


def review(
    review: str, moment: datetime, product: str | None, seller: str, score: int = 5
) -> tuple[str, datetime, Row]:
    about = {"product_id": product, "seller_id": seller, "score": score}
    return "review_published", moment, {"review_id": review, "order_id": "o", "shopper_id": "s", **about}


def reviews(
    name: str, start: datetime, count: int, pause: timedelta, product: str | None = "lamp", score: int = 5
) -> Stream:
    for number in range(count):
        yield review(f"{name}-{number}", start + number * pause, product, f"seller-{name}", score)


def viewed(session: str, seller: str, moment: datetime, product: str) -> tuple[str, datetime, Row]:
    fields = {"session_id": session, "shopper_id": None, "product_id": product, "seller_id": seller}
    origin = {"source": "direct", "search_id": None, "recommendation_id": None}
    return "product_viewed", moment, {**fields, **origin}


def window(seller: str, number: int, sessions: int, orders: int, products: int = 1) -> Stream:
    start = MIDNIGHT + number * WINDOW
    for visitor in range(sessions):
        session, began = f"{seller}-{number}-{visitor}", start + visitor * MINUTE
        for product in range(products):
            yield viewed(session, seller, began + timedelta(seconds=product), f"p{product}")
    for order in range(orders):
        yield confirmed(f"{seller}-{number}-{order}", start + order * MINUTE, line(1, "lamp", seller))


def usual_day(seller: str, sessions: int = SESSIONS, orders: int = ORDERS) -> Stream:
    for number in range(RULES.windows_before):
        yield from window(seller, number, sessions, orders)


def cancellations(seller: str, number: int, count: int, *, paid: bool = True) -> Stream:
    for order in range(count):
        moment = MIDNIGHT + number * WINDOW + order * MINUTE
        yield cancelled(f"{seller}-{number}-{order}", moment, line(1, "lamp", seller), paid=paid)


def stock(seller: str, version: int, moment: datetime, available: int) -> tuple[str, datetime, Row]:
    fields = {"product_id": "lamp", "seller_id": seller, "change": 0, "on_hand": available + 3, "reserved": 3}
    return "stock_changed", moment, {**fields, "reason": "unknown", "order_id": None, "version": version}


def selling(seller: str, first: int, units: int, restocked_after: int | None = None) -> Stream:
    """A stock of `first` units, of which one is sold each hour."""
    left = first
    yield stock(seller, 1, MIDNIGHT, left)
    for unit in range(1, units + 1):
        moment = MIDNIGHT + unit * HOUR
        left += 50 if unit == restocked_after else -1
        yield stock(seller, unit + 1, moment, left)
        yield confirmed(f"{seller}-{unit}", moment, line(1, "lamp", seller))


def history() -> Stream:
    """What each test of this module is about; each has sellers or methods of its own."""
    morning, evening = MIDNIGHT + 9 * HOUR, MIDNIGHT + 20 * HOUR
    yield captured("p", "pix", morning - MINUTE)
    yield from failures("pix", "pix", morning, 8)
    yield from failures("b", "boleto", morning, 4)
    yield captured("b", "boleto", morning + 4 * MINUTE)
    yield from failures("b2", "boleto", morning + 5 * MINUTE, 4)
    for attempt in range(9):
        yield failed("c", "credit_card", morning + attempt * MINUTE, attempt)
    yield from failures("v", "voucher", morning, 5, pause=7 * HOUR)
    yield from failures("d", "debit_card", morning, 5)
    yield captured("d", "debit_card", evening - MINUTE)
    yield from failures("d2", "debit_card", evening, 5)

    for number in range(5):
        moment = morning + number * MINUTE
        for seller, lines in {"unpaid": 1, "twice": 2}.items():
            if seller == "unpaid" or number < 3:
                parts = [line(part, "lamp", seller) for part in range(1, lines + 1)]
                reason = "payment_failed"
                yield cancelled(f"{seller}-{number}", moment, *parts, reason=reason, paid=False)
        if number != 2:
            lost = line(1, "lamp", "mixed")
            yield cancelled(f"mixed-{number}", moment, lost, reason="payment_failed", paid=False)
    yield confirmed("mixed-paid", morning + 2 * MINUTE, line(1, "lamp", "mixed"))

    yield from reviews("flood", morning, 25, 5 * MINUTE)
    yield from reviews("few", morning, 9, MINUTE)
    yield from reviews("steady", morning, 20, 20 * MINUTE)
    yield from reviews("bad", morning, 5, 10 * MINUTE, score=2)
    yield from reviews("shop", morning, 10, MINUTE, product=None)
    yield from reviews("again", morning, 10, MINUTE)
    yield from reviews("again2", evening, 10, MINUTE, product="rug")
    yield from reviews("at-once", morning, 10, timedelta())

    after = RULES.windows_before
    yield from usual_day("fallen")
    yield from window("fallen", after, SESSIONS, 1)
    yield from usual_day("quiet")
    yield from window("quiet", after, 2, 0, products=RULES.robot_products)
    yield from usual_day("crawled")
    yield from window("crawled", after, SESSIONS, 0, products=RULES.robot_products + 1)
    yield from usual_day("slower")
    yield from window("slower", after, SESSIONS, 4)

    for seller in ("wave", "few-lost", "unsold"):
        yield from usual_day(seller, sessions=0, orders=1)
    yield from cancellations("wave", after, 6)
    yield from cancellations("few-lost", after, 5)
    yield from cancellations("unsold", after, 6, paid=False)
    for number in range(after):
        yield from cancellations("always", number, 3)
    yield from cancellations("always", after, 10)
    yield from usual_day("young", sessions=0, orders=0)
    yield from cancellations("young", after, 6)

    yield from selling("ending", 20, 14)
    yield from selling("lasting", 20, 8)
    yield from selling("restocked", 20, 14, restocked_after=10)
    yield from selling("tiny", 3, 3)


def drawn_history(seed: int) -> Stream:
    """Random events of a few sellers, with bursts, so dense that every kind of signals is raised."""
    draw, moment = random.Random(seed), MIDNIGHT
    versions, left = dict.fromkeys(DRAWN, 1), dict.fromkeys(DRAWN, 25)
    for number in range(1500):
        moment += timedelta(seconds=60 + draw.expovariate(1 / 180))  # further apart than copies arrive
        seller, name = draw.choice(DRAWN), f"drawn-{number}"
        lines = [line(part, "lamp", draw.choice((seller, *DRAWN))) for part in range(1, draw.randint(2, 3))]
        burst = [(f"{name}-{each}", moment + each * MINUTE) for each in range(draw.choice((1, 1, 1, 1, 11)))]
        what = draw.choices(("view", "order", "cancel", "unpaid", "review", "paid", "failed"), WEIGHTS)[0]
        if what == "view":
            session = f"session-{draw.randrange(200)}"
            for _, at_burst in burst:
                yield viewed(session, seller, at_burst, f"p{draw.randrange(40)}")
        elif what == "order" and not (seller == DRAWN[0] and number > 1000):
            yield confirmed(name, moment, *lines)
            for sold in {each["seller_id"] for each in lines}:
                versions[sold] += 1
                left[sold] = 60 if left[sold] <= 0 else left[sold] - 1
                yield stock(sold, versions[sold], moment, left[sold])
        elif what == "cancel":
            for order, at_burst in burst:
                yield cancelled(order, at_burst, *lines)
        elif what == "unpaid":
            yield cancelled(name, moment, *lines, reason="payment_failed", paid=False)
        elif what == "review":
            product, score = draw.choice(("lamp", None)), draw.choice((0, 3))
            for each, at_burst in burst:
                yield review(each, at_burst, product, seller, score + draw.randint(1, 2))
        elif what == "paid":
            yield captured(name, "cash", moment)
        elif what == "failed":
            yield failed(f"drawn-{number - draw.randrange(3)}", "cash", moment)


def arriving(stream: Iterable[tuple[str, datetime, Row]]) -> Events:
    """Return the events by topic, each twice, out of order by less than the watermark waits."""
    draw, found = random.Random(1), []
    for number, (topic, moment, fields) in enumerate(stream):
        event = {"event_id": f"e{number}", "occurred_at": at(moment), **fields}
        for _ in range(2):
            delay = timedelta(seconds=draw.uniform(0, LATENESS_S - 1))
            found.append((moment + delay, len(found), topic, event))
    events: Events = {}
    for _, _, topic, event in sorted(found, key=lambda each: each[:2]):
        events.setdefault(topic, []).append(event)
    return events


@pytest.fixture(scope="module")
def arrived() -> Events:
    """All events, in the order in which they arrive."""
    return arriving([*history(), *drawn_history(seed=9)])


@pytest.fixture(scope="module")
def all_signals(
    jvm: None,  # noqa: ARG001 (Flink's)
    arrived: Events,
    migrated_database: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Row]:
    """All signals that the events raise. They are also written to ClickHouse."""
    emptied(migrated_database)
    real = plan(migrated_database, replace(RULES, news_days=HISTORY_DAYS))
    stored = replace(real.outputs[0], table="stored")
    changes = run_bounded(real, EVENTS, arrived, tmp_path_factory.mktemp("signals"), [stored])
    assert {change["op"] for change in changes["signals"]} == {"c"}, "a signal is never taken back"
    return [change["after"] for change in changes["signals"]]


@pytest.fixture(scope="module")
def signals(all_signals: list[Row]) -> list[Row]:
    """The signals that `history` raises."""
    return [row for row in all_signals if row["seller_id"] not in DRAWN and row["subject_id"] != "cash"]


def of(signals: list[Row], *kinds: SignalKind) -> list[tuple[str, str, str]]:
    """Return the sellers and subjects of the signals of some kinds, and the hour and minute of each."""
    return sorted(
        (row["seller_id"], row["subject_id"], row["last_at"][11:16])
        for row in signals
        if row["kind"] in kinds
    )


def figures(signals: list[Row], kind: SignalKind, seller: str) -> dict[str, int]:
    (found,) = (row["figures"] for row in signals if (row["kind"], row["seller_id"]) == (kind, seller))
    return dict(found)


def test_payments_that_fail_in_a_row_are_one_signal_of_method_or_seller(signals: list[Row]) -> None:
    assert of(signals, "payment_failures") == [
        ("", "debit_card", "09:04"),
        ("", "debit_card", "20:04"),
        ("", "pix", "09:04"),
        ("unpaid", "unpaid", "09:04"),
    ]


def test_reviews_that_flood_are_one_signal_and_low_scores_one_of_their_own(signals: list[Row]) -> None:
    assert of(signals, "review_flood") == [
        ("seller-again", "lamp", "09:09"),
        ("seller-again2", "rug", "20:09"),
        ("seller-at-once", "lamp", "09:00"),
        ("seller-flood", "lamp", "09:45"),
        ("seller-shop", "seller-shop", "09:09"),
    ]
    assert of(signals, "low_review_flood") == [("seller-bad", "lamp", "09:40")]


def test_orders_that_stop_while_sessions_go_on_are_a_signal(signals: list[Row]) -> None:
    assert of(signals, "conversion_fall") == [("fallen", "fallen", "06:00")]
    assert figures(signals, "conversion_fall", "fallen") == {
        "sessions": SESSIONS,
        "orders": 1,
        "sessions_before": RULES.windows_before * SESSIONS,
        "orders_before": RULES.windows_before * ORDERS,
    }


def test_far_more_cancellations_than_before_are_a_signal(signals: list[Row]) -> None:
    assert of(signals, "cancellation_wave") == [("wave", "wave", "06:00")]
    assert figures(signals, "cancellation_wave", "wave") == {"cancellations": 6, "cancellations_before": 0}


def test_a_stock_that_ends_before_a_delivery_could_come_is_a_signal(signals: list[Row]) -> None:
    """Of 20 units, 11 are sold: the 9 left last for less than the 7 days of a delivery at this pace."""
    assert of(signals, "stock_end") == [("ending", "lamp", "12:00")]
    expected = {"available": 9, "units_sold": 11, "pace_days": RULES.pace_days, "lead_days": 7}
    assert figures(signals, "stock_end", "ending") == expected


def test_the_signals_are_those_of_a_plain_recomputation(all_signals: list[Row], arrived: Events) -> None:
    found = [
        (row["kind"], row["seller_id"], row["subject_id"], datetime.fromisoformat(row["last_at"]))
        for row in all_signals
    ]
    expected = expected_signals(arrived, Settings().restock_lead_days)

    assert sorted(found) == sorted(expected)
    drawn = {kind for kind, seller, subject, _ in expected if seller in DRAWN or subject == "cash"}
    assert drawn == set(get_args(SignalKind)), "the random history raises every kind"


def test_clickhouse_has_them(all_signals: list[Row], migrated_database: Settings) -> None:
    columns = ("signal_id", "kind", "seller_id", "subject_kind", "subject_id", "figures", "sentence")
    with connect(migrated_database, admin=True) as client:
        found = client.query(
            f"SELECT {', '.join(columns)}, toUnixTimestamp64Milli(last_at) FROM signals FINAL "
            "ORDER BY signal_id"
        ).result_rows

    expected = sorted(all_signals, key=lambda row: row["signal_id"])
    assert [row[:-1] for row in found] == [tuple(row[name] for name in columns) for row in expected]
    assert [row[-1] for row in found] == [
        to_millis(datetime.fromisoformat(row["last_at"])) for row in expected
    ]


def test_an_id_depends_on_the_subject_and_the_hour_only(signals: list[Row]) -> None:
    for row in signals:
        hour = row["last_at"][:13].replace("T", " ")
        named = (row["kind"], row["seller_id"], row["subject_kind"], row["subject_id"], hour)
        assert row["signal_id"] == sha256("|".join(named).encode()).hexdigest()[:32]
    assert len({row["signal_id"] for row in signals}) == len(signals)


def test_every_signal_says_what_happened(signals: list[Row]) -> None:
    said = {row["kind"]: row["sentence"] for row in signals}

    assert said["low_review_flood"] == "5 reviews with a score of at most 2 were published within 1 h."
    assert said["conversion_fall"] == (
        "Orders in 6 h: 1. 20 sessions would have made 15 at the rate of the 4 periods before."
    )
    assert said["cancellation_wave"] == "6 orders were cancelled in 6 h, after 0 in the 4 periods before."
    assert said["stock_end"] == (
        "Units left: 9. 11 were sold in 7 days, so they last 5 days; a delivery takes 7."
    )
    assert said["payment_failures"].endswith(" failed in a row.")


@pytest.mark.usefixtures("jvm")
def test_the_plan_reads_each_topic_once() -> None:
    real = plan(Settings())
    explained = statement_set(table_environment(real.config), real).explain()
    optimized = explained.partition("== Optimized Execution Plan ==")[2]

    assert optimized.count("TableSourceScan(") == len(EVENTS)
    assert "SinkMaterializer" not in optimized
