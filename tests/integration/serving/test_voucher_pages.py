"""Vouchers of a seller and of the marketplace, on their pages, in a Chromium without scripts."""

import pytest
from playwright.sync_api import Browser, Page, expect

from common.ids import new_id
from tests.integration.serving.conftest import Office
from tests.integration.serving.visits import ADMIN, staff, visit

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, office: Office, seller: tuple[str, str]) -> Page:
    """The vouchers of the seller as its owner sees them."""
    seller_id, owner = seller
    return visit(browser, office, staff(seller_id, "owner", owner), f"/sell/{seller_id}/vouchers")


def test_a_voucher_is_created_listed_in_words_and_ended(page: Page) -> None:
    code = f"LAMP-{new_id()[-8:].upper()}"
    page.locator("#create-name").fill("Lamp week")
    page.locator("#create-code").fill(code.lower())
    page.locator("#create-percent").fill("12.5")
    page.locator("#create-product_id").fill("lamp")
    page.locator("#create-minimum").fill("50")
    page.locator("#create-limit_total").fill("100")
    page.locator("#create-ends_at").fill("2099-01-31T18:00")
    page.get_by_label("Only for a shopper's first order").check()
    page.get_by_role("button", name="Create the voucher").click()

    expect(page.get_by_role("status")).to_contain_text("The voucher is created.")
    row = page.locator("[data-voucher]").first
    for said in (
        "Lamp week",
        code,
        "Active",
        "used 0 of 100 times",
        "12.5 % off",
        "only product lamp",
        "R$50",
    ):
        expect(row).to_contain_text(said)
    expect(row).to_contain_text("only for a first order")
    row.get_by_text("End…").click()
    row.get_by_role("button", name="End the voucher").click()
    expect(page.get_by_role("status")).to_contain_text("The voucher has ended.")
    expect(page.locator("[data-voucher]").first).to_contain_text("Ended")
    expect(page.locator("[data-voucher]").first.get_by_text("End…")).to_have_count(0)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"percent": ""}, "Enter the percentage"),
        ({"percent": "101"}, "percentage from 0 to 100"),
        ({"kind": "amount", "amount": ""}, "Enter the amount"),
        ({"kind": "amount", "amount": "1.234"}, "an amount in BRL"),
        ({"percent": "5", "code": "a b"}, "code"),
        ({"percent": "5", "category": "Lamps", "product_id": "lamp"}, "not for both"),
        ({"percent": "5", "starts_at": "2099-01-02T00:00", "ends_at": "2099-01-01T00:00"}, "after starts_at"),
        ({"percent": "5", "limit_total": "1.5"}, "a whole number"),
    ],
)
def test_what_is_refused_says_why_and_keeps_what_was_typed(
    office: Office, seller: tuple[str, str], fields: dict[str, str], said: str
) -> None:
    seller_id, owner = seller
    form = {"form": "create", "name": "Typed before", "kind": "percentage", **fields}
    answer = office.http(staff(seller_id, "owner", owner)).post(f"/sell/{seller_id}/vouchers", data=form)

    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="Typed before"' in answer.text


def test_the_marketplace_creates_and_ends_its_own(browser: Browser, office: Office) -> None:
    page = visit(browser, office, ADMIN, "/admin/vouchers")
    name = f"Welcome {new_id()[-6:]}"
    page.locator("#create-name").fill(name)
    page.locator("#create-kind").select_option("amount")
    page.locator("#create-amount").fill("10")
    page.get_by_role("button", name="Create the voucher").click()

    row = page.locator("[data-voucher]").first
    expect(row).to_contain_text(name)
    expect(row).to_contain_text("applies by itself")
    row.get_by_text("End…").click()
    row.get_by_role("button", name="End the voucher").click()
    expect(page.get_by_role("status")).to_contain_text("The voucher has ended.")
