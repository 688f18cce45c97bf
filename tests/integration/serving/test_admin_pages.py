"""The pages of administration with real commerce services, in a Chromium that runs no scripts."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from common.guarded_route import GuardedRoute
from common.ids import new_id
from common.principal import Principal, platform
from common.settings import Settings
from serving.web.admin.pages import ROUTERS
from tests.integration.servers import await_true
from tests.integration.serving.conftest import Office, ask, put
from tests.integration.serving.layouts import layouts, scroll_width
from tests.integration.serving.visits import (
    ADMIN,
    application,
    approved_seller,
    shopper,
    staff,
    visit,
)
from tests.principals import bearer

pytestmark = pytest.mark.browser

ROUTES = sorted(
    (method, re.sub(r"\{\w+\}", "x", route.path))
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, GuardedRoute)
    for method in route.methods or ()
)
KEY = Principal("key:1", frozenset({"seller"}), sellers={"ana": "manager"}, scopes=frozenset({"staff:read"}))
OTHERS = {
    "a shopper": shopper(new_id()),
    "an owner": staff("ana", "owner"),
    "an analyst": Principal(new_id(), frozenset({"shopper", "analyst"}), session_id="s-analyst"),
    "an API key": KEY,
}


@pytest.fixture(scope="module", autouse=True)
def administrator(office: Office) -> None:
    """The marketplace keeps an administrator, whatever these tests do to the others."""
    office.register(f"admin-{new_id()}@shop.example", "admin")


def applied(office: Office, **changes: str) -> tuple[dict[str, Any], str]:
    """Return a new application, and who applied."""
    user_id = office.register(f"applicant-{new_id()}@lamps.example")
    sent = office.http(shopper(user_id)).post("/v1/seller_applications", json=application(**changes))
    found: dict[str, Any] = sent.raise_for_status().json()
    return found, user_id


def of_application(page: Page, sent: dict[str, Any]) -> Any:
    return page.locator(f"[id='{sent['application_id']}']")


def setting(office: Office, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = office.http(ADMIN).get("/v1/settings").raise_for_status().json()
    return next(each for each in found if each["name"] == name)


def test_an_approved_application_makes_its_applicant_the_owner(browser: Browser, office: Office) -> None:
    sent, user_id = applied(office)
    page = visit(browser, office, ADMIN, "/admin/sellers")
    item = of_application(page, sent)

    item.get_by_text("Approve…").click()
    item.get_by_label("Agreed commission in %").fill("7.5")
    item.get_by_role("button", name="Approve", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("The application is approved.")
    owner = office.http(staff(sent["seller_id"], "owner", user_id))
    people = owner.get(f"/v1/sellers/{sent['seller_id']}/staff").json()["staff"]
    assert [(one["user_id"], one["role"]) for one in people] == [(user_id, "owner")]
    assert owner.get(f"/v1/sellers/{sent['seller_id']}/commission").json()["seller"]["rate_bp"] == 750


@pytest.mark.nightly
def test_a_refused_application_shows_its_reason_to_the_applicant(browser: Browser, office: Office) -> None:
    sent, user_id = applied(office)
    page = visit(browser, office, ADMIN, "/admin/sellers")
    item = of_application(page, sent)

    item.get_by_text("Refuse…").click()
    item.get_by_label("Reason, which the applicant reads").fill("The tax id is another's <b>company</b>.")
    item.get_by_role("button", name="Refuse the application").click()

    expect(page.get_by_role("status")).to_contain_text("The application is refused.")
    theirs = visit(browser, office, shopper(user_id), "/sell/apply")
    expect(theirs.get_by_text("The tax id is another's <b>company</b>.")).to_be_visible()
    expect(theirs.get_by_role("heading", name="Apply again")).to_be_visible()


@pytest.mark.nightly
def test_what_was_typed_stays_when_it_is_refused(browser: Browser, office: Office) -> None:
    sent, _ = applied(office)
    page = visit(browser, office, ADMIN, "/admin/sellers")
    item = of_application(page, sent)
    item.get_by_text("Approve…").click()
    item.get_by_label("Agreed commission in %").fill("150")

    item.get_by_role("button", name="Approve", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("a percentage from 0 to 100")
    expect(of_application(page, sent).get_by_label("Agreed commission in %")).to_have_value("150")


@pytest.mark.nightly
def test_a_seller_is_suspended_with_a_reason_and_reinstated(browser: Browser, office: Office) -> None:
    seller_id, owner = approved_seller(office)
    page = visit(browser, office, ADMIN, f"/admin/sellers/{seller_id}")

    page.get_by_text("Suspend the seller…").click()
    page.get_by_label("Reason, which the seller reads").fill("Parcels did not arrive.")
    page.get_by_role("button", name="Suspend", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("The seller is suspended.")
    expect(page.get_by_text("Parcels did not arrive.")).to_be_visible()
    profile = f"/v1/sellers/{seller_id}/profile"
    assert office.http(ADMIN).get(profile).json()["status"] == "suspended"

    page.get_by_text("End the suspension…").click()
    page.get_by_label("Reason").fill("They have arrived.")
    page.get_by_role("button", name="End the suspension", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("The suspension has ended.")
    assert office.http(staff(seller_id, "owner", owner)).get(profile).json()["status"] == "approved"


def test_a_person_is_found_gets_a_role_and_is_suspended(browser: Browser, office: Office) -> None:
    email = f"rui-{new_id()}@shop.example"
    user_id = office.register(email)
    page = visit(browser, office, ADMIN, "/admin/people")
    page.get_by_label("A part of the e-mail address or the name").fill(email)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=email).click()

    page.get_by_label("Role in the marketplace").select_option("analyst")
    page.get_by_role("button", name="Save the role").click()
    expect(page.get_by_role("status")).to_contain_text("The role has changed.")

    page.get_by_text("Suspend the person…").click()
    page.get_by_label("Reason, which the person reads").fill("Stolen cards.")
    page.get_by_role("button", name="Suspend", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The person is suspended.")

    person = office.http(ADMIN).get(f"/v1/people/{user_id}").json()
    assert (person["role"], person["suspension_reason"]) == ("analyst", "Stolen cards.")

    page.get_by_text("End the suspension…").click()
    page.get_by_role("button", name="End the suspension", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The person can sign in again.")
    assert office.http(ADMIN).get(f"/v1/people/{user_id}").json()["suspended_at"] is None


@pytest.mark.nightly
def test_a_setting_is_changed_and_rolled_back(browser: Browser, office: Office) -> None:
    page = visit(browser, office, ADMIN, "/admin/settings")
    page.get_by_role("link", name="maintenance_banner").click()
    before = setting(office, "maintenance_banner")

    for value in ("We are back at noon.", "We are back at one."):
        page.get_by_label("Value").fill(value)
        page.locator("#change-reason").fill("A new database server.")
        page.get_by_role("button", name="Change the setting").click()
        expect(page.get_by_role("status")).to_contain_text("The setting has changed.")
    changed = setting(office, "maintenance_banner")
    assert (changed["version"], changed["value"]) == (before["version"] + 2, "We are back at one.")

    first = before["version"] + 1
    page.get_by_text(f"Roll back to version {first}…").click()
    page.locator(f"#back-{first}-reason").fill("Noon was right.")
    page.get_by_role("button", name="Roll back", exact=True).locator("visible=true").click()

    expect(page.get_by_role("status")).to_contain_text("The setting is rolled back.")
    expect(page.get_by_text(f"Back to version {first}", exact=True)).to_be_visible()
    rolled_back = setting(office, "maintenance_banner")
    assert (rolled_back["value"], rolled_back["rolled_back_to"]) == ("We are back at noon.", first)
    assert rolled_back["author"] == ADMIN.subject


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("shedding_enabled", "false", False),
        ("rate_limit_page", "1234", 1234),
        ("recommendations_enabled", "12.5", 12.5),
    ],
)
def test_settings_of_each_type_can_be_changed(office: Office, name: str, value: str, stored: object) -> None:
    with office.http(ADMIN) as http:
        before = setting(office, name)
        form = {"value": value, "reason": "A test.", "version": str(before["version"])}
        answer = http.post(f"/admin/settings/{name}", data=form)
        assert answer.status_code == 303
        assert setting(office, name)["value"] == stored
        again = {"version": str(before["version"]), "reason": "The test is over."}
        assert http.post(f"/admin/settings/{name}/rollback", data=again).status_code == 303
        assert setting(office, name)["value"] == before["value"]


def test_a_list_is_changed_as_json(office: Office) -> None:
    name = "recommendation_sponsored_places"
    with office.http(ADMIN) as http:
        version = str(setting(office, name)["version"])
        form = {"form": "change", "value": "[2, 8]", "reason": "fewer", "version": version}
        changed = http.post(f"/admin/settings/{name}", data=form)
        assert (changed.status_code, setting(office, name)["value"]) == (303, [2, 8])
        for value in ("[2, 0]", "{}", "2,", '["two"]'):
            again = form | {"value": value, "version": str(setting(office, name)["version"])}
            assert http.post(f"/admin/settings/{name}", data=again).status_code == 422
        back = {"form": "back-0", "version": "0", "reason": "enough"}
        assert http.post(f"/admin/settings/{name}/rollback", data=back).status_code == 303
    assert setting(office, name)["value"] == [4, 10]


def test_a_value_that_a_setting_does_not_take_is_refused(office: Office) -> None:
    with office.http(ADMIN) as http:
        before = setting(office, "rate_limit_read")
        form = {"form": "change", "value": "0", "reason": "A test.", "version": str(before["version"])}
        refused = http.post("/admin/settings/rate_limit_read", data=form)
        no_number = http.post("/admin/settings/rate_limit_read", data=form | {"value": "many"})
    assert (refused.status_code, no_number.status_code) == (422, 422)
    assert "rate_limit_read takes a whole number from 1" in refused.text
    assert "The value must be a number" in no_number.text
    assert setting(office, "rate_limit_read") == before


def test_a_change_of_an_outdated_page_is_refused(office: Office) -> None:
    with office.http(ADMIN) as http:
        outdated = str(setting(office, "maintenance_banner")["version"])
        http.put("/v1/settings/maintenance_banner", json={"value": new_id(), "reason": "Another's."})
        form = {"form": "change", "value": "Mine", "reason": "Mine.", "version": outdated}
        answer = http.post("/admin/settings/maintenance_banner", data=form)
    assert answer.status_code == 409
    assert "The setting was changed meanwhile" in answer.text
    assert setting(office, "maintenance_banner")["value"] != "Mine"


@pytest.mark.nightly
def test_a_commission_rule_is_added_and_applies(browser: Browser, office: Office) -> None:
    category = f"lamps {new_id()}"
    page = visit(browser, office, ADMIN, "/admin/commission")

    page.get_by_label("Rate in %").fill("12.25")
    page.get_by_label("Only for the category").fill(category)
    page.get_by_label("At least, in BRL").fill("1.50")
    page.locator("#add-reason").fill("Lamps sell themselves.")
    page.get_by_role("button", name="Add the rule").click()

    expect(page.get_by_role("status")).to_contain_text("The rule is added.")
    row = page.get_by_role("row").filter(has_text=category[:1].upper() + category[1:])
    expect(row).to_contain_text("12.25 %")
    expect(row).to_contain_text("at least R$1.50")
    expect(row).to_contain_text("In force")
    (rule,) = office.http(ADMIN).get("/v1/commission_rules", params={"category": category}).json()["rules"]
    assert (rule["rate_bp"], rule["minimum_minor"], rule["currency"]) == (1225, 150, "BRL")


def test_lists_show_the_names_of_categories_in_the_language_of_the_page(office: Office) -> None:
    category = f"glow-{new_id()[-8:]}"
    names = {"en": f"Fairy lights {category}", "pt_BR": f"Luzinhas {category}"}
    seller_id, owner = approved_seller(office)
    with office.http(ADMIN) as http:
        http.put(f"/v1/admin/categories/{category}", json={"names": names}).raise_for_status()
        rule = {"form": "add", "category": category, "rate": "5", "reason": "A test."}
        assert http.post("/admin/commission", data=rule).status_code == 303
        listing = {"name": "Thing", "category": category, "price_minor": 100}
        with office.http(staff(seller_id, "owner", owner)) as seller:
            seller.post(f"/v1/sellers/{seller_id}/listings", json=listing).raise_for_status()
            for path, client in (
                ("/admin/commission", http),
                (f"/admin/listings?seller_id={seller_id}", http),
                (f"/sell/{seller_id}/listings", seller),
                (f"/sell/{seller_id}/settings", seller),
            ):
                for language, name in (("en", names["en"]), ("pt-BR", names["pt_BR"])):
                    headers = {"Accept-Language": language, "Accept": "text/html"}
                    await_true(lambda: name in client.get(path, headers=headers).text, f"{name} on {path}")  # noqa: B023


def test_a_rule_that_the_service_refuses_shows_why(office: Office) -> None:
    form = {"form": "add", "rate": "5", "minimum": "2", "maximum": "1", "reason": "A test."}
    answer = office.http(ADMIN).post("/admin/commission", data=form)
    assert answer.status_code == 422
    assert "the minimum is above the maximum" in answer.text
    assert 'value="5"' in answer.text


def test_a_dead_letter_is_replayed_once_its_cause_is_gone(browser: Browser, office: Office) -> None:
    shop = office.shop
    order_id = shop.buy(shop.product(), token="tok_slow_bank")
    shop.tell("order_shipped", order_id=order_id, shipment_id="s1", seller_id="seller-1")

    def shown() -> Page | None:
        page = visit(browser, office, ADMIN, "/admin/dead-letters/order_shipped")
        return page if order_id in page.content() else None

    page = await_true(shown)
    assert shop.settled(order_id)["status"] == "confirmed"
    letter = page.get_by_role("listitem").filter(has_text=order_id)
    expect(letter).to_contain_text("is not paid yet")
    letter.get_by_text(f"Key {order_id}").click()
    expect(letter.locator("pre")).to_contain_text('"shipment_id": "s1"')

    letter.get_by_role("checkbox").check()
    page.get_by_role("button", name="Replay the selected").click()

    expect(page.get_by_role("status")).to_contain_text("The dead letters were sent again.")
    await_true(lambda: shop.order(order_id)["status"] == "shipped")
    assert not shown()


@pytest.mark.nightly
def test_only_the_selected_dead_letters_are_discarded(browser: Browser, office: Office) -> None:
    first, second = new_id(), new_id()
    for key in (first, second):
        office.shop.send("review_published_dlq", b"no event", key, headers={"stage": "decode", "reason": key})
    page = visit(browser, office, ADMIN, "/admin/dead-letters")
    page.get_by_role("link", name="review_published").click()

    page.get_by_role("listitem").filter(has_text=first).get_by_role("checkbox").check()
    page.get_by_text("Discard the selected…").click()
    page.get_by_role("button", name="Discard", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("The dead letters are discarded.")
    assert first not in page.content()
    assert second in page.content()


def test_nothing_happens_if_no_dead_letter_is_selected(office: Office) -> None:
    key = new_id()
    office.shop.send("review_published_dlq", b"no event", key, headers={"stage": "decode"})
    answer = office.http(ADMIN).post("/admin/dead-letters/review_published/discard", data={"form": "letters"})
    assert answer.status_code == 422
    assert "Tick at least one" in answer.text
    assert key in answer.text


def test_rows_of_a_job_can_t_be_replayed(office: Office) -> None:
    key = new_id()
    office.shop.send("recommendations_dlq", b"a row", key, headers={"stage": "redis", "reason": "full"})
    page = office.http(ADMIN).get("/admin/dead-letters/recommendations")
    assert "so they can&#39;t be replayed" in page.text or "so they can't be replayed" in page.text
    answer = office.http(ADMIN).post("/admin/dead-letters/recommendations/replay", data={"all": "1"})
    assert answer.status_code == 409
    assert "are rows that ClickHouse or Redis refused" in answer.text


def test_an_unknown_topic_is_404(office: Office) -> None:
    assert office.http(ADMIN).get("/admin/dead-letters/nothing").status_code == 404


@pytest.mark.nightly
def test_the_overview_counts_what_waits(browser: Browser, office: Office) -> None:
    applied(office)
    page = visit(browser, office, ADMIN, "/admin")
    expect(page.get_by_role("link", name="Applications")).not_to_contain_text("not available")
    expect(page.get_by_role("link", name="Applications")).to_contain_text("wait for a decision")
    expect(page.get_by_role("link", name="Circuit breakers")).to_be_visible()  # tests before may open some
    expect(page.get_by_text("Not ready").first).to_be_visible()  # ClickHouse and Redis do not run here


def test_the_overview_leaves_out_what_does_not_answer(shop: Settings) -> None:
    headers = bearer(shop, ADMIN) | {"Accept": "text/html"}
    answer = httpx.get(f"{shop.serving}/admin", headers=headers, trust_env=False, timeout=60)
    assert answer.status_code == 200
    assert answer.text.count("not available right now") == 3


def test_what_has_an_id_is_looked_up(shop: Settings) -> None:
    order, refund, day = new_id(), new_id(), "2018-02-18 12:00:00.000"
    about = ("event_id", "occurred_at", "order_id")
    parcel = ("shipment_id", "seller_id", "tracking_code")
    put(shop, "order_shipped", (*about, *parcel), [[new_id(), day, order, "parcel-1", "ana", "T0042"]])
    put(shop, "payment_refunded", (*about, "refund_id"), [[new_id(), day, order, refund]])
    headers = bearer(shop, ADMIN) | {"Accept": "text/html"}
    with httpx.Client(base_url=shop.serving, headers=headers, trust_env=False, timeout=60) as http:
        for asked in (refund, "T0042", "parcel-1"):
            page = http.get("/admin/find", params={"q": f" {asked} "}).raise_for_status().text
            assert f'href="/shop/orders/{order}"' in page, asked
        product = http.get("/admin/find", params={"q": "lamp"}).raise_for_status().text
        assert 'href="/shop/products/lamp"' in product
        assert "Nothing has this id" in http.get("/admin/find", params={"q": "' OR 1"}).text
        assert "Nothing has this id" not in http.get("/admin/find").text
    for table in ("order_shipped", "payment_refunded"):
        ask(shop, f"ALTER TABLE {table} DELETE WHERE order_id = '{order}'")


def test_addresses_and_breakers_are_shown_on_the_page_and_by_the_api(
    browser: Browser, office: Office
) -> None:
    state = office.http(platform("tests")).get("/v1/ops/services").raise_for_status().json()
    healthy = {one["server"]: one["healthy"] for one in state["servers"]}
    assert (healthy["commerce"], healthy["postgres"], healthy["kafka"]) == (True, True, True)
    assert "p@ss" not in str(state)
    addresses = {one["service"]: one["addresses"] for one in state["services"]}
    assert [(one["url"], one["healthy"]) for one in addresses["sellers"]] == [
        (office.settings.commerce, True)
    ]
    assert "commerce.orders" in {one["breaker"] for one in state["breakers"]}
    page = visit(browser, office, ADMIN, "/admin/limits")
    expect(page.get_by_role("listitem").filter(has_text="configuration").first).to_contain_text("Healthy")
    expect(page.get_by_role("link", name="rate_limit_checkout")).to_be_visible()


@pytest.mark.parametrize("others", OTHERS)
def test_nobody_else_may_open_or_use_the_administration(office: Office, others: str) -> None:
    with office.http(OTHERS[others]) as http:
        answers = {(method, path): http.request(method, path).status_code for method, path in ROUTES}
        answers["GET", "/v1/ops/services"] = http.get("/v1/ops/services").status_code
    assert {route: status for route, status in answers.items() if status != 403} == {}


def test_a_guest_is_sent_to_the_sign_in(office: Office) -> None:
    with httpx.Client(base_url=office.settings.serving, trust_env=False) as http:
        answer = http.get("/admin/people?q=a", headers={"Accept": "text/html"})
        written = http.post("/admin/people/x/role", data={"role": "admin"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?next=%2Fadmin%2Fpeople%3Fq%3Da",
    )
    assert written.status_code == 401


def test_a_form_of_another_type_or_size_is_refused(office: Office) -> None:
    with office.http(ADMIN) as http:
        as_json = http.post("/admin/commission", json={"rate": "1"})
        huge = http.post("/admin/commission", data={"reason": "x" * 70_000})
    assert (as_json.status_code, huge.status_code) == (415, 413)


def test_no_page_of_the_administration_is_stored(office: Office) -> None:
    with office.http(ADMIN) as http:
        for path in ("/admin", "/admin/sellers", "/admin/people", "/admin/settings", "/admin/commission",
                     "/admin/recommendations", "/admin/experiments", "/admin/trainings"):  # fmt: skip
            assert http.get(path).headers["cache-control"] == "private, no-store"


@pytest.mark.nightly
def test_the_pages_fit_every_width(browser: Browser, office: Office) -> None:
    seller_id, owner = approved_seller(office)
    applied(office, name="A" * 120, description="word " * 200)
    context = browser.new_context(
        base_url=office.settings.serving, extra_http_headers=bearer(office.settings, ADMIN)
    )
    page = context.new_page()
    for path in (
        "/admin",
        "/admin/sellers",
        f"/admin/sellers/{seller_id}",
        "/admin/people",
        f"/admin/people/{owner}",
        "/admin/recommendations",
        "/admin/recommendation-health",
        "/admin/settings",
        "/admin/settings/maintenance_banner",
        "/admin/settings/recommendation_blocks",
        "/admin/commission",
        "/admin/listings",
        "/admin/categories",
        "/admin/categories/Lamps",
        "/admin/vouchers",
        "/admin/attributes/colour",
        "/admin/experiments",
        "/admin/trainings",
        "/admin/dead-letters",
        "/admin/dead-letters/review_published",
        "/admin/limits",
    ):
        page.goto(path)
        for theme, width in layouts(page):
            assert scroll_width(page) <= width, f"{path} at {width} px, {theme}"
    context.close()


def test_without_clickhouse_the_page_of_trainings_says_so_and_leads_on(office: Office) -> None:
    with office.http(ADMIN) as http:
        page = http.get("/admin/trainings")

    assert page.status_code == 503
    assert 'role="alert"' in page.text
    assert 'href="/admin/experiments"' in page.text
    assert "There was no training yet" not in page.text, "that is not known"


def test_a_category_is_added_below_another_gets_an_attribute_and_is_deleted(
    browser: Browser, office: Office
) -> None:
    parent, child, key = f"Outdoor {new_id()[-8:]}", f"Tents {new_id()[-8:]}", f"poles_{new_id()[-8:]}"
    page = visit(browser, office, ADMIN, "/admin/categories")
    for category_id, above in ((parent, ""), (child, parent)):
        page.locator("#category-category_id").fill(category_id)
        page.locator("#category-name-en").fill(f"{category_id} in English")
        page.locator("#category-name-pt_BR").fill(f"{category_id} em português")
        page.locator("#category-parent").select_option(above)
        page.get_by_role("button", name="Add the category").click()
        expect(page.get_by_role("status")).to_contain_text("The category is saved.")
    page.locator("#attribute-key").fill(key)
    page.locator("#attribute-name-en").fill("Poles")
    page.get_by_role("button", name="Add the attribute").click()
    expect(page.get_by_role("status")).to_contain_text("The attribute is saved.")

    page.goto(f"/admin/attributes/{key}")
    page.get_by_label("Value 1", exact=True).fill("steel")
    page.get_by_label("Name of value 1 in Português").fill("Aço")
    page.get_by_label("It tells the variants of a product apart").check()
    page.get_by_role("button", name="Save the attribute").click()
    expect(page.get_by_role("status")).to_contain_text("The attribute is saved.")
    expect(page.get_by_label("Value 1", exact=True)).to_have_value("steel")

    page.goto(f"/admin/categories/{child}")
    page.get_by_role("checkbox", name=key).check()
    page.get_by_role("button", name="Save the category").click()
    expect(page.get_by_role("status")).to_contain_text("The category is saved.")
    tree = office.http(ADMIN).get("/v1/category_tree").json()
    found = {each["category_id"]: each for each in tree["categories"]}[child]
    assert (found["parent_id"], found["attributes"]) == (parent, [key])
    assert found["names"] == {"en": f"{child} in English", "pt_BR": f"{child} em português"}
    saved = {each["key"]: each for each in tree["attributes"]}[key]
    assert (saved["is_variant"], saved["values"]) == (True, {"steel": {"pt_BR": "Aço"}})

    page.goto(f"/admin/categories/{parent}")
    page.get_by_label("Below").select_option(child)
    page.get_by_role("button", name="Save the category").click()
    expect(page.get_by_role("alert")).to_contain_text("A category can't be below itself")
    page.get_by_text("Delete…").click()
    page.get_by_role("button", name="Delete the category").click()
    expect(page.get_by_role("alert")).to_contain_text("The category is in use")
    for category_id in (child, parent):
        page.goto(f"/admin/categories/{category_id}")
        page.get_by_text("Delete…").click()
        page.get_by_role("button", name="Delete the category").click()
        expect(page.get_by_role("status")).to_contain_text("The category is deleted.")


def test_what_exists_is_not_replaced_by_what_is_added(office: Office) -> None:
    category_id = f"Kites {new_id()[-8:]}"
    form = {"category_id": category_id, "name.en": "Kites"}

    with office.http(ADMIN) as http:
        added = http.post("/admin/categories", data=form)
        again = http.post("/admin/categories", data=form | {"name.en": "Other"})
        unnamed = http.post("/admin/categories", data={"category_id": f"{category_id} 2"})
        unknown = http.get(f"/admin/categories/{category_id} 3")

    assert added.headers["location"] == "/admin/categories?done=category_saved"
    assert (again.status_code, "There is a category with this id." in again.text) == (422, True)
    assert (unnamed.status_code, "names" in unnamed.text) == (422, True)
    assert unknown.status_code == 404


def test_a_listing_is_found_blocked_with_a_reason_and_unblocked(browser: Browser, office: Office) -> None:
    seller_id, owner = approved_seller(office)
    name = f"Fake watch {new_id()[-8:]} <b>"
    body = {"name": name, "category": "Lamps", "price_minor": 100}
    listings = f"/v1/sellers/{seller_id}/listings"
    office.http(staff(seller_id, "owner", owner)).post(listings, json=body).raise_for_status()

    page = visit(browser, office, ADMIN, "/admin/listings")
    page.get_by_label("Name, SKU or product id").fill(name)
    page.get_by_role("button", name="Show").click()
    item = page.get_by_role("listitem").filter(has_text=name)
    item.get_by_text("Block…").click()
    item.get_by_label("Reason").select_option("counterfeit")
    item.get_by_role("button", name="Block the listing").click()
    expect(page.get_by_role("status")).to_contain_text("The listing is blocked.")
    (found,) = office.http(ADMIN).get(listings).json()["listings"]
    assert (found["status"], found["block_reason"]) == ("blocked", "counterfeit")

    page.goto(f"/admin/listings?seller_id={seller_id}&status=blocked")
    item.get_by_text("Unblock…").click()
    item.get_by_role("button", name="End the block").click()
    expect(page.get_by_role("status")).to_contain_text("The block has ended.")
    assert office.http(ADMIN).get(listings).json()["listings"][0]["status"] == "delisted"
