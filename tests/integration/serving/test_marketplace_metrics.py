"""The metrics of the whole marketplace: what sellers share counts once, and each seller keeps its figures."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from html import unescape
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from audit.comparison import ComparisonResult
from audit.comparisons import facts_vs_marketplace_metrics
from audit.reference.domains import FAMILIES
from clickhouse.client import connect
from clickhouse.metric_catalogue.definition import Metric, read_every_metric
from clickhouse.metric_catalogue.source import Dimension
from common.settings import Settings
from tests.csv_cells import metric_cells
from tests.integration.metric_tables import writable
from tests.integration.serving.conftest import ask
from tests.integration.serving.shop_audit import loaded, stores_of
from tests.integration.serving.shop_history import SELLERS, History

PERIOD = {"from": "2017-01-01", "to": "2017-06-01"}
METRICS = {name: metric for name, metric in read_every_metric().items() if metric.is_of_marketplace}
BY_SOURCE: dict[str, list[str]] = defaultdict(list)
for name, metric in METRICS.items():
    BY_SOURCE[metric.source.name].append(name)
BY_SELLER = {
    source: own
    for source, names in BY_SOURCE.items()
    if (own := [n for n in names if METRICS[n].is_of_sellers])
}
"""Source → its metrics: all, and those that sellers have."""
SPLIT = [
    source for source, names in BY_SOURCE.items() if any(METRICS[n].marketplace_dimensions for n in names)
]
"""The sources whose metrics can be split."""


@pytest.fixture(scope="module")
def history(shop: Settings) -> Iterator[History]:
    """The facts of the shop; the shop of the other modules returns afterwards."""
    drawn = History(12, 140)
    with loaded(shop, drawn):
        yield drawn


def answer(api: httpx.Client, path: str, of: str = "marketplace", **parameters: Any) -> dict[str, Any]:
    found = api.get(f"/v1/{of}/analytics/{path}", params={**PERIOD, "compare": "none", **parameters})
    shown: dict[str, Any] = found.raise_for_status().json()
    return shown


def totals(shown: dict[str, Any]) -> dict[str, Any]:
    return {total["name"]: total["value"] for total in shown["totals"]}


def audited(shop: Settings, *given: Any) -> list[ComparisonResult]:
    """Compare the reference with the queries of the catalogue."""
    with connect(shop) as client:
        stores = stores_of(shop, client)
        return [comparison.compare() for comparison in facts_vs_marketplace_metrics.run(stores, *given)]


@pytest.mark.usefixtures("history")
def test_the_audit_finds_every_metric_as_the_facts_say(shop: Settings) -> None:
    found = audited(shop, None, ("total", "month"))

    assert [each.differences for each in found] == [()] * len(FAMILIES)
    assert sum(each.figures // each.rows for each in found) == len(METRICS)
    assert min(each.rows for each in found) >= 1 + 4


@pytest.mark.usefixtures("history")
def test_the_audit_finds_a_wrong_value(shop: Settings) -> None:
    rows = writable(shop, "sales_lines")
    ask(shop, f"CREATE TABLE right_orders AS {rows}")
    ask(shop, f"INSERT INTO right_orders SELECT * FROM {rows} FINAL")
    ask(
        shop,
        f"INSERT INTO {rows} SELECT * REPLACE ('somebody else' AS shopper_id) FROM right_orders "
        "WHERE kind = 'sold' AND orders = 1 LIMIT 30",
    )
    try:
        compared = audited(shop, {"customers": METRICS["customers"]}, ("month",))
    finally:
        ask(shop, f"TRUNCATE TABLE {rows}")
        ask(shop, f"INSERT INTO {rows} SELECT * FROM right_orders")
        ask(shop, "DROP TABLE right_orders")

    assert "customers" in {each.field for found in compared for each in found.differences}


def test_what_sellers_share_counts_once(api: httpx.Client, history: History) -> None:
    orders = {
        each["order_id"]: each
        for each in history.of("order_confirmed")
        if each["currency"] == "BRL" and each["lines"]
    }
    sold = [line for order in orders.values() for line in order["lines"]]
    sellers_of = {
        order_id: {line["seller_id"] for line in order["lines"]} for order_id, order in orders.items()
    }
    cancelled = {
        (line["seller_id"], each["order_id"])
        for each in history.of("order_cancelled")
        if each["confirmed_at"] is not None
        for line in each["lines"]
    }
    everything = {"from": "2016-01-01", "to": "2018-01-01", "grain": "month"}

    shown = answer(api, "orders", **{"with": "units,customers", "by": "seller"}, **everything)

    assert totals(shown) == {
        "orders": len(orders),
        "units": sum(line["quantity"] for line in sold),
        "customers": len(
            {
                orders[order_id]["shopper_id"]
                for order_id, sellers in sellers_of.items()
                if any((seller, order_id) not in cancelled for seller in sellers)
            }
        ),
    }
    assert sum(part["values"]["orders"] for part in shown["split"]) == sum(map(len, sellers_of.values()))
    assert sum(map(len, sellers_of.values())) > len(orders), "no order has several sellers"


@pytest.mark.parametrize("source", BY_SELLER)
@pytest.mark.usefixtures("history")
def test_a_split_by_seller_has_the_figures_that_the_sellers_see(api: httpx.Client, source: str) -> None:
    first, *others = BY_SELLER[source]
    together = {"with": ",".join(others)} if others else {}

    shown = answer(api, first, by="seller", top=50, **together)

    parts = {part["value"]: part["values"] for part in shown["split"]}
    assert set(parts) == set(SELLERS)
    assert shown["rest"] is None
    for seller, values in parts.items():
        assert values == totals(answer(api, first, f"sellers/{seller}", **together))


@pytest.mark.parametrize("source", SPLIT)
@pytest.mark.usefixtures("history")
def test_the_listed_values_and_the_rest_make_the_total(api: httpx.Client, source: str) -> None:
    compared = []
    for by in {each for name in BY_SOURCE[source] for each in METRICS[name].marketplace_dimensions}:
        first, *others = [name for name in BY_SOURCE[source] if by in METRICS[name].marketplace_dimensions]
        shown = answer(api, first, by=by, top=1, **({"with": ",".join(others)} if others else {}))
        rest = shown["rest"]["values"] if shown["rest"] else {}
        for name, total in totals(shown).items():
            dimension = METRICS[name].dimension(by)
            if METRICS[name].is_additive(dimension) and not METRICS[name].denominator:
                listed = sum(part["values"][name] for part in shown["split"])
                assert listed + rest.get(name, 0) == total, (name, by)
                compared.append(name)
            elif not METRICS[name].is_additive(dimension):
                assert not rest.get(name), (name, by)
                compared.append(name)
    assert compared or all(METRICS[name].denominator for name in BY_SOURCE[source])


@pytest.mark.parametrize("source", SPLIT)
@pytest.mark.parametrize(
    "of", ["marketplace", pytest.param(f"sellers/{SELLERS[0]}", marks=pytest.mark.nightly)]
)  # filters are of the metrics' query, which both have
@pytest.mark.usefixtures("history")
def test_a_filter_has_the_figures_of_a_value_of_the_split(api: httpx.Client, source: str, of: str) -> None:
    metrics = [METRICS[name] for name in BY_SOURCE[source]]
    if of != "marketplace":
        metrics = [metric for metric in metrics if metric.is_of_sellers]
    dimensions = {
        each: {metric.name for metric in metrics if each in of_metric(metric, of)}
        for metric in metrics
        for each in of_metric(metric, of)
        if each != "seller"
    }
    compared = []
    for by, named in dimensions.items():
        first, *others = sorted(named)
        together = {"with": ",".join(others)} if others else {}
        split = answer(api, first, of, by=by, top=3, compare="previous", **together)["split"]
        filled = [part for part in split if any(part["values"].values())]
        for part in filled[:2]:
            alone = answer(api, first, of, filter=f"{by}:{part['value']}", compare="previous", **together)
            assert alone["filter"] == {"dimension": by, "value": part["value"]}
            assert totals(alone) == part["values"], (by, part["value"])
            assert {each["name"]: each["compared"] for each in alone["totals"]} == part["compared"]
            again = answer(api, first, of, by=by, filter=f"{by}:{part['value']}", **together)
            assert {
                each["value"]: each["values"] for each in again["split"] if any(each["values"].values())
            } == {part["value"]: part["values"]}
            compared.append(by)
    assert compared or not dimensions


def of_metric(metric: Metric, of: str) -> Mapping[str, Dimension]:
    return metric.marketplace_dimensions if of == "marketplace" else metric.dimensions


@pytest.mark.parametrize(
    ("filtered", "detail"),
    [
        ("weekday:8", "weekday has no value '8'. Choose one of: 1, 2, 3, 4, 5, 6, 7."),
        (
            "shelf:top",
            "net_sales can't be restricted by 'shelf'. Choose one of: product, category, weekday, hour.",
        ),
        (f"seller:{SELLERS[0]}", "net_sales can't be restricted by 'seller'. Choose one of: "),
        ("category", "filter"),
    ],
)
def test_a_filter_that_no_metric_has_is_refused(api: httpx.Client, filtered: str, detail: str) -> None:
    refused = api.get("/v1/marketplace/analytics/net_sales", params={**PERIOD, "filter": filtered})

    assert refused.status_code in (400, 422)
    assert detail in refused.text


@pytest.mark.usefixtures("history")
def test_a_filter_by_a_value_that_nothing_has_finds_nothing(api: httpx.Client) -> None:
    shown = answer(api, "net_sales", filter="category:it's \\ not: there, ' OR 1 = 1 --")

    assert totals(shown) == {"net_sales": 0}


@pytest.mark.usefixtures("history")
def test_a_product_is_counted_at_all_its_sellers(api: httpx.Client) -> None:
    product = f"{SELLERS[0]}-1"
    shown = answer(api, "units", product=product, by="category")
    of_seller = answer(api, "units", f"sellers/{SELLERS[0]}", product=product)

    assert totals(shown) == totals(of_seller)
    assert [part["value"] for part in shown["split"]] == ["garden"]


@pytest.mark.usefixtures("history")
def test_the_series_the_comparison_and_the_csv_agree(api: httpx.Client) -> None:
    given = {"from": "2017-03-01", "to": "2017-04-01", "with": "orders,average_order_value", "grain": "week"}
    shown = answer(api, "net_sales", **given | {"compare": "previous"})
    before = answer(api, "net_sales", **given | shown["compared_period"])
    path = "/v1/marketplace/analytics/net_sales"
    listed = csv.DictReader(StringIO(api.get(path, params=given, headers={"Accept": "text/csv"}).text))
    file = api.get(f"{path}/export.csv", params=given)

    assert sum(bucket["values"]["net_sales"] for bucket in shown["series"]) == totals(shown)["net_sales"]
    assert {total["name"]: total["compared"] for total in shown["totals"]} == totals(before)
    assert [row["net_sales"] for row in listed] == [
        metric_cells(bucket["values"])["net_sales"] for bucket in shown["series"]
    ]
    assert file.headers["content-disposition"] == 'attachment; filename="net_sales.csv"'
    assert [row["orders"] for row in csv.DictReader(StringIO(file.text))] == [
        str(bucket["values"]["orders"]) for bucket in shown["series"]
    ]


@pytest.mark.parametrize(
    ("path", "parameters", "status", "says"),
    [
        ("time_to_confirm_median", {}, 422, "a figure of single sellers"),
        ("net_sales", {"with": "time_to_confirm_p90"}, 422, "a figure of single sellers"),
        ("net_sales", {"by": "shopper"}, 422, "seller, product, category"),
        ("customers", {"product": "p"}, 422, "can't be restricted to a product"),
        ("profit_of_the_moon", {}, 404, "no metric"),
    ],
)
def test_what_the_marketplace_does_not_have_is_refused(
    api: httpx.Client, path: str, parameters: dict[str, str], status: int, says: str
) -> None:
    refused = api.get(f"/v1/marketplace/analytics/{path}", params=parameters)

    assert refused.status_code == status
    assert says in refused.json()["detail"]


def test_a_seller_can_not_be_split_by_seller(api: httpx.Client) -> None:
    refused = api.get(f"/v1/sellers/{SELLERS[0]}/analytics/net_sales", params={"by": "seller"})

    assert refused.status_code == 422
    assert "Choose one of: product" in refused.json()["detail"]


def test_an_explanation_says_what_the_figure_of_the_marketplace_is(api: httpx.Client) -> None:
    orders, confirmed = (
        api.get(f"/v1/analytics/metrics/{name}").json()["marketplace"]
        for name in ("orders", "time_to_confirm_p90")
    )

    assert confirmed is None
    assert "counts once" in orders["notes"][0]
    assert orders["dimensions"][0] == "seller"
    assert "{seller_id" not in orders["sql"]


def test_searches_are_counted_by_their_normalized_text(api: httpx.Client, history: History) -> None:
    searches = {each["search_id"]: each for each in history.of("search_performed")}
    texts = [" ".join(each["query"].lower().split()) for each in searches.values()]
    empty = [each for each in searches.values() if not each["result_count"]]
    everything = {"from": "2016-01-01", "to": "2018-01-01", "grain": "month"}

    shown = answer(api, "searches", by="query", **{"with": "empty_search_share"}, **everything)

    assert {part["value"]: part["values"]["searches"] for part in shown["split"]} == {
        text: texts.count(text) for text in ("lamp", "a chair", "chair", "nothing like it")
    }
    assert totals(shown) == {
        "searches": len(searches),
        "empty_search_share": pytest.approx(len(empty) / len(searches), abs=0.00005),
    }


def test_the_products_of_searches_are_split_by_their_position(api: httpx.Client, history: History) -> None:
    clicks: dict[tuple[str, str], list[str]] = defaultdict(list)
    for view in history.of("product_viewed"):
        if view.get("search_id") and view["seller_id"]:
            clicks[view["search_id"], view["product_id"]].append(view["occurred_at"])
    pages = [each for each in history.of("search_performed") if each["page_number"] == 1]
    clicked = [
        [
            any(is_within_a_day(page["occurred_at"], at) for at in clicks[page["search_id"], product])
            for product in page["product_ids"]
        ]
        for page in pages
    ]
    everything = {"from": "2016-01-01", "to": "2018-01-01", "grain": "month"}

    shown = answer(api, "position_click_rate", by="position", **everything)
    second = answer(api, "position_click_rate", filter="position:02", **everything)

    values = {part["value"]: part["values"]["position_click_rate"] for part in shown["split"]}
    for position in (1, 2):
        listed = [each[position - 1] for each in clicked if len(each) >= position]
        assert values[f"{position:02}"] == pytest.approx(sum(listed) / len(listed), abs=0.00005)
    assert values["01"] != values["02"]
    assert (values["03"], values["25+"]) == (None, None)
    assert totals(second) == {"position_click_rate": values["02"]}


def is_within_a_day(searched_at: str, clicked_at: str) -> bool:
    passed = datetime.fromisoformat(clicked_at) - datetime.fromisoformat(searched_at)
    return timedelta(0) <= passed < timedelta(days=1)


@pytest.mark.usefixtures("history")
def test_a_seller_sees_the_searches_that_led_to_its_offers(api: httpx.Client) -> None:
    shown = answer(api, "search_clicks", f"sellers/{SELLERS[0]}", by="query")
    refused = api.get(f"/v1/sellers/{SELLERS[0]}/analytics/searches")

    assert {part["value"] for part in shown["split"]} == {"lamp", "a chair", "chair", "nothing like it"}
    assert sum(part["values"]["search_clicks"] for part in shown["split"]) == totals(shown)["search_clicks"]
    assert (refused.status_code, "/v1/marketplace/analytics" in refused.json()["detail"]) == (422, True)


@pytest.mark.usefixtures("history")
def test_the_page_of_metrics_draws_the_funnel_as_a_list(api: httpx.Client) -> None:
    steps = ["visits_viewed", "visits_carted", "visits_ordered", "visits_paid"]
    path, seller = f"/sell/{SELLERS[1]}/metrics", f"sellers/{SELLERS[1]}"

    page = api.get(path, params={"period": "all", "metric": "visits_paid"}).raise_for_status().text
    listed = re.findall(r'<progress max="(\d+)" value="(\d+)"', page.partition("funnel-title")[2])[:4]

    link = parse_qs(urlsplit(unescape(re.findall(r'href="([^"]*export\.csv[^"]*)"', page)[0])).query)
    bounds = {"from": link["from"][0], "to": link["to"][0]}
    values = totals(answer(api, steps[0], seller, **bounds, **{"with": ",".join(steps[1:])}))
    assert [int(value) for _, value in listed] == [values[name] for name in steps]
    assert values["visits_paid"] > 0
    assert "funnel-title" not in api.get(path, params={"period": "all"}).text
