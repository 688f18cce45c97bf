"""Makes figures of the health of recommendations from sums in ClickHouse. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from recommenders.list_quality import (
    RankedSums,
    catalogue_coverage,
    gini,
    popularity_lift,
    shares,
    total_variation,
)
from serving.kit.clickhouse import Row
from serving.recommendations.health import schemas

WHOLE_PERIOD = ""
"""The day of the rows that are about the whole period."""

LIST_SUMS = ("lists", "clicked", "compared", "diversity", "visitors", "dominance")
NO_LISTS: Row = dict.fromkeys(LIST_SUMS, 0)
NO_ANSWERS: Row = {
    "answers": 0,
    "clicked": 0,
    "timed": 0,
    "empty_lists": 0,
    "personal": 0,
    "popular_only": 0,
    "lacking": {},
}
NO_PRODUCTS: Row = {"products": 0, "exposure": 0, "ranked": 0, "weighted_visits": 0}


class DailyRows(NamedTuple):
    """The rows of the three daily queries, by day; `WHOLE_PERIOD` has those of the period."""

    answers: Mapping[str, Row]
    lists: Mapping[str, Row]
    products: Mapping[str, Row]


def by_day(rows: Sequence[Row]) -> Mapping[str, Row]:
    """Return the rows by their day."""
    return {row["day"]: row for row in rows}


def with_sums(lists: Sequence[Row]) -> Mapping[str, Row]:
    """Return the rows about lists by day, and their sums as those of the whole period."""
    summed = {name: sum(float(row[name]) for row in lists) for name in LIST_SUMS}
    return {**by_day(lists), WHOLE_PERIOD: summed}


def catalogue(row: Row | None) -> schemas.Catalogue:
    """Return the figures of the catalogue."""
    products, visits = (int(row["products"]), int(row["visits"] or 0)) if row else (0, 0)
    return {"products": products, "popularity": visits / products if products else None}


def figures(rows: DailyRows, day: str, offered: schemas.Catalogue) -> schemas.HealthFigures:
    """Return the figures of a day, or of `WHOLE_PERIOD`."""
    return {
        "answered": _answered(rows.answers.get(day, NO_ANSWERS)),
        "seen": seen_lists(rows.lists.get(day, NO_LISTS)),
        "shown": shown_products(rows.products.get(day, NO_PRODUCTS), offered),
    }


def _answered(row: Row) -> schemas.AnswerFigures:
    answers = int(row["answers"])
    p50, p99 = row["times_ms"] if int(row["timed"]) else (None, None)
    counts = sorted(
        ((reason, int(count)) for reason, count in row["lacking"].items()), key=lambda one: -one[1]
    )
    return {
        "answers": answers,
        "clicked": int(row["clicked"]),
        "clicked_share": ratio(row["clicked"], answers),
        "p50_ms": p50,
        "p99_ms": p99,
        "empty_share": ratio(row["empty_lists"], answers),
        "popular_only_share": ratio(row["popular_only"], row["personal"]),
        "lacking": [
            {"reason": reason, "answers": count, "share": count / answers} for reason, count in counts
        ],
    }


def seen_lists(row: Row) -> schemas.ListFigures:
    """Return the figures of lists that came into view."""
    return {
        "lists": int(row["lists"]),
        "clicked": int(row["clicked"]),
        "click_rate": ratio(row["clicked"], row["lists"]),
        "diversity": ratio(row["diversity"], row["compared"]),
        "largest_category": ratio(row["dominance"], row["visitors"]),
    }


def shown_products(row: Row, offered: schemas.Catalogue) -> schemas.ProductFigures:
    """Return the figures of the products in these lists."""
    products, exposure = int(row["products"]), float(row["exposure"])
    popularity = ratio(row["weighted_visits"], exposure)
    known = popularity is not None and offered["popularity"] is not None
    return {
        "products": products,
        "coverage": catalogue_coverage(products, offered["products"]) if products else None,
        "gini": gini(RankedSums(products, exposure, float(row["ranked"])), offered["products"]),
        "popularity": popularity,
        "popularity_lift": popularity_lift(popularity or 0.0, offered["popularity"] or 0.0)
        if known
        else None,
    }


def groups(
    rows: Sequence[Row], dimension: schemas.Dimension, top: int, names: Mapping[str, str | None]
) -> schemas.Groups:
    """Return the groups of a dimension. `names` has those of sellers."""
    own = [row for row in rows if row["dimension"] == dimension]
    exposure = {row["value"]: float(row["exposure"]) for row in own}
    offers = {row["value"]: float(row["offers"]) for row in own}
    exposed, offered = shares(exposure), shares(offers)
    values = [
        _group(
            row["value"], names.get(row["value"]), exposed[row["value"]], offered[row["value"]],
            (int(row["lowest_minor"]), int(row["highest_minor"])) if int(row["offers"]) else (None, None),
        )
        for row in own
    ]  # fmt: skip
    others = values[top:]
    return {
        "dimension": dimension,
        "count": len(values),
        "distance": total_variation(exposure, offers),
        "gini": gini(RankedSums.of(exposure.values()), len(values)),
        "values": values[:top],
        "rest": _group(
            "", None, sum(one["exposure_share"] for one in others),
            sum(one["catalogue_share"] for one in others), (None, None),
        ) if others else None,
    }  # fmt: skip


def _group(
    value: str,
    name: str | None,
    exposed: float,
    offered: float,
    prices: tuple[int, int] | tuple[None, None],
) -> schemas.GroupShare:
    return {
        "value": value,
        "name": name,
        "exposure_share": exposed,
        "catalogue_share": offered,
        "ratio": ratio(exposed, offered),
        "lowest_minor": prices[0],
        "highest_minor": prices[1],
    }


def ratio(part: float | str, whole: float | str) -> float | None:
    """Return part / whole, each as a number or as ClickHouse's text of one; None if the whole is 0."""
    return float(part) / float(whole) if float(whole) else None
