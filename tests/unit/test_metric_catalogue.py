"""The catalogue of metrics: its files, and values from sums."""

import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickhouse.metric_catalogue.definition import (
    BrokenDefinition,
    Metric,
    read_catalogue,
    read_domains,
    read_every_metric,
)
from clickhouse.metric_catalogue.queries import sellers_query, series_query, split_query
from clickhouse.metric_catalogue.scope import (
    BY_SELLER,
    EACH_SELLER,
    MARKETPLACE,
    MIN_VISITORS,
    ONE_SELLER,
)
from clickhouse.metric_catalogue.values import value_of

SOURCE = """
description = "Sales."
tables = ["sales_lines"]
row = ["order_id"]
cost = "Reads rows."
[columns]
[measures]
units = { unit = "count", column = "units" }
gross = { unit = "money", column = "gross_minor" }
"""
DOMAINS = """
[sales]
title = "Sales"
description = "What was sold."
"""
METRIC = """
title = "Units"
definition = "Units in orders."
formula = "Σ quantity"
unit = "count"
better = "more"
place = 10
source = "sales"
sum = ["units"]
edge_cases = []
since = 2026-11-26
"""


@pytest.fixture
def write(tmp_path: Path):
    """A function that writes a catalogue of one metric, and reads it."""

    def write_metric(metric: str = METRIC, source: str = SOURCE) -> Metric:
        for path, text in (
            ("sources/sales.toml", source),
            ("sales/units.toml", metric),
            ("domains.toml", DOMAINS),
        ):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text)
        read_catalogue.cache_clear()
        read_every_metric.cache_clear()
        read_domains.cache_clear()
        return read_catalogue(tmp_path)["units"]

    yield write_metric
    read_catalogue.cache_clear()
    read_every_metric.cache_clear()
    read_domains.cache_clear()


@pytest.mark.parametrize("metric", read_every_metric().values(), ids=lambda metric: metric.name)
def test_a_definition_is_one_sentence_with_what_a_reader_must_know(metric: Metric) -> None:
    assert metric.definition.endswith(".")
    assert ". " not in metric.definition
    assert all(case.endswith(".") for case in metric.edge_cases)
    assert metric.edge_cases
    assert metric.formula
    has_level = any(metric.source.measures[name].at_end for name in metric.measures)
    assert has_level or {"weekday", "hour"} <= set(metric.dimensions)


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        (METRIC.replace("units", "visits"), "'visits' is not a measure of sales"),
        (METRIC.replace('"sales"', '"visits"'), "there is no source 'visits'"),
        (METRIC.replace("sum", "total"), "total"),
        (METRIC.replace('sum = ["units"]', ""), "give one of sum, ratio and quantile"),
        (METRIC.replace('"units"]', '"units; DROP TABLE orders"]'), "is not a measure"),
        ("title =", "is not a definition"),
    ],
)
def test_a_broken_definition_is_named_with_its_reason(write, metric, says) -> None:
    with pytest.raises(BrokenDefinition, match=says) as raised:
        write(metric)
    assert "units.toml" in str(raised.value)


def test_the_version_changes_with_the_computation_and_not_with_texts(write) -> None:
    version = write().version

    assert write(METRIC.replace("Units in orders.", "What was bought.")).version == version
    assert write(METRIC.replace('["units"]', '["units", "-gross"]')).version != version
    assert write(source=SOURCE.replace('column = "units"', 'column = "lines"')).version != version


def test_a_metric_without_orders_adds_up_over_products_and_one_with_orders_does_not() -> None:
    metrics = read_catalogue()
    product = metrics["orders"].source.dimensions["product"]
    weekday = metrics["orders"].source.dimensions["weekday"]

    assert metrics["net_sales"].is_additive(product)
    assert not metrics["orders"].is_additive(product)
    assert not metrics["average_order_value"].is_additive(product)
    assert metrics["orders"].is_additive(weekday)


@given(revenue=st.integers(-(10**15), 10**15), orders=st.integers(0, 10**9), cancelled=st.integers(0, 10**9))
def test_a_ratio_of_money_is_rounded_half_up(revenue: int, orders: int, cancelled: int) -> None:
    value = value_of(
        read_catalogue()["average_order_value"],
        {"revenue": revenue, "orders": orders + cancelled, "cancelled_orders": cancelled},
    )

    if orders == 0:
        assert value is None
    else:
        assert isinstance(value, int)
        assert Fraction(-1, 2) < value - Fraction(revenue, orders) <= Fraction(1, 2)


@given(
    earned=st.integers(-(10**12), 10**12),
    cost=st.integers(0, 10**12),
    known=st.integers(0, 99),
    unknown=st.integers(0, 99),
)
def test_the_profit_of_units_without_a_known_cost_is_empty_and_not_zero(
    earned: int, cost: int, known: int, unknown: int
) -> None:
    columns = {"units_with_cost": known, "booked_units": known + unknown}
    value = value_of(read_catalogue()["profit"], {**columns, "earned_with_cost": earned, "cost": cost})

    assert value == (None if unknown and not known else earned - cost)


def test_only_a_sum_covers_a_share_and_only_a_ratio_is_divided_by_another(write) -> None:
    other = '{ numerator = ["units"], denominator = ["gross"] }'
    for wrong in (f"{METRIC}relative_to = {other}", f"{METRIC}quantiles = {other}"):
        with pytest.raises(BrokenDefinition):
            write(wrong)
    assert write(f"{METRIC}covered = {other}").columns == ("units", "gross")
    assert write(f"{METRIC}covered = {other}").row_measures == ("units",)


@given(returned=st.integers(0, 10**12), units=st.integers(1, 10**12))
def test_a_share_has_four_decimals(returned: int, units: int) -> None:
    value = value_of(read_catalogue()["return_rate"], {"returned_units": returned, "units": units})

    assert value is not None
    assert value * 10_000 == pytest.approx(round(value * 10_000), abs=1e-9 * max(1, value * 10_000))
    assert value == pytest.approx(returned / units, abs=0.5001e-4, rel=1e-9)


def test_metrics_that_do_not_add_up_have_a_row_of_the_whole_period() -> None:
    metrics = read_catalogue()
    by_itself = {
        name: "GROUPING SETS" in series_query([metric], of_product=False) for name, metric in metrics.items()
    }

    assert not by_itself["net_sales"]
    assert by_itself["time_to_ship_median"]
    assert by_itself["customers"]
    assert by_itself["orders_per_session"]


@given(st.lists(st.integers(0, 10**10), max_size=30))
def test_a_quantile_is_a_value_of_the_parcels_in_hours(times_ms: list[int]) -> None:
    metric = read_catalogue()["time_to_ship_p90"]
    chosen = sorted(times_ms)[len(times_ms) * 9 // 10] if times_ms else None

    value = value_of(metric, {"to_ship_p90": chosen})

    assert value == (None if chosen is None else pytest.approx(chosen / 3_600_000, abs=0.5001e-4))


def test_a_quantile_of_ten_thousandths_has_decimals() -> None:
    elasticity = read_catalogue()["price_elasticity"]

    assert value_of(elasticity, {"elasticity_p50": -12_345}) == -1.2345
    assert value_of(elasticity, {"elasticity_p50": None}) is None


def test_what_a_caller_chooses_is_a_parameter() -> None:
    for metric in read_catalogue().values():
        for dimension in metric.dimensions.values():
            of_product = metric.source.has_products
            query = split_query([metric], dimension, of_product=of_product)
            assert "seller_id = {seller_id:String}" in query
            assert ("= {product_id:String}" in query) == of_product
        assert "seller_id = {seller_id:String}" in series_query([metric], of_product=False)


MARK = re.compile(r"\{(?!\w+:)[^}]*\}")


@pytest.mark.parametrize("metric", read_every_metric().values(), ids=lambda metric: metric.name)
def test_the_marketplace_s_queries_take_no_seller_and_no_query_has_marks(metric: Metric) -> None:
    of_marketplace = [series_query([metric], of_product=False, scope=MARKETPLACE), sellers_query([metric])]
    of_marketplace += [
        split_query([metric], dimension, of_product=False, scope=MARKETPLACE)
        for dimension in metric.marketplace_dimensions.values()
    ]
    of_seller = [series_query([metric], of_product=False)]
    of_seller += [split_query([metric], each, of_product=False) for each in metric.dimensions.values()]

    assert not any("{seller_id:" in query for query in of_marketplace)
    assert not any(MARK.search(query) for query in (*of_marketplace, *of_seller))
    assert metric.is_of_sellers or metric.is_of_marketplace
    assert bool(metric.marketplace_notes) == metric.is_of_marketplace
    assert ("seller" in metric.marketplace_dimensions) == (metric.is_of_marketplace and metric.is_of_sellers)


def test_a_seller_s_rows_have_the_same_query_in_every_scope_but_for_their_condition() -> None:
    for metric in read_catalogue().values():
        one, each = metric.source.from_sql(ONE_SELLER), metric.source.from_sql(EACH_SELLER)
        assert one.replace("seller_id = {seller_id:String}", "true") == each
        assert not metric.source.file.rows or one != each


def test_the_rows_of_the_marketplace_can_come_from_other_tables(write) -> None:
    rows = """
rows = "SELECT * FROM ({lines}) WHERE {of_seller}"
[parts]
lines = "SELECT * FROM sales_lines"
[marketplace_parts]
lines = "SELECT * FROM sales_orders"
"""
    source = SOURCE.replace("[columns]", f"{rows}[columns]")
    metric = write(source=source)

    assert "FROM sales_lines) WHERE seller_id" in metric.source.from_sql(ONE_SELLER)
    assert "FROM sales_lines) WHERE true" in metric.source.from_sql(EACH_SELLER)
    for scope in (MARKETPLACE, BY_SELLER):
        assert "FROM sales_orders) WHERE true" in metric.source.from_sql(scope)
    assert write(source=source.replace("sales_orders", "sales_days")).version != metric.version
    with pytest.raises(BrokenDefinition, match="orders is not one of the parts"):
        write(source=source.replace('lines = "SELECT * FROM sales_orders"', 'orders = ""'))


def test_sellers_see_a_text_only_if_several_visitors_typed_it() -> None:
    by_text = {name: metric for name, metric in read_catalogue().items() if "query" in metric.dimensions}

    assert by_text
    for metric in by_text.values():
        says = f"at least {MIN_VISITORS} different visitors"
        assert says in metric.dimensions["query"].description
        assert any(says in case for case in metric.edge_cases)
        query = split_query([metric], metric.dimensions["query"], of_product=False)
        assert re.search(rf"HAVING least\(.*\) >= {MIN_VISITORS}\b", query)


def test_rows_that_do_not_say_whose_they_are_are_refused(write) -> None:
    with pytest.raises(BrokenDefinition, match="whose rows they are"):
        write(source='rows = "SELECT * FROM sales_lines"\n' + SOURCE)


def test_what_sellers_share_is_not_in_the_rest_of_a_split_by_seller() -> None:
    metrics = read_every_metric()

    def additive(name: str) -> bool:
        return metrics[name].is_additive(metrics[name].dimension("seller"))

    assert additive("net_sales")
    assert additive("product_views")
    assert not additive("orders")
    assert not additive("customers")
    assert not additive("new_customers")
    assert not additive("visits_paid")
