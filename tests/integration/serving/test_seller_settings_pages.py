"""The application to sell and a seller's settings, with real services, in a Chromium without scripts."""

import re
from datetime import date, timedelta

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from common.ids import new_id
from common.principal import Principal
from common.settings import Settings
from tests.integration.serving.conftest import Office
from tests.integration.serving.layouts import layouts, scroll_width
from tests.integration.serving.visits import ADMIN, approved_seller, shopper, staff, visit
from tests.principals import bearer

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, office: Office, seller: tuple[str, str]) -> Page:
    """The settings of the seller as its owner sees them."""
    seller_id, owner = seller
    return visit(browser, office, staff(seller_id, "owner", owner), f"/sell/{seller_id}/settings")


def test_an_application_is_sent_and_waits(browser: Browser, office: Office) -> None:
    person = shopper(office.register(f"ana-{new_id()}@lamps.example"))
    page = visit(browser, office, person, "/sell/apply")

    page.get_by_label("Name of your shop").fill("Casa das Lâmpadas")
    page.get_by_label("E-mail address of the shop").fill("casa@lamps.example")
    page.get_by_label("Legal name").fill("Casa Ltda")
    page.get_by_label("Tax id").fill("12.345")
    page.get_by_label("Country").fill("br")
    page.get_by_label("What do you sell?").fill("Lamps.\nAnd lanterns.")
    page.get_by_role("button", name="Send the application").click()

    expect(page.get_by_role("status")).to_contain_text("Your application was sent.")
    expect(page.get_by_text("Waits for a decision")).to_be_visible()
    expect(page.get_by_role("button", name="Send the application")).to_have_count(0)
    (sent,) = office.http(person).get("/v1/seller_applications/mine").json()["applications"]
    assert (sent["name"], sent["country"], sent["currency"]) == ("Casa das Lâmpadas", "BR", "BRL")
    assert sent["description"] == "Lamps.\nAnd lanterns."


def test_an_application_that_is_refused_by_the_service_keeps_what_was_typed(office: Office) -> None:
    person = shopper(office.register(f"ana-{new_id()}@lamps.example"))
    form = {
        "form": "apply",
        "name": "Casa",
        "legal_name": "Casa",
        "tax_id": "1",
        "contact_email": "no address",
    }
    answer = office.http(person).post("/sell/apply", data=form | {"country": "BR"})
    assert answer.status_code == 422
    assert "contact_email" in answer.text
    assert 'value="no address"' in answer.text


@pytest.mark.nightly
def test_the_profile_is_changed_and_emptied(office: Office, seller: tuple[str, str], page: Page) -> None:
    page.locator("#profile-name").fill("Casa Nova")
    page.get_by_label("City").fill("Campinas")
    page.get_by_label("Phone").fill("")
    page.get_by_label("Description").fill("Lamps.")
    page.get_by_role("button", name="Save the profile").click()

    expect(page.get_by_role("status")).to_contain_text("The profile is saved.")
    expect(page.get_by_role("heading", name="Casa Nova")).to_be_visible()
    profile = office.http(ADMIN).get(f"/v1/sellers/{seller[0]}/profile").json()
    assert (profile["name"], profile["city"], profile["description"]) == ("Casa Nova", "Campinas", "Lamps.")
    assert (profile["phone"], profile["legal_name"]) == (None, "Casa das Lâmpadas Ltda")


def accepted(office: Office, email: str, user_id: str) -> None:
    """Accept the newest invitation to an address, as its person does."""
    token = office.mailed_token(email, "staff_invitation")
    answer = office.http(shopper(user_id)).post("/v1/staff_invitations/acceptances", json={"token": token})
    answer.raise_for_status()


def test_the_settings_and_the_costs_have_the_tabs_and_name_the_people(
    browser: Browser, office: Office, seller: tuple[str, str], page: Page
) -> None:
    for path, tab in (("settings", "Settings"), ("costs", "Costs")):
        page.goto(f"/sell/{seller[0]}/{path}")
        tabs = page.get_by_role("navigation", name="Pages of this seller")
        expect(tabs.locator("[aria-current]")).to_have_text(tab)
        expect(tabs.get_by_role("link", name="Overview")).to_be_visible()
    page.goto(f"/sell/{seller[0]}/settings")
    mine = page.locator("section[aria-labelledby=staff] li .item-title").first
    expect(mine).to_contain_text("(you)")
    expect(mine).not_to_contain_text("Person")
    of_admin = visit(browser, office, ADMIN, f"/sell/{seller[0]}/settings")
    expect(of_admin.locator("section[aria-labelledby=staff] li .item-title").first).to_contain_text("@")


def test_who_looks_around_as_the_owner_is_told_that_nobody_can_be_invited(
    office: Office, seller: tuple[str, str]
) -> None:
    http = office.http(staff(seller[0], "owner", seller[1]))
    http.cookies.set("souk_signed_in", "demo")
    demo = http.get(f"/sell/{seller[0]}/settings").raise_for_status().text
    assert "You look around as the owner of this shop" in demo
    assert "Send the invitation" not in demo
    assert "Change the role" not in demo


def test_a_country_is_known_by_its_name_and_never_by_its_first_letters(
    office: Office, seller: tuple[str, str]
) -> None:
    http = office.http(staff(seller[0], "owner", seller[1]))
    profile = f"/v1/sellers/{seller[0]}/profile"
    for typed, code in (("Germany", "DE"), ("brasil", "BR"), ("pt", "PT")):
        form = {"form": "profile", "name": "Lamps", "country": typed}
        answer = http.post(f"/sell/{seller[0]}/settings/profile", data=form)
        assert answer.is_success or answer.is_redirect, answer.text
        assert http.get(profile).json()["country"] == code
    form = {"form": "profile", "name": "Lamps", "country": "Atlantis"}
    refused = http.post(f"/sell/{seller[0]}/settings/profile", data=form)
    assert refused.status_code == 422
    assert http.get(profile).json()["country"] == "PT"


def test_a_person_is_invited_promoted_and_removed(
    office: Office, seller: tuple[str, str], page: Page
) -> None:
    email = f"rui-{new_id()}@lamps.example"
    user_id = office.register(email)

    def roles() -> dict[str, str]:
        people = office.http(ADMIN).get(f"/v1/sellers/{seller[0]}/staff").json()["staff"]
        return {one["user_id"]: one["role"] for one in people}

    page.locator("#invite-email").fill(email)
    page.locator("#invite-role").select_option("analyst")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("status")).to_contain_text("The invitation is on its way")
    invitation = page.get_by_role("listitem").filter(has_text=email)
    expect(invitation).to_contain_text("Analyst")
    assert roles() == {seller[1]: "owner"}

    accepted(office, email, user_id)
    page.reload()
    expect(invitation).to_have_count(0)
    assert roles() == {seller[1]: "owner", user_id: "analyst"}

    person = page.get_by_role("listitem").filter(has=page.locator(f"#role-{user_id}-role"))
    person.get_by_text("Change the role…").click()
    person.get_by_label("Role").select_option("manager")
    person.get_by_role("button", name="Save the role").click()
    expect(page.get_by_role("status")).to_contain_text("The role has changed.")
    assert roles()[user_id] == "manager"

    person.get_by_text("Remove…").click()
    person.get_by_role("button", name="Remove from the staff").click()
    expect(page.get_by_role("status")).to_contain_text("does not belong to the staff any more")
    assert roles() == {seller[1]: "owner"}


@pytest.mark.nightly
def test_an_invitation_is_withdrawn(office: Office, seller: tuple[str, str], page: Page) -> None:
    email = f"rui-{new_id()}@lamps.example"
    page.locator("#invite-email").fill(email)
    page.get_by_role("button", name="Send the invitation").click()
    invitation = page.get_by_role("listitem").filter(has_text=email)

    invitation.get_by_text("Withdraw…").click()
    invitation.get_by_role("button", name="Withdraw the invitation").click()

    expect(page.get_by_role("status")).to_contain_text("The invitation is withdrawn")
    expect(invitation).to_have_count(0)
    assert office.http(ADMIN).get(f"/v1/sellers/{seller[0]}/staff").json()["invitations"] == []


def test_the_last_owner_can_t_be_removed(page: Page) -> None:
    page.get_by_text("Remove…").click()
    page.get_by_role("button", name="Remove from the staff").click()
    expect(page.get_by_role("alert")).to_contain_text("A seller keeps at least one owner")


def test_an_api_key_is_shown_once_works_and_is_revoked(
    office: Office, seller: tuple[str, str], page: Page
) -> None:
    page.locator("#key-name").fill("Warehouse")
    page.get_by_label("See the profile").check()
    page.get_by_label("Valid until the end of").fill((date.today() + timedelta(days=30)).isoformat())  # noqa: DTZ011
    page.get_by_role("button", name="Create the key").click()

    key = page.locator("#new-key").inner_text()
    assert re.fullmatch(r"souk_\w{43}", key)
    profile = f"{office.settings.serving}/v1/sellers/{seller[0]}/profile"
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx.get(profile, headers=headers, trust_env=False).status_code == 200

    page.get_by_role("link", name="I have copied it").click()
    assert key not in page.content()
    item = page.get_by_role("listitem").filter(has_text="Warehouse")
    expect(item).to_contain_text("See the profile")
    expect(item).to_contain_text("Last used")

    item.get_by_text("Revoke…").click()
    item.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_role("status")).to_contain_text("The key is revoked.")
    (stored,) = office.http(ADMIN).get(f"/v1/sellers/{seller[0]}/api_keys").json()["api_keys"]
    assert stored["revoked_at"] is not None
    assert "key" not in stored


def test_a_key_without_a_scope_is_refused(page: Page) -> None:
    page.locator("#key-name").fill("Nothing")
    page.get_by_role("button", name="Create the key").click()
    expect(page.get_by_role("alert")).to_contain_text("Tick at least one")
    expect(page.locator("#key-name")).to_have_value("Nothing")


@pytest.mark.nightly
def test_the_commission_that_applies_is_shown(office: Office, seller: tuple[str, str], page: Page) -> None:
    body = {"seller_id": seller[0], "rate_bp": 450, "reason": "Agreed."}
    office.http(ADMIN).post("/v1/commission_rules", json=body).raise_for_status()
    page.reload()
    expect(page.get_by_role("listitem").filter(has_text="All your products")).to_contain_text("4.5 %")


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("manager", 200), ("analyst", 403), ("fulfilment", 403)]
)
def test_only_owners_and_managers_open_the_settings(
    office: Office, seller: tuple[str, str], role: str, status: int
) -> None:
    answer = office.http(staff(seller[0], role)).get(f"/sell/{seller[0]}/settings")
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("profile", {"name": "Mine"}),
        ("invitations", {"email": "me@mine.example", "role": "owner"}),
        ("invitations/{owner}/withdrawal", {}),
        ("staff/{owner}/role", {"role": "analyst"}),
        ("staff/{owner}/removal", {}),
        ("keys", {"name": "Mine", "scope": "profile:write"}),
        ("keys/{owner}/revocation", {}),
    ],
)
def test_another_seller_s_settings_are_not_there(
    office: Office, seller: tuple[str, str], path: str, form: dict[str, str]
) -> None:
    other, _ = approved_seller(office)
    before = office.http(ADMIN).get(f"/v1/sellers/{seller[0]}/profile").json()
    with office.http(staff(other, "owner")) as http:
        seen = http.get(f"/sell/{seller[0]}/settings").status_code
        sent = http.post(f"/sell/{seller[0]}/settings/{path.format(owner=seller[1])}", data=form).status_code
    assert (seen, sent) == (404, 404)
    assert office.http(ADMIN).get(f"/v1/sellers/{seller[0]}/profile").json() == before


def test_a_manager_can_t_make_an_owner(office: Office, seller: tuple[str, str]) -> None:
    owner = office.http(staff(seller[0], "owner", seller[1]))
    email = f"rita-{new_id()}@lamps.example"
    manager = office.register(email)
    body = {"email": email, "role": "manager"}
    owner.post(f"/v1/sellers/{seller[0]}/staff_invitations", json=body).raise_for_status()
    accepted(office, email, manager)
    answer = office.http(staff(seller[0], "manager", manager)).post(
        f"/sell/{seller[0]}/settings/staff/{manager}/role", data={"role": "owner"}
    )
    assert answer.status_code == 403
    assert "Only an owner of the seller may make or remove an owner" in answer.text


def test_the_seller_s_page_links_to_the_settings_for_its_managers(shop: Settings) -> None:
    def links_to_settings(principal: Principal) -> bool:
        answer = httpx.get(f"{shop.serving}/sell/ana", headers=bearer(shop, principal), trust_env=False)
        return "/sell/ana/settings" in answer.raise_for_status().text

    analyst = Principal(new_id(), frozenset({"analyst"}), session_id="s")
    assert [links_to_settings(one) for one in (staff("ana", "owner"), staff("ana", "manager"), ADMIN)] == [
        True
    ] * 3
    assert [links_to_settings(one) for one in (staff("ana", "analyst"), analyst)] == [False] * 2


@pytest.mark.nightly
@pytest.mark.parametrize(("seller_id", "is_new"), [("ana", False), ("new", True)])
@pytest.mark.parametrize("period", ["", "?period=all", "?from=2016-01-01&to=2016-01-02"])
def test_only_a_seller_who_never_sold_anything_is_told_the_first_steps(
    shop: Settings, seller_id: str, is_new: bool, period: str
) -> None:
    page = httpx.get(
        f"{shop.serving}/sell/{seller_id}{period}",
        headers=bearer(shop, staff(seller_id, "owner")),
        timeout=60,
    )

    assert page.status_code == 200
    assert ("First steps" in page.text) == is_new


@pytest.mark.nightly
def test_the_pages_fit_every_width(browser: Browser, office: Office, seller: tuple[str, str]) -> None:
    headers = bearer(office.settings, staff(seller[0], "owner", seller[1]))
    context = browser.new_context(base_url=office.settings.serving, extra_http_headers=headers)
    page = context.new_page()
    here = f"/sell/{seller[0]}"
    for path in ("/sell/apply", f"{here}/settings", f"{here}/costs", f"{here}/vouchers"):
        page.goto(path)
        for theme, width in layouts(page):
            assert scroll_width(page) <= width, f"{path} at {width} px, {theme}"
    context.close()


def test_costs_are_set_one_by_one_and_with_a_file(
    browser: Browser, office: Office, seller: tuple[str, str]
) -> None:
    seller_id, owner = seller
    products = sorted(office.shop.product(seller_id=seller_id) for _ in range(2))
    page = visit(browser, office, staff(seller_id, "owner", owner), f"/sell/{seller_id}/costs")

    page.get_by_label("Product id").fill(products[0])
    page.get_by_label("Cost of a unit in BRL").fill("12.90")
    page.get_by_label("Valid from").fill("2026-01-31")
    page.get_by_role("button", name="Save the cost").click()
    expect(page.get_by_role("status")).to_contain_text("The cost is saved.")
    expect(page.get_by_role("row", name=products[0])).to_contain_text("R$12.90 from 2026-01-31")

    file = "product_id,unit_cost,currency,valid_from\n"
    page.get_by_label("Content of the file").fill(f"{file}{products[1]},1.001,BRL,2026-01-01")
    page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Row 2: unit_cost '1.001' has more than the 2 decimals of BRL"
    )
    page.get_by_label("Content of the file").fill(f"{file}{products[1]},7,BRL,2026-01-01")
    page.get_by_role("button", name="Send the file").click()

    expect(page.get_by_role("row", name=products[1])).to_contain_text("R$7.00 from 2026-01-01")
