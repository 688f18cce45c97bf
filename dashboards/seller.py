"""The dashboard of one seller: every metric of the catalogue, by domain."""

from collections.abc import Sequence

from babel.numbers import get_currency_symbol
from grafana_foundation_sdk.builders.dashboard import Dashboard

from clickhouse.metric_catalogue.definition import Metric, Unit, read_catalogue, read_domains
from clickhouse.metric_catalogue.scope import ONE_SELLER
from common.settings import Settings
from dashboards.metric_queries import UNITS, metric_series, metric_split, metric_totals, panels_of
from dashboards.panels import (
    FULL,
    HALF,
    Column,
    PanelBuilder,
    Section,
    build_dashboard,
    stat_panel,
    table_panel,
    time_series_panel,
)
from dashboards.queries import PanelQueries
from dashboards.variables import grain_variable, seller_variable

TOTALS = ("net_sales", "orders", "units", "average_order_value", "cancellation_rate", "return_rate")
"""The metrics in the first row, which have one source."""

_DECIMALS: dict[Unit, int] = {"money": 2, "number": 2, "share": 1, "hours": 1}
_IN_TITLE = 2
"""Metrics that the title of a panel names."""


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard in the shop's currency and time zone."""
    queries = PanelQueries(settings)
    money = f"currency:{get_currency_symbol(settings.shop_currency, locale=settings.shop_locale)}"
    sections = [Section("$seller_id", _first(queries, money))]
    sections += [
        Section(domain.title, [_panel(queries, metrics, money) for metrics in panels_of(name)])
        for name, domain in read_domains().items()
        if panels_of(name)
    ]
    built = build_dashboard(
        settings,
        "souk-seller",
        "Souk · Seller",
        "What one seller sold and earned: the metrics of the catalogue, from the same queries as the API.",
        sections,
        "now-30d",
    )
    return built.with_variable(grain_variable()).with_variable(seller_variable(queries))


def _first(queries: PanelQueries, money: str) -> list[PanelBuilder]:
    catalogue = read_catalogue()
    totals = [catalogue[name] for name in TOTALS]
    sales = [catalogue[name] for name in ("net_sales", "cancellations")]
    of_products = [catalogue[name] for name in ("net_sales", "units")]
    return [
        stat_panel(
            "Whole period",
            "The most important metrics over the whole period.",
            queries.filled(metric_totals(totals), "the totals of a seller"),
            {metric.name: _column(metric, money) for metric in totals},
            FULL,
        ),
        time_series_panel(
            "Net sales of $seller_id",
            "Net sales of the selected seller, and the cancelled goods.",
            queries.filled(metric_series(sales), "the sales of a seller"),
            {metric.name: _column(metric, money) for metric in sales},
            HALF,
        ),
        table_panel(
            "Products of $seller_id",
            "The selected seller's products with the most net sales in the period.",
            queries.filled(metric_split(of_products, "product", ONE_SELLER, "no product"), "the products"),
            {"product": Column("Product"), **{metric.name: _column(metric, money) for metric in of_products}},
            HALF,
        ),
    ]


def _panel(queries: PanelQueries, metrics: Sequence[Metric], money: str) -> PanelBuilder:
    named = ", ".join(metric.title for metric in metrics[:_IN_TITLE])
    others = len(metrics) - _IN_TITLE
    return time_series_panel(
        f"{named} and {others} more" if others > 0 else named,
        " ".join(f"{metric.title}: {' '.join(metric.definition.split())}" for metric in metrics),
        queries.filled(metric_series(metrics), f"the panel of {named}"),
        {metric.name: _column(metric, money) for metric in metrics},
        HALF,
        from_zero=all(metric.unit != "money" for metric in metrics),
    )


def _column(metric: Metric, money: str) -> Column:
    return Column(metric.title, UNITS.get(metric.unit, money), _DECIMALS.get(metric.unit))
