"""Recognises the signals of events in plain Python, as the rules describe them: slow, and without Flink."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from jobs.signals.rules import RULES
from tests.integration.bounded import Events, Row

Signal = tuple[str, str, str, datetime]
"""Kind, seller, subject, and when it was raised."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOW = timedelta(hours=RULES.window_hours)


def expected_signals(events: Events, lead_days: int) -> set[Signal]:
    """Return every signal of events by topic; copies of an event are allowed."""
    by_topic = {
        topic: list({event["event_id"]: event for event in arrived}.values())
        for topic, arrived in events.items()
    }
    return {
        *_payment_failures(by_topic),
        *_review_floods(by_topic.get("review_published", [])),
        *_windows(by_topic),
        *_stock_ends(by_topic, lead_days),
    }


def moment(event: Row) -> datetime:
    """Return when an event occurred."""
    return datetime.fromisoformat(event["occurred_at"])


def _sellers(event: Row) -> set[str]:
    return {line["seller_id"] for line in event["lines"]}


def _payment_failures(events: Mapping[str, list[Row]]) -> Iterator[Signal]:
    first: dict[tuple[str, str, str, bool], datetime] = {}
    outcomes = [
        (("", event["method"], event["payment_id"], topic == "payment_failed"), moment(event))
        for topic in ("payment_failed", "payment_captured")
        for event in events.get(topic, [])
    ]
    for topic in ("order_cancelled", "order_confirmed"):
        for event in events.get(topic, []):
            if topic == "order_confirmed" or event["reason"] == "payment_failed":
                outcomes += [
                    ((seller, seller, event["order_id"], topic == "order_cancelled"), moment(event))
                    for seller in _sellers(event)
                ]
    for key, at in outcomes:
        first[key] = min(at, first.get(key, at))
    by_subject: dict[tuple[str, str], list[tuple[datetime, bool]]] = defaultdict(list)
    for (seller, subject, _, failed), at in first.items():
        by_subject[seller, subject].append((at, failed))
    for (seller, subject), rows in by_subject.items():
        run: list[datetime] = []
        raised: set[datetime] = set()
        for at, failed in sorted(rows):
            run = [*run, at] if failed else []
            is_long = len(run) >= RULES.failures
            if is_long and at - run[-RULES.failures] < timedelta(hours=RULES.failure_hours):
                hour = _start(at, HOUR)
                if hour not in raised:
                    yield "payment_failures", seller, subject, at
                raised.add(hour)


def _review_floods(reviews: Iterable[Row]) -> Iterator[Signal]:
    limits = {"review_flood": (RULES.reviews, 5), "low_review_flood": (RULES.low_reviews, RULES.low_score)}
    for kind, (count, highest) in limits.items():
        by_subject: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        for event in reviews:
            subject = event["product_id"] or event["seller_id"]
            if subject and event["score"] <= highest:
                by_subject[event["seller_id"] or "", subject].append(moment(event))
        for (seller, subject), times in by_subject.items():
            is_quiet, ordered = True, sorted(times)
            for place, at in enumerate(ordered):
                took = at - ordered[place - count + 1] if place >= count - 1 else None
                if took is None or took > 2 * RULES.review_hours * HOUR:
                    is_quiet = True
                elif took <= RULES.review_hours * HOUR:
                    if is_quiet:
                        yield kind, seller, subject, at
                    is_quiet = False


def _windows(events: Mapping[str, list[Row]]) -> Iterator[Signal]:
    products: dict[tuple[str, datetime, str], set[str]] = defaultdict(set)
    for event in events.get("product_viewed", []):
        products[event["seller_id"], _start(moment(event), WINDOW), event["session_id"]].add(
            event["product_id"]
        )
    figures: dict[str, dict[datetime, dict[str, set[str]]]] = defaultdict(dict)

    def add(seller: str, start: datetime, figure: str, each: str) -> None:
        figures[seller].setdefault(start, defaultdict(set))[figure].add(each)

    for (seller, start, session), viewed in products.items():
        if len(viewed) <= RULES.robot_products:
            add(seller, start, "sessions", session)
    for topic, figure in (("order_confirmed", "orders"), ("order_cancelled", "cancellations")):
        for event in events.get(topic, []):
            if topic == "order_confirmed" or event["confirmed_at"]:
                for seller in _sellers(event):
                    add(seller, _start(moment(event), WINDOW), figure, event["order_id"])
    for seller, by_start in figures.items():
        for kind, is_raised in (("conversion_fall", _has_fallen), ("cancellation_wave", _is_wave)):
            starts, place = sorted(by_start), RULES.windows_before
            while place < len(starts):
                before = starts[place - RULES.windows_before : place]
                is_recent = starts[place] - before[0] < RULES.compared_days * DAY
                if is_recent and is_raised([by_start[each] for each in before], by_start[starts[place]]):
                    yield kind, seller, seller, starts[place] + WINDOW
                    place += RULES.windows_before
                place += 1


def _has_fallen(before: list[dict[str, set[str]]], now: dict[str, set[str]]) -> bool:
    sessions, orders = (sum(len(each.get(name, ())) for each in before) for name in ("sessions", "orders"))
    if not sessions:
        return False
    expected = orders * len(now.get("sessions", ())) / sessions
    return expected >= RULES.expected_orders and expected >= RULES.fall_factor * len(now.get("orders", ()))


def _is_wave(before: list[dict[str, set[str]]], now: dict[str, set[str]]) -> bool:
    average = sum(len(each.get("cancellations", ())) for each in before) / len(before)
    count = len(now.get("cancellations", ()))
    return count >= RULES.cancellations and count >= RULES.wave_factor * average


def _stock_ends(events: Mapping[str, list[Row]], lead_days: int) -> Iterator[Signal]:
    hours: dict[tuple[str, str], dict[datetime, dict[str, Any]]] = defaultdict(dict)

    def hour(seller: str, product: str, at: datetime) -> dict[str, Any]:
        end = _start(at, HOUR) + HOUR
        return hours[seller, product].setdefault(end, {"units": 0, "stock": (-1, 0)})

    for event in events.get("stock_changed", []):
        row = hour(event["seller_id"], event["product_id"], moment(event))
        available = max(event["on_hand"] - event["reserved"], 0)
        row["stock"] = max(row["stock"], (event["version"], available))
    for topic, sign in (("order_confirmed", 1), ("order_cancelled", -1)):
        for event in events.get(topic, []):
            if sign == 1 or event["confirmed_at"]:
                for line in event["lines"]:
                    row = hour(line["seller_id"], line["product_id"], moment(event))
                    row["units"] += sign * line["quantity"]
    for (seller, product), by_end in hours.items():
        was_safe = False
        for end in sorted(by_end):
            recent = [row for each, row in by_end.items() if end - RULES.pace_days * DAY <= each <= end]
            units = sum(row["units"] for row in recent)
            version, available = max(row["stock"] for row in recent)
            if version < 0:
                continue
            lasts, needed = available * RULES.pace_days, units * lead_days
            if units >= RULES.units_sold and lasts < needed:
                if was_safe:
                    yield "stock_end", seller, product, end
                was_safe = False
            elif 100 * lasts >= RULES.safe_percent * needed:
                was_safe = True


def _start(at: datetime, length: timedelta) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (at - midnight) // length * length
