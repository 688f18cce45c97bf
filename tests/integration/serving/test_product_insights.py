"""Price changes and what followed, and products bought together: the audit agrees, and so do all forms."""

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import httpx
import pytest

from audit import seller_sample
from audit.comparison import ComparisonResult
from audit.comparisons import facts_vs_seller_products
from clickhouse.client import connect
from common.settings import Settings
from tests.csv_cells import cell
from tests.integration.metric_tables import writable
from tests.integration.serving.conftest import ask
from tests.integration.serving.shop_audit import loaded, stores_of
from tests.integration.serving.shop_history import PRODUCTS, SELLERS, History

SELLER = SELLERS[0]
PERIOD = {"from": "2017-01-01", "to": "2017-06-01"}
OWN = {product for product, seller in PRODUCTS.items() if seller == SELLER}
FOREIGN = set(PRODUCTS) - OWN


@pytest.fixture(scope="module")
def history(shop: Settings) -> Iterator[History]:
    """The facts of the shop; the shop of the other modules returns afterwards."""
    drawn = History(5, 140)
    with loaded(shop, drawn):
        yield drawn


def answer(api: httpx.Client, path: str, **parameters: Any) -> dict[str, Any]:
    found = api.get(f"/v1/sellers/{SELLER}/products/{path}", params={**PERIOD, **parameters})
    shown: dict[str, Any] = found.raise_for_status().json()
    return shown


def audited(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> list[ComparisonResult]:
    """Compare with the queries for all sellers, and with the API about every seller."""
    monkeypatch.setattr(seller_sample, "EVERY", 1)
    with connect(shop) as client:
        stores = stores_of(shop, client)
        # Not in this thread: Playwright runs an event loop in it.
        with ThreadPoolExecutor(1) as thread:
            comparisons = facts_vs_seller_products.run(stores)
            return [thread.submit(comparison.compare).result() for comparison in comparisons]


@pytest.mark.usefixtures("history")
def test_the_audit_finds_the_products_of_every_seller_as_the_facts_say(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices, pairs, pairs_of_api = audited(shop, monkeypatch)
    for found in (prices, pairs, pairs_of_api):
        assert found.differences == ()
        assert found.rows >= len(SELLERS)


@pytest.mark.usefixtures("history")
def test_the_audit_finds_wrong_units(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = writable(shop, "sales_lines")
    change = (
        f"INSERT INTO {rows} SELECT * REPLACE (units {{}} 1 AS units) FROM {rows} FINAL "
        f"WHERE seller_id = '{SELLER}' AND kind = 'sold'"
    )
    ask(shop, change.format("+"))
    try:
        prices, *_ = audited(shop, monkeypatch)
    finally:
        ask(shop, change.format("-"))

    assert {each.key["seller_id"] for each in prices.differences} == {SELLER}
    assert {each.field for each in prices.differences} <= {"units_before", "units_after"}


@pytest.mark.usefixtures("history")
def test_a_price_change_has_equal_windows_up_to_the_next_one(api: httpx.Client) -> None:
    shown = answer(api, "price-changes", days=14, limit=200)
    changes = shown["changes"]

    assert {each["product_id"] for each in changes} == OWN
    assert [each["changed_at"] for each in changes] == sorted(
        (each["changed_at"] for each in changes), reverse=True
    )
    assert not all(each["complete"] for each in changes)
    assert shown["notes"]
    for each in changes:
        assert each["old_price"] != each["new_price"]
        assert (each["days"] == 14) is each["complete"]
        for window in (each["before"], each["after"]):
            if each["days"]:
                assert window["units_per_day"] == pytest.approx(window["units"] / each["days"], abs=0.00005)
            else:
                assert (window["units"], window["units_per_day"], window["revenue_per_day"]) == (
                    0,
                    None,
                    None,
                )
            assert (window["orders_per_session"] is None) is (window["viewing_sessions"] == 0)
    assert any(each["before"]["units"] and each["after"]["viewing_sessions"] for each in changes)
    shorter = answer(api, "price-changes", days=3, limit=200)["changes"]
    assert [each["days"] for each in shorter] == [min(each["days"], 3) for each in changes]
    assert any(each["complete"] for each in answer(api, "price-changes", days=1, limit=200)["changes"])


@pytest.mark.usefixtures("history")
def test_pairs_are_of_own_products_in_several_orders(api: httpx.Client) -> None:
    shown = answer(api, "bought-together", min_orders=2, limit=200)
    pairs = shown["pairs"]

    assert pairs
    for pair in pairs:
        assert {pair["product_a"], pair["product_b"]} <= OWN
        assert 2 <= pair["orders"] <= min(pair["orders_a"], pair["orders_b"]) <= shown["orders"]
        lift = pair["orders"] * shown["orders"] / (pair["orders_a"] * pair["orders_b"])
        assert pair["lift"] == pytest.approx(lift, abs=0.00005)
    assert [pair["orders"] for pair in pairs] == sorted((pair["orders"] for pair in pairs), reverse=True)
    most = pairs[0]["orders"]
    assert answer(api, "bought-together", min_orders=most + 1)["pairs"] == []


@pytest.mark.usefixtures("history")
def test_no_form_has_a_product_of_another_seller(api: httpx.Client) -> None:
    base = f"/v1/sellers/{SELLER}/products"
    for path in (
        *(f"{base}/{name}" for name in ("price-changes", "bought-together")),
        *(f"{base}/{name}/export.csv" for name in ("price-changes", "bought-together")),
        f"/sell/{SELLER}/metrics?metric=product_views&period=all",
    ):
        shown = api.get(path, params=None if "?" in path else PERIOD).raise_for_status().text
        assert [product for product in FOREIGN if product in shown] == [], path


@pytest.mark.usefixtures("history")
def test_csv_and_files_have_the_figures_of_the_answer(api: httpx.Client) -> None:
    for name, entries in (("price-changes", "changes"), ("bought-together", "pairs")):
        given = {**PERIOD, "limit": 200} | ({"min_orders": 2} if entries == "pairs" else {})
        path = f"/v1/sellers/{SELLER}/products/{name}"
        shown = api.get(path, params=given).raise_for_status().json()[entries]
        table = api.get(path, params=given, headers={"Accept": "text/csv"})
        file = api.get(f"{path}/export.csv", params=given)
        rows = list(csv.DictReader(StringIO(table.text)))

        assert table.text == file.text
        assert file.headers["content-disposition"].startswith("attachment")
        for row, entry in zip(rows, shown, strict=True):
            if entries == "pairs":
                assert (row["product_a"], row["lift"]) == (entry["product_a"], str(entry["lift"]))
            else:
                after = entry["after"]
                per_day = after["units_per_day"]
                assert row["new_price"] == cell(entry["new_price"], is_money=True)
                assert row["revenue_after"] == cell(after["revenue"], is_money=True)
                assert row["revenue_per_day_after"] == cell(after["revenue_per_day"], is_money=True)
                assert row["currency"] == "BRL"
                assert row["units_per_day_after"] == ("" if per_day is None else str(per_day))


@pytest.mark.usefixtures("history")
def test_the_page_of_products_has_both_sections(api: httpx.Client) -> None:
    page = api.get(f"/sell/{SELLER}/metrics?metric=product_views&period=all").raise_for_status().text
    other = api.get(f"/sell/{SELLER}/metrics?metric=net_sales&period=all").raise_for_status().text

    assert "Price changes and what followed" in page
    assert "What biases this comparison" in page
    assert "Bought together" in page
    assert "Price changes and what followed" not in other


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("price-changes", {"days": 0}),
        ("price-changes", {"days": 91}),
        ("price-changes", {"from": "2017-02-31"}),
        ("bought-together", {"min_orders": 1}),
        ("bought-together", {"limit": 201}),
    ],
)
def test_what_can_t_be_answered_is_refused(api: httpx.Client, path: str, wrong: dict[str, Any]) -> None:
    refused = api.get(f"/v1/sellers/{SELLER}/products/{path}", params=wrong)

    assert refused.status_code == 422
    assert next(iter(wrong)) in refused.text
    assert api.get(f"/v1/sellers/nobody/products/{path}").status_code == 404
    assert api.get(f"/v1/sellers/nobody/products/{path}/export.csv").status_code == 404
