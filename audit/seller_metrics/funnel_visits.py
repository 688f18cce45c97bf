"""How far visits get, from the first view of an offer of a seller to a paid order."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from audit.seller_metrics.figures import SourceMonths

BREAK_MS = 30 * 60_000
"""A pause of this length ends a visit."""


class Event(NamedTuple):
    """An event of a session. `seller_id` is empty if it is about no seller."""

    at_ms: int
    kind: str
    seller_id: str
    order_id: str


def add(rows: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `funnel_visits`."""
    confirmed: set[str] = set()
    sessions: dict[str, list[Event]] = defaultdict(list)
    for row in rows:
        if row["kind"] == "confirmed":
            confirmed.add(row["order_id"])
        else:
            event = Event(row["at_ms"], row["kind"], row["seller_id"], row["order_id"])
            sessions[row["session_id"]].append(event)
    for events in sessions.values():
        for visit in visits_of(events):
            for seller_id in {each.seller_id for each in visit if each.kind == "view" and each.seller_id}:
                own = [each for each in visit if each.seller_id == seller_id]
                first_ms, steps = steps_of(own, confirmed)
                sums = months.at(seller_id, first_ms).sums
                for name, reached in steps.items():
                    sums[name] += reached


def visits_of(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Yield the visits of a session, each with its events in the order of time."""
    visit: list[Event] = []
    for event in sorted(events):
        if visit and event.at_ms - visit[-1].at_ms >= BREAK_MS:
            yield visit
            visit = []
        visit.append(event)
    if visit:
        yield visit


def steps_of(own: list[Event], confirmed: set[str]) -> tuple[int, dict[str, bool]]:
    """Return the time of a visit's first view of an offer of a seller, and whether it reached each step.

    `own` are the events of the visit that are about the seller; one of them is a view.
    """
    viewed_ms = min(each.at_ms for each in own if each.kind == "view")
    added = [each.at_ms for each in own if each.kind == "cart" and each.at_ms >= viewed_ms]
    orders = [each.order_id for each in own if each.kind == "order" and added and each.at_ms >= min(added)]
    return viewed_ms, {
        "viewed": True,
        "carted": bool(added),
        "ordered": bool(orders),
        "paid": any(order_id in confirmed for order_id in orders),
    }
