"""Sellers say what their products cost: all rows of a request or none, and every change is an event."""

from datetime import UTC, datetime

import pytest

from common.ids import new_id
from tests.integration.commerce.people import admin, staff

CSV = {"content-type": "text/csv; charset=utf-8"}
HEADER = "product_id,unit_cost,currency,valid_from\r\n"


@pytest.fixture
def seller(shop, eventually):
    """A seller of its own."""
    seller_id = f"s-{new_id()}"
    shop.tell("seller_registered", seller_id=seller_id)
    eventually(lambda: shop.sql("SELECT FROM sellers.sellers WHERE seller_id = $1", seller_id))
    return seller_id


@pytest.fixture
def products(shop, seller):
    """Two products of the seller, by id."""
    return sorted(shop.product(seller_id=seller) for _ in range(2))


@pytest.fixture
def owner(shop, seller):
    return shop.as_principal(staff(seller, "owner"))


def cost(product_id, unit_cost_minor, valid_from="2026-01-01", currency="BRL"):
    return {
        "product_id": product_id, "unit_cost_minor": unit_cost_minor, "currency": currency,
        "valid_from": valid_from,
    }  # fmt: skip


def stored(owner, seller):
    """Return product → the costs that the API shows."""
    shown = owner.get(f"/v1/sellers/{seller}/costs").raise_for_status().json()
    assert (shown["currency"], shown["next_after"]) == ("BRL", None)
    return {
        each["product_id"]: [(one["valid_from"], one["unit_cost_minor"]) for one in each["costs"]]
        for each in shown["products"]
    }


def events(shop, products):
    return [event for product in products for event in shop.events("product_cost_set", product)]


def test_every_changed_cost_is_an_event_and_the_same_request_again_changes_nothing(
    shop, seller, products, owner, eventually
):
    path, (lamp, desk) = f"/v1/sellers/{seller}/costs", products
    body = [cost(lamp, 500), cost(lamp, 700, "2026-06-01"), cost(desk, 0)]

    answers = [owner.put(path, json=body).raise_for_status().json() for _ in range(2)]
    corrected = owner.put(
        path, json=[cost(lamp, 650, "2026-06-01"), cost(desk, None), cost(desk, None, "2026-02-01")]
    )

    assert [answer["changed"] for answer in answers] == [3, 0]
    assert corrected.json() == {"seller_id": seller, "received": 3, "changed": 2}
    assert stored(owner, seller) == {lamp: [("2026-01-01", 500), ("2026-06-01", 650)], desk: []}
    told = eventually(lambda: found if len(found := events(shop, products)) == 5 else None)
    newest = {(event["product_id"], event["valid_from"]): event for event in told}
    june = newest[lamp, datetime(2026, 6, 1, 3, tzinfo=UTC)]
    assert (june["seller_id"], june["unit_cost_minor"], june["version"]) == (seller, 650, 2)
    removed = newest[desk, datetime(2026, 1, 1, 3, tzinfo=UTC)]
    assert (removed["removed"], removed["version"], removed["currency"]) == (True, 2, "BRL")


def test_the_file_is_filled_in_and_sent_back(seller, products, owner):
    path, (lamp, desk) = f"/v1/sellers/{seller}/costs", products
    template = owner.get(f"{path}.csv").raise_for_status()
    assert template.headers["content-type"].startswith("text/csv")
    assert template.text == f"{HEADER}{lamp},,BRL,\r\n{desk},,BRL,\r\n"

    filled = f"{HEADER}{lamp},12.90,BRL,2026-01-01\r\n{desk},,BRL,\r\n"
    saved = owner.put(path, content=filled.encode(), headers=CSV).raise_for_status()

    assert saved.json() == {"seller_id": seller, "received": 1, "changed": 1}
    assert owner.get(f"{path}.csv").text == filled
    assert stored(owner, seller) == {lamp: [("2026-01-01", 1290)], desk: []}


def test_if_one_row_is_bad_none_is_saved_and_every_bad_row_is_named(shop, seller, products, owner):
    path, (lamp, _) = f"/v1/sellers/{seller}/costs", products
    foreign = shop.product(seller_id=f"s-{new_id()}")

    by_json = owner.put(path, json=[cost(lamp, 1), cost(lamp, -1), cost(lamp, 1.5), {"product_id": lamp}])
    unlisted = owner.put(path, json=[cost(lamp, 1), cost(foreign, 2), cost("no such product", 3)])
    by_csv = owner.put(path, content=f"{HEADER}{lamp},1.001,BRL,2026-01-01\r\n".encode(), headers=CSV)

    for refused in (by_json, unlisted, by_csv):
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:souk:problem:bad-costs")
    assert {error["row"] for error in by_json.json()["errors"]} == {2, 3, 4}
    assert [error["row"] for error in unlisted.json()["errors"]] == [2, 3]
    assert by_csv.json()["errors"][0]["message"] == "unit_cost '1.001' has more than the 2 decimals of BRL"
    assert owner.put(path, content=b"a=1", headers={"content-type": "text/plain"}).status_code == 415
    assert owner.put(path, json={}).status_code == 422
    assert stored(owner, seller) == {product: [] for product in products}
    assert events(shop, products) == []


def test_the_file_of_a_brazilian_spreadsheet_is_read_as_the_spreadsheet_saves_it(seller, products, owner):
    path, (lamp, desk) = f"/v1/sellers/{seller}/costs", products
    header = "product_id;descrição;unit_cost;currency;valid_from\r\n"
    rows = f"{lamp};Luminária;1.234,50;BRL;26/11/2026\r\n{desk};Mesa;R$ 12,50;BRL;01/12/2026\r\n"

    owner.put(path, content=(header + rows).encode("cp1252"), headers=CSV).raise_for_status()

    assert stored(owner, seller) == {lamp: [("2026-11-26", 123_450)], desk: [("2026-12-01", 1_250)]}


def test_a_product_has_at_most_a_hundred_costs(seller, products, owner):
    path, days = (
        f"/v1/sellers/{seller}/costs",
        [f"20{year}-{month:02}-01" for year in range(10, 20) for month in range(1, 12)],
    )
    owner.put(path, json=[cost(products[0], 1, day) for day in days[:100]]).raise_for_status()

    refused = owner.put(path, json=[cost(products[1], 1), cost(products[0], 1, days[100])])

    assert refused.status_code == 422
    assert [error["row"] for error in refused.json()["errors"]] == [2]
    assert stored(owner, seller)[products[1]] == []


def test_costs_are_for_managers_and_for_nobody_of_another_seller(shop, seller, products, owner):
    path = f"/v1/sellers/{seller}/costs"
    owner.put(path, json=[cost(products[0], 100)]).raise_for_status()
    analyst, packer = (shop.as_principal(staff(seller, role)) for role in ("analyst", "fulfilment"))
    stranger = shop.as_principal(staff(f"s-{new_id()}", "owner"))

    assert (analyst.get(path).status_code, analyst.put(path, json=[]).status_code) == (200, 403)
    assert (packer.get(path).status_code, packer.get(f"{path}.csv").status_code) == (403, 403)
    assert [stranger.get(path).status_code, stranger.get(f"{path}.csv").status_code] == [404, 404]
    assert stranger.put(path, json=[cost(products[0], 1)]).status_code == 404
    nobody = f"/v1/sellers/{new_id()}/costs"
    assert shop.as_principal(admin()).put(nobody, json=[]).status_code == 404
    assert stored(owner, seller)[products[0]] == [("2026-01-01", 100)]
