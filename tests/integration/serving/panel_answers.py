"""For every panel on ClickHouse: what the API answers to the same question, or why it has no answer."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from clickhouse.metric_catalogue.definition import Metric, read_every_metric
from tests.integration.grafana_panels import Panel, Row, Selection, columns_of

METRICS = read_every_metric()
HALF_A_DIGIT: Mapping[str, float] = {
    "money": 0.5, "count": 0, "share": 0.5e-4, "number": 0.5e-4, "hours": 0.5e-4, "exact": 1e-9,
}  # fmt: skip
"""How far a panel's figure, which is not rounded, may be from the API's: money is in minor units."""

FACTS_OF_SALES = ("order_confirmed", "order_cancelled", "payment_refunded", "payment_captured")
"""The tables of facts from which sales are made."""

PER_UNIT = 100
"""Minor units of the shop's currency in its unit."""


@dataclass(frozen=True)
class Api:
    """The API with the period that is selected in Grafana."""

    http: httpx.Client
    selection: Selection
    zone: ZoneInfo

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the answer about the selected period."""
        bounds = {
            name: datetime.fromtimestamp(moment_s, UTC).isoformat()
            for name, moment_s in (("from", self.selection.start_s), ("to", self.selection.end_s))
        }
        return self.plain(path, **bounds, **parameters)

    def plain(self, path: str, **parameters: Any) -> Any:
        """Return the answer to a question without a period."""
        return self.http.get(path, params=parameters).raise_for_status().json()

    def metrics(self, of: str, metrics: Sequence[Metric], **parameters: Any) -> Any:
        """Return the answer about metrics of the catalogue."""
        first, *others = [metric.name for metric in metrics]
        together = {"with": ",".join(others)} if others else {}
        grain = self.selection.grain
        return self.get(f"/v1/{of}/analytics/{first}", compare="none", grain=grain, **together, **parameters)

    def health(self, **filters: str) -> Any:
        """Return the health of recommendations."""
        return self.get("/v1/admin/recommendations/health", **filters)


Comparison = Callable[[Api, list[Row]], None]
"""Asserts that the rows of a panel have the figures that the API answers."""


def same(shown: Any, answered: Any, unit: str = "exact") -> None:
    """Assert that a figure of a panel is the one of the API."""
    if shown is None or answered is None:
        assert shown is answered is None
        return
    scale = PER_UNIT if unit == "money" else 1
    assert abs(float(shown) * scale - answered) <= HALF_A_DIGIT[unit] + 1e-6, (shown, answered, unit)


def same_series(
    api: Api, rows: list[Row], series: list[Any], units: Mapping[str, str], values: Callable[..., Any]
) -> None:
    """Assert that the panel has each bucket of the API that is not empty, and no other.

    `values` returns column → figure of a bucket of the API, whose first one does not begin before the period.
    """
    start = datetime.fromtimestamp(api.selection.start_s, UTC)
    shown = {max(datetime.fromisoformat(row["time"]), start): row for row in rows}
    assert len(shown) == len(rows)
    for bucket in series:
        row = shown.pop(datetime.fromisoformat(bucket["start"]), None)
        for column, unit in units.items():
            answered = values(bucket)[column]
            if row:
                same(row[column], answered, unit)
            else:
                assert not answered, (bucket["start"], column)
    assert not shown, "the panel has buckets that the API does not have"


def metric_panel(panel: Panel) -> Comparison | None:
    """Return the comparison of a panel whose columns are metrics of the catalogue; None for other panels."""
    metrics = [METRICS[name] for name in METRICS if name in columns_of(panel)]
    if not metrics or len(metrics) != len(columns_of(panel)):
        return None
    of_marketplace = "seller_id" not in panel["targets"][0]["rawSql"].partition("WHERE")[2]
    units = {metric.name: metric.unit for metric in metrics}

    def compare(api: Api, rows: list[Row]) -> None:
        of = "marketplace" if of_marketplace else f"sellers/{api.selection.seller}"
        answered = api.metrics(of, metrics)
        if panel["type"] == "stat":
            (row,) = rows
            for total in answered["totals"]:
                same(row[total["name"]], total["value"], units[total["name"]])
        else:
            same_series(api, rows, answered["series"], units, lambda bucket: bucket["values"])

    return compare


def sales_series(path: str, columns: Mapping[str, tuple[str, Callable[[Any], Any]]]) -> Comparison:
    """Return the comparison with the series of a route of sales; `columns` has unit and figure by column."""
    units = {column: unit for column, (unit, _) in columns.items()}

    def compare(api: Api, rows: list[Row]) -> None:
        series = api.get(path.format(seller=api.selection.seller), grain=api.selection.grain)["series"]
        same_series(
            api, rows, series, units, lambda bucket: {name: of(bucket) for name, (_, of) in columns.items()}
        )

    return compare


def totals(api: Api, rows: list[Row]) -> None:
    (row,), answered = rows, api.get("/v1/marketplace/sales")
    now, change = answered["totals"], answered["change"]
    same(row["net_sales"], now["net_sales_minor"], "money")
    same(row["average_order"], now["average_order_minor"], "money")
    same(row["order_count"], now["orders"])
    same(row["unit_count"], now["units"])
    same(row["net_sales_change"], change["net_sales_minor"], "share")
    same(row["order_change"], change["orders"], "share")


def active_sellers(api: Api, rows: list[Row]) -> None:
    (row,), answered = rows, api.get("/v1/marketplace/sales")
    same(row["sellers"], answered["totals"]["active_sellers"])
    same(row["sellers_before"], answered["compared"]["totals"]["active_sellers"])


def paid(api: Api, rows: list[Row]) -> None:
    payments = api.get("/v1/marketplace/sales")["totals"]["payments"]
    same(sum(row["amount"] for row in rows), payments["amount_minor"], "money")
    assert len({row["method"] for row in rows}) > 1


def products(api: Api, rows: list[Row]) -> None:
    answered = api.metrics("marketplace", [METRICS["net_sales"], METRICS["units"]], by="product", top=20)
    assert [row["product_id"] for row in rows] == [part["value"] for part in answered["split"]]
    for row, part in zip(rows, answered["split"], strict=True):
        same(row["net_sales"], part["values"]["net_sales"], "money")
        same(row["unit_count"], part["values"]["units"])
        assert row["name"] == part["label"]


def sellers(api: Api, rows: list[Row]) -> None:
    answered = api.plain("/v1/sellers", limit=20)["sellers"]
    assert [row["seller_id"] for row in rows] == [seller["seller_id"] for seller in answered]
    for row, seller in zip(rows, answered, strict=True):
        same(row["net_sales"], seller["net_sales_minor"], "money")
        same(row["order_count"], seller["orders"])
        assert (row["name"], row["state"]) == (seller["name"], seller["state"])


def categories(api: Api, rows: list[Row]) -> None:
    answered = api.metrics("marketplace", [METRICS["net_sales"]], by="category", top=20)["split"]
    assert [row["category"] for row in rows] == [part["value"] or "no category" for part in answered]
    for row, part in zip(rows, answered, strict=True):
        same(row["net_sales"], part["values"]["net_sales"], "money")


def refunded(api: Api, rows: list[Row]) -> None:
    """Refunds of cancelled orders are not in the metric, which is about returned lines."""
    returned = [row for row in rows if row["reason"] == "order_returned"]
    series = api.metrics("marketplace", [METRICS["refunds"]])["series"]
    same_series(
        api, returned, series, {"amount": "money"}, lambda bucket: {"amount": bucket["values"]["refunds"]}
    )


def sold_out(api: Api, rows: list[Row]) -> None:
    answered = api.metrics("marketplace", [METRICS["units_in_stock"]], by="product", top=100)["split"]
    empty = {part["value"] for part in answered if part["values"]["units_in_stock"] <= 0}
    assert {row["product_id"] for row in rows} == empty
    assert empty


def sellers_products(api: Api, rows: list[Row]) -> None:
    answered = api.get(f"/v1/sellers/{api.selection.seller}/products/top", limit=20)["products"]
    assert [row["product"] for row in rows] == [product["product_id"] for product in answered]
    for row, product in zip(rows, answered, strict=True):
        same(row["net_sales"], product["net_sales_minor"], "money")
        same(row["units"], product["units"])


def lists_by(name: str) -> Comparison:
    """Return the comparison of the lists by `surface` or `strategy`."""

    def compare(api: Api, rows: list[Row]) -> None:
        assert len(rows) > 1
        for row in rows:
            seen = api.health(**{name: row[name]})["total"]["seen"]
            assert (int(row["shown"]), int(row["clicked"])) == (seen["lists"], seen["clicked"])
            same(row["click_share"], seen["click_rate"])
        assert sum(int(row["shown"]) for row in rows) == api.health()["total"]["seen"]["lists"]

    return compare


def lists_of_days(column: str, figure: str) -> Comparison:
    """Return the comparison of a figure of the lists by strategy and day."""

    def compare(api: Api, rows: list[Row]) -> None:
        by_strategy = defaultdict[str, list[Row]](list)
        for row in rows:
            by_strategy[row["strategy"]].append(row)
        assert len(by_strategy) > 1
        for strategy, own in by_strategy.items():
            same_days(api, own, api.health(strategy=strategy), column, ("seen", figure))

    return compare


def days_of(columns: Mapping[str, tuple[str, str]]) -> Comparison:
    """Return the comparison of figures of health by day; `columns` has group and figure by column."""

    def compare(api: Api, rows: list[Row]) -> None:
        for column, figure in columns.items():
            same_days(api, rows, api.health(), column, figure)

    return compare


def same_days(api: Api, rows: list[Row], health: Any, column: str, figure: tuple[str, str]) -> None:
    """Assert that a column has a figure of each day of the answer about health, named by group and name."""
    days = {day["day"]: day[figure[0]][figure[1]] for day in health["days"]}
    assert len(rows) > 1
    for row in rows:
        day = datetime.fromisoformat(row["time"]).astimezone(api.zone).date()
        same(row[column], days.pop(day.isoformat()))
    assert not any(days.values())


def coverage(api: Api, rows: list[Row]) -> None:
    (row,), health = rows, api.health(top="100")
    shown = health["total"]["shown"]
    same(row["shown_products"], shown["products"])
    same(row["offered_products"], health["catalogue"]["products"])
    same(row["shown_share"], shown["coverage"])
    (of_sellers,) = (group for group in health["groups"] if group["dimension"] == "seller")
    same(row["shown_sellers"], sum(group["exposure_share"] > 0 for group in of_sellers["values"]))
    assert shown["products"]


def fairness(api: Api, rows: list[Row]) -> None:
    (group,) = (each for each in api.health(top="20")["groups"] if each["dimension"] == "seller")
    assert [row["seller_id"] for row in rows] == [seller["value"] for seller in group["values"]]
    for row, seller in zip(rows, group["values"], strict=True):
        for name in ("exposure_share", "catalogue_share", "ratio"):
            same(row[name], seller[name])


def trainings(api: Api, rows: list[Row]) -> None:
    answered = api.plain("/v1/admin/recommendations/trainings")["trainings"]
    assert len(answered) == len(rows) > 1
    for row, training in zip(rows, answered, strict=True):
        assert datetime.fromisoformat(row["started_at"]) == datetime.fromisoformat(training["started_at"])
        named = (row["started_by"], row["ended_with"], row["model_version"])
        assert named == (training["trigger"], training["outcome"], training["version"] or "")
        same(row["events"], training["events"])
        same(row["duration_s"], training["duration_s"])
        same(row["peak_memory"], training["peak_memory_mb"] and training["peak_memory_mb"] * 1e6)


def arms(api: Api, rows: list[Row]) -> None:
    answered = api.plain(f"/v1/admin/experiments/{api.selection.experiment}")
    visitors = {arm["name"]: arm["visitors"] for arm in answered["arms"]}
    visitors |= {"in two arms": answered["visitors_in_two_arms"]}
    assert {row["arm_name"]: int(row["visitors"]) for row in rows} == visitors


def tables(api: Api, rows: list[Row]) -> None:
    """The API has the time of the facts of sales, and no sizes."""
    complete_to = {row["table_name"]: row["complete_to"] for row in rows}
    as_of = min(datetime.fromisoformat(complete_to[table]) for table in FACTS_OF_SALES)
    assert as_of == datetime.fromisoformat(api.get("/v1/marketplace/sales")["as_of"])


COMPARED: Mapping[str, Comparison] = {
    "marketplace: Totals": totals,
    "marketplace: Active sellers": active_sellers,
    "marketplace: Net sales": sales_series(
        "/v1/marketplace/sales", {"net_sales": ("money", lambda bucket: bucket["net_sales_minor"])}
    ),
    "marketplace: Orders and units": sales_series(
        "/v1/marketplace/sales",
        {
            "order_count": ("count", lambda bucket: bucket["orders"]),
            "unit_count": ("count", lambda bucket: bucket["units"]),
        },
    ),
    "marketplace: Cancelled": sales_series(
        "/v1/marketplace/sales",
        {
            "cancelled_share": (
                "exact",
                lambda bucket: bucket["cancelled_orders"] / bucket["orders"] if bucket["orders"] else None,
            )
        },
    ),
    "marketplace: Paid": paid,
    "marketplace: Products": products,
    "marketplace: Sellers": sellers,
    "marketplace: Categories": categories,
    "marketplace: Refunded": refunded,
    "marketplace: Sold out": sold_out,
    "marketplace: Recommendations": lists_by("strategy"),
    "seller: Net sales of $seller_id": sales_series(
        "/v1/sellers/{seller}/sales",
        {
            "net_sales": ("money", lambda bucket: bucket["net_sales_minor"]),
            "cancellations": (
                "money",
                lambda bucket: bucket["cancelled_gross_minor"] - bucket["cancelled_discount_minor"],
            ),
        },
    ),
    "seller: Products of $seller_id": sellers_products,
    "recommender: Lists shown": lists_of_days("lists", "lists"),
    "recommender: Click rate": lists_of_days("click_share", "click_rate"),
    "recommender: Recommendations": lists_by("strategy"),
    "recommender: Places": lists_by("surface"),
    "recommender: Arms of $experiment": arms,
    "recommender: Coverage": coverage,
    "recommender: Variety": days_of(
        {"mean_diversity": ("seen", "diversity"), "largest_category": ("seen", "largest_category")}
    ),
    "recommender: Fairness to sellers": fairness,
    "recommender: Time of an answer": days_of(
        {"half_ms": ("answered", "p50_ms"), "most_ms": ("answered", "p99_ms")}
    ),
    "recommender: Poor answers": days_of(
        {
            "empty_share": ("answered", "empty_share"),
            "popular_only_share": ("answered", "popular_only_share"),
        }
    ),
    "recommender: Newest trainings": trainings,
    "pipeline: Tables": tables,
}
"""Dashboard and title of a panel → its comparison. Panels of metrics of the catalogue need none."""

NOT_ANSWERED: Mapping[str, str] = {
    "marketplace: Orders by step": "The API lists a seller's orders with their status, and counts none.",
    "marketplace: From order to confirmation": "The API has hours of sellers' parcels, no seconds of orders.",
    "marketplace: Orders refused": "Orders that were never confirmed are in no figure of the API.",
    "recommender: Clicks by position": "The API counts clicks by surface and product, not by position.",
    "pipeline: Behind": "The API says how old its own figures are, not the slowest of all tables.",
    "pipeline: Stored": "The size on disk is no figure of the API.",
    "pipeline: Migrations": "The API says nothing about migrations.",
    "pipeline: Events per minute": "The API has no figure by the time at which events were stored.",
    "pipeline: From event to row": "The API has no figure by the time at which events were stored.",
}
"""Dashboard and title of a panel → why the API has no answer to the same question."""


def comparison_of(name: str, panel: Panel) -> Comparison | None:
    """Return the comparison of a panel; None if the API can't answer the same question."""
    return COMPARED.get(name) or metric_panel(panel)
