"""Service: how fast each seller's part of an order is fulfilled, cancelled orders, and reviews."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.reference.arithmetic import Value, minute, quantile_hours, ratio
from audit.reference.shop import Shop
from audit.reference.totals import Sheet

EVENTS = {
    "order_placed": ("order_id", "estimated_delivery_at", "lines"),
    "order_confirmed": ("order_id", "lines"),
    "order_shipped": ("order_id", "seller_id"),
    "order_delivered": ("order_id", "seller_id"),
    "order_cancelled": ("order_id", "reason", "lines"),
    "review_published": ("order_id", "review_id", "seller_id", "score", "submitted_at"),
    "review_rejected": ("order_id", "review_id", "submitted_at"),
    "review_withdrawn": ("order_id", "review_id", "submitted_at"),
}
NEWEST_REVIEWS = 20
"""The score of so many reviews is compared with that of as many before them."""

ENDED_BY_SELLER = ("seller_request", "out_of_stock")
"""The reasons of a cancellation for which the seller is responsible."""

Step = dict[str, Any]
Parcels = Mapping[tuple[str, str], Mapping[str, Step]]
"""(seller, order) → kind of a step → the step; of several steps of a kind, the last one."""


@dataclass(slots=True)
class Service:
    """What happened in a time to parcels, which are the parts of orders that one seller ships."""

    placed: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    cancelled_by_seller: set[str] = field(default_factory=set)
    shipped: int = 0
    delivered: int = 0
    delivered_with_promise: int = 0
    late: int = 0
    to_confirm_ms: list[int] = field(default_factory=list)
    to_ship_ms: list[int] = field(default_factory=list)
    to_deliver_ms: list[int] = field(default_factory=list)
    to_door_ms: list[int] = field(default_factory=list)
    scores: list[int] = field(default_factory=list)
    newest_scores: list[int] = field(default_factory=list)
    scores_before: list[int] = field(default_factory=list)


def collect(shop: Shop, sheet: Sheet[Service]) -> None:
    """Count each step of a parcel when it happens, and each published review when it was written."""
    for (seller_id, order_id), parcel in parcels(shop).items():
        at = {kind: step["occurred_at"] for kind, step in parcel.items()}
        if "placed" in at:
            sheet.at(seller_id, at["placed"]).placed.add(order_id)
        if "confirmed" in at and "placed" in at:
            sheet.at(seller_id, at["confirmed"]).to_confirm_ms.append(max(0, at["confirmed"] - at["placed"]))
        if "shipped" in at:
            service = sheet.at(seller_id, at["shipped"])
            service.shipped += 1
            if "confirmed" in at:
                service.to_ship_ms.append(max(0, at["shipped"] - at["confirmed"]))
        if "delivered" in at:
            service = sheet.at(seller_id, at["delivered"])
            service.delivered += 1
            if "shipped" in at:
                service.to_deliver_ms.append(max(0, at["delivered"] - at["shipped"]))
            if "placed" in at:
                service.to_door_ms.append(max(0, at["delivered"] - at["placed"]))
            promised_at = parcel.get("placed", {}).get("estimated_delivery_at")
            if promised_at is not None:
                service.delivered_with_promise += 1
                service.late += shop.day(at["delivered"]) > shop.day(promised_at)
        if "cancelled" in at:
            service = sheet.at(seller_id, at["cancelled"])
            service.cancelled.add(order_id)
            if parcel["cancelled"]["reason"] in ENDED_BY_SELLER:
                service.cancelled_by_seller.add(order_id)
    reviews = published_reviews(shop)
    for review in reviews:
        sheet.at(review["seller_id"], review["submitted_at"]).scores.append(review["score"])
    _compare_newest_reviews(reviews, sheet)


def published_reviews(shop: Shop) -> list[Step]:
    """Return the publications of the reviews of sellers that everybody may read.

    `submitted_at` says which version of a review was published, rejected or withdrawn. A version may be read
    if the last of these is its publication. Of a publication and another one of these in the same
    millisecond, the other one is the last.
    """
    last: dict[tuple[str, str, int], tuple[int, bool, Step]] = {}
    for kind in ("published", "rejected", "withdrawn"):
        for step in shop.events(f"review_{kind}"):
            if step["submitted_at"] is None:
                continue  # from before the field
            version = step["order_id"], step["review_id"], step["submitted_at"]
            found = step["occurred_at"], kind != "published", dict(step)
            if version not in last or found[:2] > last[version][:2]:
                last[version] = found
    return [step for _, ended, step in last.values() if not ended and step["seller_id"] is not None]


def _compare_newest_reviews(published: list[Step], sheet: Sheet[Service]) -> None:
    """Note the newest reviews at the end of each part of the time, and as many before them, if there are."""
    written: dict[str, list[tuple[int, str, str, int]]] = defaultdict(list)
    for review in published:
        place = minute(review["submitted_at"]), review["order_id"], review["review_id"]
        written[review["seller_id"]].append((*place, review["score"]))
    for seller_id, reviews in written.items():
        reviews.sort()
        moments, scores = [review[0] for review in reviews], [review[3] for review in reviews]
        for end_ms in sheet.ends(seller_id, moments[0]):
            number = bisect_left(moments, end_ms)
            if number >= 2 * NEWEST_REVIEWS:
                service = sheet.at(seller_id, end_ms - 1)
                service.newest_scores = scores[number - NEWEST_REVIEWS : number]
                service.scores_before = scores[number - 2 * NEWEST_REVIEWS : number - NEWEST_REVIEWS]


def parcels(shop: Shop) -> Parcels:
    """Return the parcels of all orders. Steps of an order are steps of each of its sellers' parcels."""
    found: dict[tuple[str, str], dict[str, Step]] = defaultdict(dict)
    for kind in ("placed", "confirmed", "shipped", "delivered", "cancelled"):
        for step in shop.events(f"order_{kind}"):
            sellers = (
                {line["seller_id"] for line in step["lines"]} if "lines" in step else [step["seller_id"]]
            )
            for seller_id in sellers:
                parcel = found[seller_id, step["order_id"]]
                if kind not in parcel or step["occurred_at"] > parcel[kind]["occurred_at"]:
                    parcel[kind] = dict(step)
    return found


FORMULAS: Mapping[str, Callable[[Service], Value]] = {
    "time_to_confirm_median": lambda service: quantile_hours(service.to_confirm_ms, 50),
    "time_to_confirm_p90": lambda service: quantile_hours(service.to_confirm_ms, 90),
    "time_to_ship_median": lambda service: quantile_hours(service.to_ship_ms, 50),
    "time_to_ship_p90": lambda service: quantile_hours(service.to_ship_ms, 90),
    "time_to_deliver_median": lambda service: quantile_hours(service.to_deliver_ms, 50),
    "time_to_deliver_p90": lambda service: quantile_hours(service.to_deliver_ms, 90),
    "time_to_door_median": lambda service: quantile_hours(service.to_door_ms, 50),
    "time_to_door_p90": lambda service: quantile_hours(service.to_door_ms, 90),
    "parcels_shipped": lambda service: service.shipped,
    "parcels_delivered": lambda service: service.delivered,
    "late_share": lambda service: ratio(service.late, service.delivered_with_promise),
    "order_cancellations": lambda service: len(service.cancelled),
    "seller_cancellation_rate": lambda service: ratio(len(service.cancelled_by_seller), len(service.placed)),
    "reviews": lambda service: len(service.scores),
    "review_score": lambda service: ratio(sum(service.scores), len(service.scores)),
    "review_score_trend": lambda service: ratio(
        sum(service.newest_scores) - sum(service.scores_before), len(service.newest_scores)
    ),
    "low_score_share": lambda service: ratio(
        sum(score <= 2 for score in service.scores), len(service.scores)
    ),
}
