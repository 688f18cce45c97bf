"""The dashboard of the marketplace: sales, orders and shoppers."""

from babel.numbers import get_currency_symbol
from grafana_foundation_sdk.builders.dashboard import Dashboard

from clickhouse.metric_catalogue.definition import read_catalogue
from clickhouse.metric_catalogue.scope import MARKETPLACE
from common.settings import Settings
from dashboards.metric_queries import UNITS, metric_series, metric_split, metric_totals
from dashboards.panels import (
    FULL,
    HALF,
    Column,
    PanelBuilder,
    Section,
    bar_gauge_panel,
    build_dashboard,
    stat_panel,
    table_panel,
    time_series_panel,
)
from dashboards.queries import PanelQueries
from dashboards.recommender import strategies_panel
from dashboards.variables import grain_variable

COUNT = Column("Orders", "short")
NET_SALES = read_catalogue()["net_sales"]
FUNNEL = [
    read_catalogue()[name]
    for name in ("visits_viewed", "visits_carted", "visits_ordered", "visits_paid", "visit_conversion_rate")
]
REVIEWS = [read_catalogue()[name] for name in ("reviews", "review_score")]


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard in the shop's currency and time zone."""
    queries = PanelQueries(settings)
    money = f"currency:{get_currency_symbol(settings.shop_currency, locale=settings.shop_locale)}"
    sections = [
        Section("Sales", _sales(queries, money)),
        Section("Products and sellers", _sellers_and_products(queries, money)),
        Section("Orders", _orders(queries, money)),
        Section("Shoppers", _shoppers(queries)),
    ]
    built = build_dashboard(
        settings,
        "souk-marketplace",
        "Souk · Marketplace",
        "Sales, orders and shoppers of the marketplace, from the same queries as the API.",
        sections,
        "now-7d",
    )
    return built.with_variable(grain_variable())


def _sales(queries: PanelQueries, money: str) -> list[PanelBuilder]:
    net_sales = Column(NET_SALES.title, money, decimals=2)
    return [
        stat_panel(
            "Totals",
            "Sales of the period, and their change from the same part of the previous period.",
            queries.sql("marketplace/totals"),
            {
                "net_sales": net_sales,
                "net_sales_change": Column("Net sales, change", "percentunit", decimals=1),
                "order_count": Column("Orders", "short"),
                "order_change": Column("Orders, change", "percentunit", decimals=1),
                "average_order": Column("Average order", money, decimals=2),
                "unit_count": Column("Units", "short"),
            },
            FULL - 6,
        ),
        stat_panel(
            "Active sellers",
            "How many sellers sold something in the period, and in the same part of the previous one.",
            queries.sql("marketplace/active_sellers"),
            {"sellers": Column("Period", "short"), "sellers_before": Column("Previous", "short")},
            6,
        ),
        time_series_panel(
            NET_SALES.title,
            "Goods after discounts, less cancellations and returns, by the time of the order.",
            queries.sql("marketplace/net_sales"),
            {"net_sales": net_sales},
            bars=True,
        ),
        time_series_panel(
            "Orders and units",
            "Confirmed orders and their units, by the time of the order.",
            queries.sql("marketplace/orders"),
            {"order_count": COUNT, "unit_count": Column("Units", "short")},
        ),
        time_series_panel(
            "Paid",
            "What shoppers paid, by method and by the time of capture.",
            queries.sql("marketplace/payments"),
            {"amount": Column("Paid", money, decimals=2)},
            bars=True,
            by="method",
        ),
        time_series_panel(
            "Cancelled",
            "The share of the confirmed orders of each bucket that were cancelled later.",
            queries.sql("marketplace/cancellations"),
            {"cancelled_share": Column("Cancelled", "percentunit", decimals=1)},
        ),
    ]


def _sellers_and_products(queries: PanelQueries, money: str) -> list[PanelBuilder]:
    net_sales = Column(NET_SALES.title, money, decimals=2)
    return [
        table_panel(
            "Products",
            "The products with the most net sales in the period.",
            queries.sql("marketplace/top_products"),
            {
                "product_id": Column("Product"),
                "name": Column("Name"),
                "category": Column("Category"),
                "unit_count": Column("Units", "short"),
                "net_sales": net_sales,
            },
        ),
        table_panel(
            "Sellers",
            "The best-selling sellers of all time.",
            queries.sql("marketplace/top_sellers"),
            {
                "seller_id": Column("Seller"),
                "name": Column("Name"),
                "state": Column("State"),
                "order_count": COUNT,
                "net_sales": net_sales,
            },
        ),
        bar_gauge_panel(
            "Categories",
            "The categories with the most net sales in the period.",
            queries.filled(metric_split([NET_SALES], "category", MARKETPLACE, "no category"), "categories"),
            {"category": Column("Category"), NET_SALES.name: net_sales},
            FULL,
        ),
    ]


def _orders(queries: PanelQueries, money: str) -> list[PanelBuilder]:
    return [
        bar_gauge_panel(
            "Orders by step",
            "Orders placed in the period, by the furthest step that they reached.",
            queries.sql("marketplace/order_states"),
            {"step": Column("Step"), "order_count": COUNT},
        ),
        time_series_panel(
            "From order to confirmation",
            "Time from an order to its confirmation: the median and the 99th percentile.",
            queries.sql("marketplace/confirmation"),
            {"half_s": Column("Median", "s"), "most_s": Column("99th percentile", "s")},
        ),
        time_series_panel(
            "Orders refused",
            "Orders that were cancelled because stock was missing or the payment failed.",
            queries.sql("marketplace/refusals"),
            {"no_stock": Column("No stock", "short"), "no_payment": Column("Payment failed", "short")},
            bars=True,
        ),
        time_series_panel(
            "Refunded",
            "Refunds, by reason and by the time of the refund.",
            queries.sql("marketplace/refunds"),
            {"amount": Column("Refunded", money, decimals=2)},
            bars=True,
            by="reason",
        ),
        table_panel(
            "Sold out",
            "Products without available stock, the longest without stock first.",
            queries.sql("marketplace/sold_out"),
            {
                "product_id": Column("Product"),
                "seller_id": Column("Seller"),
                "on_hand_now": Column("On hand", "short"),
                "reserved_now": Column("Reserved", "short"),
                "since": Column("Since", "dateTimeAsIso"),
            },
            FULL,
        ),
    ]


def _shoppers(queries: PanelQueries) -> list[PanelBuilder]:
    return [
        stat_panel(
            "From view to order",
            "Visits that reached each step in this order; `docs/metrics.md` says what a visit is.",
            queries.filled(metric_totals(FUNNEL, MARKETPLACE), "the funnel"),
            {metric.name: Column(metric.title, UNITS[metric.unit]) for metric in FUNNEL},
            FULL,
        ),
        time_series_panel(
            "Reviews",
            "Published reviews of sellers by the time of writing, and their average score from 1 to 5.",
            queries.filled(metric_series(REVIEWS, MARKETPLACE), "the reviews"),
            {
                "reviews": Column("Reviews", "short"),
                "review_score": Column("Score", "none", decimals=2),
            },
            HALF,
        ),
        strategies_panel(queries),
    ]
