"""Every panel on ClickHouse shows its columns, and the figures that the API answers to the same question."""

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from clickhouse.client import connect
from common.settings import Settings
from dashboards.build import build
from tests.integration.event_rows import insert_events
from tests.integration.grafana_panels import (
    Panel,
    Selection,
    clickhouse_panels,
    columns_of,
    last_week,
    rows_of,
    run,
)
from tests.integration.serving.conftest import put
from tests.integration.serving.panel_answers import COMPARED, FACTS_OF_SALES, NOT_ANSWERED, Api, comparison_of
from tests.integration.serving.shop_audit import await_watermark, loaded
from tests.integration.serving.shop_history import LAST, SELLERS, SHOP, History
from tests.principals import bearer

PANELS = {f"{name}: {panel['title']}": panel for name, panel in clickhouse_panels(Settings())}
GRAINS = ("minute", "hour", "week", "month")
"""The buckets besides the day, with which every panel is compared."""

GRAINED = [name for name, panel in PANELS.items() if "${grain" in panel["targets"][0]["rawSql"]]

NUMBER = re.compile(r"(Nullable\()?(U?Int\d+|Float64)\)?")
LABEL = re.compile(r"\$\{__field\.labels\.(\w+)\}")
TIME = re.compile(r"DateTime(64\(3(, '[^']+')?\)|\('[^']+'\))?")


def between(first: str, last: str) -> Selection:
    """Return the days from `first` to before `last` of the shop's time zone."""
    bounds = (datetime.fromisoformat(day).replace(tzinfo=SHOP) for day in (first, last))
    start_s, end_s = (int(bound.timestamp()) for bound in bounds)
    return Selection(start_s, end_s, seller=SELLERS[0])


WHOLE_MONTHS = between("2017-01-01", "2017-06-01")
SOME_DAYS = between("2017-03-07", "2017-03-19")
HOURS = replace(SOME_DAYS, start_s=SOME_DAYS.start_s + 4_980, end_s=SOME_DAYS.end_s - 7_260)
UNFINISHED = between("2020-01-01", "2036-01-01")
"""The sales are in the period before, and not in the part of it that corresponds to the time until now."""

TODAY = datetime.now(SHOP).date()
RECENTLY = timedelta(days=(TODAY - LAST.date()).days - 1)
"""What is added to a time of the history to have a recent one."""

OF_HEALTH = between(f"{TODAY - timedelta(days=60)}", f"{TODAY - timedelta(days=1)}")


def selection_of(name: str) -> Selection:
    """Return the time range for which a panel is compared; that of the pipeline is now."""
    if name.startswith("pipeline") or "$experiment" in name:
        now = datetime.now(UTC)
        return replace(last_week(), start_s=int((now - timedelta(days=28)).timestamp()))
    is_about_lists = name.startswith("recommender") or name == "marketplace: Recommendations"
    return OF_HEALTH if is_about_lists else WHOLE_MONTHS


class Further:
    """What the drawn shop lacks: payments, refusals, answers of recommendations, and visits of today."""

    def __init__(self, history: History) -> None:
        self.events: dict[str, list[dict[str, Any]]] = {}
        self._draw = random.Random(4)
        for number, seller_id in enumerate(SELLERS[:2]):
            self._add(
                "seller_registered", "2016-01-01", seller_id=seller_id, name=f"Casa {number}", state="SP"
            )
        for order in history.of("order_confirmed"):
            self._payment(order)
        for order in history.of("order_cancelled"):
            self._refusal(order)
        clicked = {each["recommendation_id"]: each for each in history.of("recommendation_clicked")}
        for shown in history.of("recommendation_shown"):
            self._recent_list(shown, clicked.get(shown["recommendation_id"]))
        self._visits_of_today()

    def _add(self, table: str, at: Any, **fields: Any) -> None:
        rows = self.events.setdefault(table, [])
        rows.append({"event_id": f"further-{table}-{len(rows)}", "occurred_at": at, **fields})

    def _payment(self, order: dict[str, Any]) -> None:
        amount = sum(line["quantity"] * line["unit_price_minor"] for line in order["lines"])
        about = {name: order[name] for name in ("order_id", "shopper_id", "currency")}
        self._add(
            "payment_captured", order["occurred_at"], **about, payment_id=order["order_id"],
            method=self._draw.choice(("pix", "credit_card")), installments=1, amount_minor=amount,
        )  # fmt: skip

    def _refusal(self, order: dict[str, Any]) -> None:
        about = {"order_id": order["order_id"], "shopper_id": order["shopper_id"]}
        if order["reason"] == "out_of_stock":
            self._add("stock_refused", order["occurred_at"], **about)
        if order["reason"] == "payment_failed":
            self._add("payment_failed", order["occurred_at"], **about, attempt=3, final=True)

    def _recent_list(self, shown: dict[str, Any], clicked: dict[str, Any] | None) -> None:
        """Show a list of the history again, recently: the log of answers keeps its rows for some months."""
        at = datetime.fromisoformat(shown["occurred_at"]).replace(tzinfo=UTC) + RECENTLY
        strategy = self._draw.choice(("popular", "blend"))
        source = self._draw.choice(("popular_products", "item_neighbours"))
        visit = {"surface": shown["surface"], "session_id": shown["session_id"]}
        visit |= {
            "shopper_id": shown["shopper_id"],
            "recommendation_id": f"recent-{shown['recommendation_id']}",
        }
        items = [item | {"score": 0.5, "source": source, "propensity": 1.0} for item in shown["items"]]
        answer = {
            "visitor_id": shown["shopper_id"] or shown["session_id"], "strategy": strategy,
            "experiment": None, "arm": None, "answer_ms": self._draw.lognormvariate(2, 1), "items": items,
        }  # fmt: skip
        self._add("recommendation_answered", at, **visit, **answer)
        self._add("recommendation_shown", at, **visit, strategy=strategy, items=shown["items"])
        if clicked:
            about = {"product_id": clicked["product_id"], "position": clicked["position"]}
            self._add("recommendation_clicked", at + timedelta(seconds=40), **visit, **about)
        if self._draw.random() < 0.1:
            empty = {"recommendation_id": f"empty-{len(self.events['recommendation_answered'])}", "items": []}
            self._add("recommendation_answered", at, **visit | answer | empty)

    def _visits_of_today(self) -> None:
        """Visitors in and outside the permanent hold-out; one was seen in both."""
        at = datetime.now(UTC) - timedelta(minutes=2)
        item = {"position": 1, "product_id": f"{SELLERS[0]}-0", "seller_id": SELLERS[0]}
        for number, experiment in enumerate(("holdout", "holdout", None, None, None, "holdout")):
            visit = {"recommendation_id": f"today-{number}", "surface": "home", "strategy": "popular"}
            visitor = f"visitor-{min(number, 4)}"
            answered = {"experiment": experiment, "arm": experiment, "visitor_id": visitor, "items": [item]}
            self._add("recommendation_answered", at, **visit, **answered)
            self._add("recommendation_shown", at, session_id=visitor, items=[item], **visit)


@pytest.fixture(scope="module")
def figures(shop: Settings) -> Iterator[Settings]:
    """The facts of a shop; the shop of the other modules returns afterwards."""
    history = History(12, 140)
    with loaded(shop, history):
        insert_events(shop, Further(history).events)
        columns = ("training_id", "started_at", "ended_at", "trigger", "outcome", "version", "peak_memory_mb")
        trainings = [
            ["t1", "2017-03-01 03:00:00", "2017-03-01 03:01:30", "first", "published", "v1", 480.5],
            ["t2", "2017-03-02 03:00:00", "2017-03-02 03:00:05", "scheduled", "too_little", None, None],
        ]
        put(shop, "trainings", columns, trainings)
        progress = ("table_name", "subtask", "parallelism", "watermark", "version")
        now = datetime.now(UTC)
        complete_to = {table: now - timedelta(seconds=number) for number, table in enumerate(FACTS_OF_SALES)}
        rows = [[table, 0, 1, f"{moment:%F %T}", 1] for table, moment in complete_to.items()]
        put(shop, "pipeline_progress", progress, rows)
        await_watermark(shop, "/v1/marketplace/sales", min(complete_to.values()).replace(microsecond=0))
        yield shop
        with connect(shop, admin=True) as admin:
            admin.command("TRUNCATE TABLE trainings")


@pytest.fixture(scope="module")
def http(shop: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.serving, trust_env=False, timeout=60, headers=bearer(shop)) as client:
        yield client


def api(http: httpx.Client, selection: Selection) -> Api:
    return Api(http, selection, SHOP)


def test_every_panel_is_compared_with_the_api_or_says_why_it_is_not() -> None:
    compared = {name for name, panel in PANELS.items() if comparison_of(name, panel)}
    assert compared | set(NOT_ANSWERED) == set(PANELS)
    assert not compared & set(NOT_ANSWERED)
    assert set(COMPARED) <= set(PANELS)


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_shows_its_columns_and_the_figures_of_the_api(
    figures: Settings, http: httpx.Client, name: str
) -> None:
    panel, selection = PANELS[name], selection_of(name)
    answer = run(figures, selection.fill(panel["targets"][0]["rawSql"]))
    assert answer["rows"] > 0
    check_columns(panel, answer)
    if compare := comparison_of(name, panel):
        compare(api(http, selection), answer["data"])


def check_columns(panel: Panel, answer: dict[str, Any]) -> None:
    """Assert that an answer has the columns that the panel shows, with their types."""
    columns = {column["name"]: column["type"] for column in answer["meta"]}
    named = columns_of(panel)
    if panel["type"] == "timeseries":
        assert TIME.fullmatch(columns.pop("time"))
        assert [row["time"] for row in answer["data"]] == sorted(row["time"] for row in answer["data"])
        if label := LABEL.fullmatch(panel["fieldConfig"]["defaults"].get("displayName", "")):
            assert "String" in columns.pop(label[1])
            assert len(columns) == 1
        else:
            assert set(columns) == named
        assert all(NUMBER.fullmatch(kind) for kind in columns.values())
    elif panel["type"] == "stat":
        assert named <= set(columns)
        assert answer["rows"] == 1
        shown = re.compile(panel["options"]["reduceOptions"]["fields"].strip("/"))
        assert {column for column in columns if shown.fullmatch(column)} == named
    else:
        assert set(columns) == named
    units = {
        override["matcher"]["options"]: {each["id"]: each["value"] for each in override["properties"]}["unit"]
        for override in panel["fieldConfig"]["overrides"]
    }
    for column, unit in units.items():
        assert (unit == "string") == ("String" in columns[column])
        assert (unit == "dateTimeAsIso") == ("DateTime" in columns[column])


@pytest.mark.parametrize(
    "grain",
    [grain if grain == "month" else pytest.param(grain, marks=pytest.mark.nightly) for grain in GRAINS],
)
def test_every_bucket_has_the_figures_of_the_api(figures: Settings, http: httpx.Client, grain: str) -> None:
    compared = set()
    for name in GRAINED:
        selection = replace(SOME_DAYS if grain in ("minute", "hour") else selection_of(name), grain=grain)
        rows = rows_of(figures, PANELS[name], selection)
        assert rows or grain in ("minute", "hour"), name
        compare = comparison_of(name, PANELS[name])
        if compare and grain != "minute" and not name.startswith("recommender"):  # of which the API has days
            compare(api(http, selection), rows)
            compared.add(name)
    assert len(compared) > 40 or grain == "minute", compared


@pytest.mark.parametrize(
    "selection",
    [SOME_DAYS, HOURS, between("2017-03-01", "2017-04-01"), UNFINISHED],
    ids=["days", "hours", "months", "unfinished"],
)
@pytest.mark.parametrize("title", ["Totals", "Active sellers"])
def test_a_period_is_compared_with_the_same_one_as_by_the_api(
    figures: Settings, http: httpx.Client, title: str, selection: Selection
) -> None:
    name = f"marketplace: {title}"
    COMPARED[name](api(http, selection), rows_of(figures, PANELS[name], selection))


@pytest.mark.usefixtures("figures")
def test_the_products_have_the_name_and_category_of_the_newest_change(shop: Settings) -> None:
    first, *_ = rows_of(shop, PANELS["marketplace: Products"], WHOLE_MONTHS)
    listed = ("event_id", "occurred_at", "product_id", "seller_id", "name", "category")
    product = first["product_id"]
    put(shop, "product_changed", listed, [["new", "2026-01-01", product, "s", "Desk Lamp", "desk lights"]])
    again, *_ = rows_of(shop, PANELS["marketplace: Products"], WHOLE_MONTHS)
    assert again == first | {"name": "Desk Lamp", "category": "desk lights"}


def test_the_sellers_to_choose_from_have_an_id_and_a_name(figures: Settings) -> None:
    variables = {each["name"]: each for each in build(Settings())["seller"]["templating"]["list"]}
    answer = run(figures, variables["seller_id"]["query"]["rawSql"])
    found = dict(row.values() for row in answer["data"])
    assert found == {SELLERS[0]: "Casa 0", SELLERS[1]: "Casa 1", SELLERS[2]: SELLERS[2]}


def test_a_seller_with_a_quote_in_its_id_breaks_no_query(figures: Settings) -> None:
    of_seller = [panel for name, panel in PANELS.items() if "$seller_id" in name]
    assert len(of_seller) > 1
    for panel in of_seller:
        assert rows_of(figures, panel, replace(WHOLE_MONTHS, seller="o'hara")) == []
