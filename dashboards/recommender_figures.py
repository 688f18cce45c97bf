"""The panels of the recommender that ClickHouse answers: what shoppers see and do, and trainings."""

from dashboards.panels import (
    FULL,
    HALF,
    Column,
    PanelBuilder,
    bar_gauge_panel,
    stat_panel,
    table_panel,
    time_series_panel,
)
from dashboards.queries import PanelQueries

SHOWN, CLICKED = Column("Shown", "short"), Column("Clicked", "short")
CLICK_RATE = Column("Click rate", "percentunit", decimals=1)


def strategies_panel(queries: PanelQueries) -> PanelBuilder:
    """Return the table of the strategies, which the dashboard of the marketplace shows, too."""
    return table_panel(
        "Recommendations",
        "Recommendation lists that came into view, and the share that was clicked, by strategy.",
        queries.sql("recommender/strategies"),
        {
            "strategy": Column("Strategy"),
            "shown": SHOWN,
            "clicked": CLICKED,
            "click_share": CLICK_RATE,
        },
        HALF,
    )


def effects(queries: PanelQueries) -> list[PanelBuilder]:
    """Return the panels of what shoppers were shown, and what they clicked."""
    return [
        time_series_panel(
            "Lists shown",
            "Recommendation lists that came into view, by strategy.",
            queries.sql("recommender/lists_shown"),
            {"lists": Column("Lists", "short")},
            bars=True,
            by="strategy",
        ),
        time_series_panel(
            "Click rate",
            "The share of the lists that came into view that were clicked, by strategy.",
            queries.sql("recommender/click_rate"),
            {"click_share": CLICK_RATE},
            by="strategy",
            stacked=False,
        ),
        strategies_panel(queries),
        table_panel(
            "Places",
            "Lists that came into view and those that were clicked, by the place of the list on the page.",
            queries.sql("recommender/surfaces"),
            {
                "surface": Column("Place"),
                "shown": SHOWN,
                "clicked": CLICKED,
                "click_share": CLICK_RATE,
            },
            HALF,
        ),
        bar_gauge_panel(
            "Clicks by position",
            "Clicks by the position in the list, from 1: the place counts besides the product.",
            queries.sql("recommender/positions"),
            {"place": Column("Position"), "clicks": Column("Clicks", "short")},
            HALF,
        ),
        table_panel(
            "Arms of $experiment",
            "Visitors of each arm who saw lists in the period. The page of experiments judges the arms.",
            queries.sql("recommender/arms"),
            {"arm_name": Column("Arm"), "visitors": Column("Visitors", "short")},
            HALF,
        ),
    ]


def health(queries: PanelQueries) -> list[PanelBuilder]:
    """Return the panels of how varied, fair and complete recommendations are."""
    return [
        stat_panel(
            "Coverage",
            "Products and sellers that were recommended, and the share of the products on offer.",
            queries.sql("recommender/coverage"),
            {
                "shown_products": Column("Products shown", "short"),
                "offered_products": Column("Products on offer", "short"),
                "shown_share": Column("Share of the catalogue", "percentunit", decimals=1),
                "shown_sellers": Column("Sellers shown", "short"),
            },
            FULL,
        ),
        time_series_panel(
            "Variety",
            "Pairs of products of a list that differ in category, and what a visitor sees of one category.",
            queries.sql("recommender/variety"),
            {
                "mean_diversity": Column("Pairs that differ", "percentunit", decimals=1),
                "largest_category": Column("Largest category", "percentunit", decimals=1),
            },
        ),
        table_panel(
            "Fairness to sellers",
            "Sellers' share of exposure beside their share of the offers, the most exposed first.",
            queries.sql("recommender/fairness"),
            {
                "seller_id": Column("Seller"),
                "exposure_share": Column("Exposure", "percentunit", decimals=1),
                "catalogue_share": Column("Offers", "percentunit", decimals=1),
                "ratio": Column("Exposure ÷ offers", "none", decimals=2),
            },
        ),
        time_series_panel(
            "Time of an answer",
            "From the request until the list was chosen: the median and the 99th percentile of each day.",
            queries.sql("recommender/answer_times"),
            {"half_ms": Column("Median", "ms"), "most_ms": Column("99th percentile", "ms")},
        ),
        time_series_panel(
            "Poor answers",
            "The share of empty answers, and of personal answers that have popular products alone.",
            queries.sql("recommender/poor_answers"),
            {
                "empty_share": Column("Empty", "percentunit", decimals=1),
                "popular_only_share": Column("Popular products alone", "percentunit", decimals=1),
            },
        ),
        table_panel(
            "Newest trainings",
            "The newest trainings of the recommender, what started each, and how it ended.",
            queries.sql("recommender/trainings"),
            {
                "started_at": Column("Started", "dateTimeAsIso"),
                "started_by": Column("By"),
                "ended_with": Column("Outcome"),
                "model_version": Column("Version"),
                "events": Column("Events", "short"),
                "duration_s": Column("Duration", "s"),
                "peak_memory": Column("Peak memory", "decbytes"),
            },
            FULL,
        ),
    ]
