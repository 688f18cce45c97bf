"""The pages of people, with the real services behind them: `python -m serving` and `python -m producers`."""

import re
from base64 import urlsafe_b64decode
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import orjson
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from redis import Redis

from common.ids import new_id
from serving.kit.request_body import CONTENT_TYPE
from tests.integration.commerce.people import admin
from tests.integration.commerce.site import BEST_SELLER, PASSWORD, Site, fill_sign_in, path_of, sign_in
from tests.integration.commerce.test_sellers import admitted
from tests.integration.servers import await_true
from tests.integration.serving.conftest import put_offers
from tests.integration.serving.layouts import layouts, scroll_width

OTHER_PASSWORD = "eight lamps and a rug"


def token_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["token"][0]


def current_session(browser: httpx.Client) -> str:
    """Return the session of a browser, from the claims of its access token."""
    claims = browser.cookies["souk_access"].split(".")[1]
    return orjson.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sid"]


@pytest.fixture(autouse=True)
def nobody_registered(site: Site) -> None:
    """A shop in which nobody is registered, and no demo is enabled."""
    site.sql("WITH erased AS (DELETE FROM users.people) UPDATE users.demo SET enabled = false")


@pytest.fixture
def demo(site: Site) -> None:
    """The demo, as soon as the pages know that it is available."""
    site.shop.http.put("/v1/auth/demo", json={}).raise_for_status()
    await_true(lambda: "Look around as" in site.browser().get("/").text, "the offer")


def invite(site: Site, email: str) -> str:
    """Invite an address to the staff of a new seller; return the id of the seller."""
    seller_id = f"s-{new_id()}"
    site.shop.tell("seller_registered", seller_id=seller_id, name="Bia's lamps")
    await_true(lambda: site.sql("SELECT FROM sellers.sellers WHERE seller_id = $1", seller_id), "the seller")
    address = f"/v1/sellers/{seller_id}/staff_invitations"
    site.shop.http.post(address, json={"email": email, "role": "manager"}).raise_for_status()
    return seller_id


@pytest.mark.browser
def test_an_invited_person_registers_and_joins_the_staff_of_a_seller(
    window: BrowserContext, site: Site
) -> None:
    page, email = window.new_page(), f"{uuid4().hex}@shop.example"
    seller_id = invite(site, email)
    page.goto(site.link(email, "staff_invitation"))
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")

    page.goto(site.link(email, "verify"))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm the address").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Join the staff of Bia's lamps")
    for theme, width in layouts(page):
        assert scroll_width(page) <= width, f"{width} px, {theme}"
    page.get_by_role("button", name="Accept the invitation").click()

    expect(page.get_by_role("status")).to_contain_text("You belong to the staff now")
    expect(page.get_by_role("main")).to_contain_text(seller_id)
    page.goto(f"/sell/{seller_id}/settings")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bia's lamps")


def test_a_person_with_another_address_can_t_answer_an_invitation(site: Site) -> None:
    email = site.person()
    invite(site, email)
    link = site.link(email, "staff_invitation")

    answer = site.signed_in().get(link)

    assert answer.status_code == 403
    assert "another e-mail address" in answer.text
    assert "Sign in with another account" in answer.text
    assert email not in answer.text
    assert "Accept the invitation" not in answer.text


def test_a_refused_invitation_has_ended(site: Site) -> None:
    email, browser = site.person(), site.browser()
    invite(site, email)
    sign_in(browser, email)
    link = site.link(email, "staff_invitation")

    refused = browser.post("/staff_invitation/refusal", data={"token": token_of(link)})
    again = browser.get(link)

    assert path_of(refused) == "/account?done=invitation-refused"
    assert again.status_code == 410
    assert "Ask the seller for another one" in again.text


@pytest.mark.browser
@pytest.mark.usefixtures("demo")
def test_a_visitor_signs_up_confirms_the_address_signs_in_and_signs_out(window: BrowserContext) -> None:
    page = window.new_page()
    email = f"{uuid4().hex}@shop.example"
    page.goto("/shop/cart")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill("Ana Lima")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")

    page.get_by_role("link", name="local mailbox").click()
    page.get_by_role("link", name=re.compile("verify")).click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm the address").click()
    expect(page).to_have_url(re.compile("/shop/cart$"))

    page.get_by_label("Account of Ana Lima").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    assert {cookie["name"] for cookie in window.cookies()} == {"souk_session", "souk_device"}
    page.goto("/account")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    fill_sign_in(page, email)
    expect(page).to_have_url(re.compile("/account$"))


@pytest.mark.nightly
@pytest.mark.browser
def test_forms_work_without_a_script(chromium: Browser, site: Site) -> None:
    email = site.person()
    with chromium.new_context(base_url=site.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/shop/cart")
        page.get_by_role("link", name="Account").click()
        fill_sign_in(page, email)
        page.get_by_label("Name").fill("Bia")
        page.get_by_role("region", name="Profile").get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_have_text("Your profile is saved.")
        expect(page.get_by_role("heading", level=1)).to_have_text("Bia")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("status")).to_have_text("You are signed out.")


@pytest.mark.nightly
@pytest.mark.browser
def test_a_form_that_is_sent_after_the_access_token_has_ended_is_not_lost(
    window: BrowserContext, site: Site
) -> None:
    page = window.new_page()
    page.goto("/sign-in")
    fill_sign_in(page, site.person())
    page.get_by_label("Name").fill("Ana Lima")

    window.clear_cookies(name="souk_access")
    page.get_by_role("region", name="Profile").get_by_role("button", name="Save").click()

    expect(page.get_by_role("status")).to_have_text("Your profile is saved.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana Lima")


def without_access_token(site: Site) -> httpx.Client:
    browser = site.signed_in()
    browser.cookies.delete("souk_access")
    return browser


def test_a_page_that_is_opened_after_the_access_token_has_ended_opens_all_the_same(site: Site) -> None:
    browser = without_access_token(site)

    response = browser.get("/account/addresses?done=address-saved", follow_redirects=True)

    assert response.status_code == 200
    assert str(response.url) == f"{site.url}/account/addresses?done=address-saved"
    assert "<h1>Addresses</h1>" in response.text
    assert "souk_access" in browser.cookies


def sent_again(response: httpx.Response) -> str:
    """Return where a form is sent again."""
    assert response.status_code == 307, response.text
    return response.headers["location"]


def test_a_form_after_the_end_of_the_session_leads_to_the_sign_in_and_back_to_its_page(site: Site) -> None:
    browser, form = without_access_token(site), {"name": "Ana"}
    site.sql("UPDATE users.sessions SET ended_at = now()")
    page = {"Referer": f"{site.url}/account?done=x"}

    resend = sent_again(browser.post("/account/profile", data=form, headers=page))
    response = browser.post(resend, data=form, headers=page)

    assert resend == "/session/resend?next=%2Faccount%2Fprofile"
    assert path_of(response) == "/sign-in?next=%2Faccount%3Fdone%3Dx"
    assert not {"souk_refresh", "souk_signed_in"} & set(browser.cookies)


def test_a_browser_that_does_not_keep_the_renewed_token_sends_no_form_in_a_loop(site: Site) -> None:
    browser, form = without_access_token(site), {"name": "Ana"}

    resend = sent_again(browser.post("/account/profile", data=form))
    assert sent_again(browser.post(resend, data=form)) == "/account/profile"
    browser.cookies.delete("souk_access")
    resend = sent_again(browser.post("/account/profile", data=form))

    assert path_of(browser.post(resend, data=form)) == "/sign-in"


def test_a_form_is_sent_again_only_within_this_site_and_if_it_is_short(site: Site) -> None:
    browser, form = without_access_token(site), {"name": "Ana"}

    large = browser.post("/session/resend?next=/account/profile", data={"name": "x" * 65_536})
    foreign = browser.post(
        "/session/resend?next=/account/profile", data=form, headers={"Origin": "https://evil.example"}
    )
    elsewhere = browser.post("/session/resend?next=//evil.example", data=form)

    assert (large.status_code, foreign.status_code) == (413, 403)
    assert sent_again(elsewhere) == "/"


def test_two_tabs_that_renew_the_session_at_the_same_moment_stay_signed_in(site: Site) -> None:
    browser = site.signed_in()

    with ThreadPoolExecutor(3) as tabs:
        renewed = list(tabs.map(lambda _: browser.post("/session/refresh"), range(3)))
    browser.cookies.delete("souk_access")
    orders = browser.get("/account/orders", follow_redirects=True)

    assert [response.status_code for response in renewed] == [204] * 3
    assert (orders.status_code, "<h1>Orders</h1>" in orders.text) == (200, True)


@pytest.mark.nightly
@pytest.mark.browser
def test_a_visible_page_renews_the_session_every_ten_minutes(window: BrowserContext, site: Site) -> None:
    page = window.new_page()
    page.clock.install()
    page.goto("/sign-in")
    fill_sign_in(page, site.person())
    expect(page).to_have_url(re.compile("/account$"))
    requests: list[str] = []
    page.on("request", lambda sent: requests.append(sent.url))

    page.clock.run_for(9 * 60_000)
    assert [url for url in requests if url.endswith("/session/refresh")] == []
    with page.expect_response("**/session/refresh") as renewed:
        page.clock.run_for(2 * 60_000)

    assert renewed.value.status == 204


def test_a_session_that_has_ended_leads_to_the_sign_in_and_back(site: Site) -> None:
    browser = site.signed_in()
    site.sql("UPDATE users.sessions SET ended_at = now()")
    browser.cookies.delete("souk_access")

    refresh = path_of(browser.get("/account/orders"))
    response = browser.get(refresh)

    assert refresh == "/session/refresh?next=%2Faccount%2Forders"
    assert path_of(response) == "/sign-in?next=%2Faccount%2Forders"
    assert not {"souk_refresh", "souk_signed_in"} & set(browser.cookies)


def test_a_password_is_reset_by_the_link_of_a_mail_once(site: Site) -> None:
    email, browser = site.person(), site.browser()
    asked = browser.post("/forgotten-password", data={"email": email})
    unknown = browser.post("/forgotten-password", data={"email": "x" + email})
    token = token_of(site.link(email, "reset"))

    weak = browser.post("/reset", data={"token": token, "password": "short"})
    done = browser.post("/reset", data={"token": token, "password": OTHER_PASSWORD})
    again = browser.post("/reset", data={"token": token, "password": OTHER_PASSWORD})

    assert asked.text.replace(email, "") == unknown.text.replace("x" + email, "")
    assert (weak.status_code, "fewer than 10 characters" in weak.text) == (422, True)
    assert path_of(done) == "/sign-in?done=password-set"
    assert (again.status_code, "The link was used before" in again.text) == (410, True)
    assert sign_in(browser, email).status_code == 401
    assert path_of(sign_in(browser, email, OTHER_PASSWORD)) == "/account"


def test_the_link_in_a_mail_confirms_nothing_by_being_opened(site: Site) -> None:
    email, browser = f"{uuid4().hex}@shop.example", site.browser()
    browser.post("/sign-up", data={"email": email, "password": PASSWORD, "name": ""})
    link = site.link(email, "verify")

    for _ in range(2):
        assert browser.get(link).status_code == 200
    assert sign_in(browser, email).status_code == 401  # which sends a mail with another link
    link = await_true(lambda: next((new for new in [site.link(email, "verify")] if new != link), None))
    given = {"token": token_of(link), "password": PASSWORD}
    assert path_of(browser.post("/verify", data=given)) == "/account?done=registered"
    assert browser.get("/account").status_code == 200
    again = browser.post("/verify", data=given)
    assert (again.status_code, "The link was used before" in again.text) == (410, True)


def test_a_registration_is_confirmed_with_its_password_only(site: Site) -> None:
    email, browser = f"{uuid4().hex}@shop.example", site.browser()
    browser.post("/sign-up", data={"email": email, "password": PASSWORD, "name": ""})
    token = token_of(site.link(email, "verify"))

    wrong = browser.post("/verify", data={"token": token, "password": OTHER_PASSWORD})

    assert (wrong.status_code, "If you did not register, ignore the mail" in wrong.text) == (403, True)
    assert f'name="token" value="{token}"' in wrong.text
    assert OTHER_PASSWORD not in wrong.text
    assert "souk_access" not in browser.cookies
    assert sign_in(browser, email, OTHER_PASSWORD).status_code == 401


def test_a_confirmed_registration_replaces_the_session_of_the_browser(site: Site) -> None:
    email, browser = f"{uuid4().hex}@shop.example", site.signed_in()
    former = current_session(browser)
    browser.post("/sign-up", data={"email": email, "password": PASSWORD, "name": "Bia"})
    token = token_of(site.link(email, "verify"))

    browser.post("/verify", data={"token": token, "password": PASSWORD})

    assert browser.get("/session/me").json()["name"] == "Bia"
    (row,) = site.sql("SELECT ended_at FROM users.sessions WHERE session_id = $1", former)
    assert row["ended_at"] is not None


OTHER_SITES = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "http:/evil.example",
    "/\t/evil.example",
    " //evil.example",
    "evil.example",
    "https:evil.example",
)


def test_no_sign_in_leads_to_another_site(site: Site) -> None:
    email, browser = site.person(), site.browser()

    for target in OTHER_SITES:
        assert path_of(sign_in(browser, email, next=target)) == "/", target
        assert path_of(browser.get("/session/refresh", params={"next": target})) == "/", target
        assert target not in browser.get("/sign-in", params={"next": target}).text


def test_a_sign_in_leads_to_the_page_that_was_wanted(site: Site) -> None:
    email, browser = site.person(), site.browser()

    wanted = path_of(browser.get("/account/orders?cursor=x"))

    assert wanted == "/sign-in?next=%2Faccount%2Forders%3Fcursor%3Dx"
    assert path_of(sign_in(browser, email, next="/account/orders?cursor=x")) == "/account/orders?cursor=x"


FORMS = ("/sign-in", "/sign-up", "/look-as", "/sign-out", "/session/refresh", "/session/resend", "/reset")


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
def test_a_form_of_another_site_is_refused(site: Site, headers: dict[str, str]) -> None:
    form = {"email": "a@b.example", "password": PASSWORD}
    with httpx.Client(base_url=site.url, headers=headers, trust_env=False) as browser:
        responses = [browser.post(path, data=form) for path in FORMS]

    assert [response.status_code for response in responses] == [403] * len(FORMS)
    assert not any("set-cookie" in response.headers for response in responses)


def test_a_wrong_password_shows_the_form_again_without_the_password(site: Site) -> None:
    email, browser = site.person(), site.browser()

    response = sign_in(browser, email, OTHER_PASSWORD, next="/shop")

    assert response.status_code == 401
    assert f'value="{email}"' in response.text
    assert 'name="next" value="/shop"' in response.text
    assert OTHER_PASSWORD not in response.text
    assert "/v1/" not in response.text.partition("<main")[2].partition("</main>")[0]


def test_what_a_person_types_is_shown_as_text(site: Site) -> None:
    browser = site.signed_in()

    browser.post("/account/profile", data={"name": "<script>alert(1)</script>"})

    assert "<script>alert(1)" not in browser.get("/account").text


def test_the_orders_of_a_guest_become_those_of_the_person_and_leave_the_browser_at_the_sign_out(
    site: Site,
) -> None:
    lamp, email, browser = site.shop.product(), site.person(), site.browser()
    browser.get("/shop/cart")
    guest_session = browser.cookies["souk_session"]
    body = {key: value for key, value in site.shop.body(lamp).items() if key != "shopper_id"}
    placed = browser.post("/v1/orders", json=body, headers={"Idempotency-Key": new_id()})
    order = f"/shop/orders/{placed.json()['order_id']}"

    sign_in(browser, email)
    assert order in browser.get("/account/orders").text
    assert order in browser.get("/shop/orders").text
    another = site.browser()
    sign_in(another, email)
    assert another.get(order).status_code == 200

    browser.post("/sign-out")
    assert browser.cookies["souk_session"] != guest_session
    assert browser.get(order).status_code == 404


def listed_orders(page: Page) -> list[dict[str, str]]:
    """Return the orders that a browser keeps to show them to a guest."""
    return orjson.loads(page.evaluate("localStorage['souk.orders'] ?? '[]'"))


@pytest.mark.nightly
@pytest.mark.browser
@pytest.mark.parametrize("ended_by", ["sign-out", "expiry"])
def test_the_list_of_orders_leaves_the_browser_with_the_person(
    window: BrowserContext, site: Site, ended_by: str
) -> None:
    page, email = window.new_page(), site.person()
    page.goto("/shop/cart")
    page.evaluate("localStorage['souk.orders'] = JSON.stringify([{order_id: 'o'}])")

    page.goto("/sign-in")
    assert len(listed_orders(page)) == 1, "nobody was signed in"
    fill_sign_in(page, email)
    expect(page).to_have_url(re.compile("/account$"))
    assert len(listed_orders(page)) == 1, "the person still is"

    if ended_by == "sign-out":
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("status")).to_have_text("You are signed out.")
    else:
        window.clear_cookies()
        page.goto("/shop")
    assert listed_orders(page) == []


@pytest.mark.nightly
@pytest.mark.browser
@pytest.mark.usefixtures("demo")
def test_a_guest_who_looked_around_as_somebody_else_has_their_orders_again(
    window: BrowserContext, site: Site
) -> None:
    page, lamp = window.new_page(), site.shop.product()
    page.goto("/shop/cart")
    body = {key: value for key, value in site.shop.body(lamp).items() if key != "shopper_id"}
    sent = {"Idempotency-Key": new_id(), "Origin": site.url}
    order_id = window.request.post("/v1/orders", data=body, headers=sent).json()["order_id"]
    listed = [{"order_id": order_id, "placed_at": "2026-01-01T00:00:00Z", "lines": 1}]
    page.evaluate("orders => (localStorage['souk.orders'] = JSON.stringify(orders))", listed)
    link = page.locator(f'a[href="/shop/orders/{order_id}"]')

    page.goto("/")
    page.get_by_role("button", name="Look around as a shopper").click()
    expect(page.locator("details.account-menu")).to_be_visible()
    page.goto("/")
    page.get_by_role("button", name="Look around as a seller").click()
    expect(page).to_have_url(re.compile(f"/sell/{BEST_SELLER}$"))
    page.goto("/shop/orders")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your orders")
    expect(link).to_have_count(0)
    assert window.request.get(f"/shop/orders/{order_id}").status == 404, "the order is not the demo person's"

    page.goto("/account")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    page.goto("/shop/orders")
    link.click()
    expect(page).to_have_url(re.compile(f"/shop/orders/{order_id}$"))
    assert window.request.get(f"/shop/orders/{order_id}").status == 200
    assert "souk_guest" not in {cookie["name"] for cookie in window.cookies()}


def test_an_order_of_a_person_is_theirs_in_every_browser(site: Site) -> None:
    lamp, browser = site.shop.product(), site.signed_in()
    body = {key: value for key, value in site.shop.body(lamp).items() if key != "shopper_id"}

    placed = browser.post("/v1/orders", json=body, headers={"Idempotency-Key": new_id()})

    assert placed.status_code == 202
    assert placed.json()["order_id"] in browser.get("/account/orders").text
    assert site.signed_in().get(f"/shop/orders/{placed.json()['order_id']}").status_code == 404


def test_addresses_are_saved_changed_and_deleted(site: Site) -> None:
    browser = site.signed_in()
    given = {"recipient": "Ana", "street": "Rua 1", "city": "Recife", "country": "br", "state": "PE"}

    saved = browser.post("/account/addresses", data=given)
    page = browser.get(path_of(saved)).text
    address_id = re.search(r'name="address_id" value="([^"]+)"', page)
    assert address_id
    changed = browser.post(
        "/account/addresses", data={**given, "address_id": address_id[1], "city": "Olinda"}
    )
    refused = browser.post("/account/addresses", data={**given, "street": "Rua 2", "country": "Atlantis"})
    page = browser.get("/account/addresses").text

    assert path_of(changed) == "/account/addresses?done=address-saved"
    assert ("Olinda" in page, "Recife" in page) == (True, False)
    assert (refused.status_code, 'value="Rua 2"' in refused.text) == (422, True)
    deleted = browser.post(f"/account/addresses/{address_id[1]}/deletion", data={"sure": "yes"})
    assert path_of(deleted) == "/account/addresses?done=address-deleted"
    assert "Olinda" not in browser.get("/account/addresses").text


def test_a_session_that_is_ended_from_another_browser_is_signed_out(site: Site) -> None:
    email, one, other = site.person(), site.browser(), site.browser(**{"User-Agent": "Firefox on Linux"})
    sign_in(one, email)
    sign_in(other, email)
    ends = re.findall(r'action="(/account/sessions/[^"]+/end)"', one.get("/account/sessions").text)
    (end,) = [each for each in ends if current_session(one) not in each]

    assert path_of(one.post(end, data={"sure": "yes"})) == "/account/sessions?done=session-ended"

    await_true(lambda: other.get("/account").status_code == 303, "the end of the session")
    other.cookies.delete("souk_access")
    assert path_of(other.get("/session/refresh?next=/account")) == "/sign-in?next=%2Faccount"
    assert one.get("/account").status_code == 200


def test_a_password_is_changed_with_the_current_one(site: Site) -> None:
    email, browser = site.person(), site.browser()
    sign_in(browser, email)

    wrong = browser.post("/account/password", data={"password": "x" * 12, "new_password": OTHER_PASSWORD})
    done = browser.post("/account/password", data={"password": PASSWORD, "new_password": OTHER_PASSWORD})

    assert (wrong.status_code, "needs your current password" in wrong.text) == (403, True)
    assert path_of(done) == "/account/security?done=password-changed"
    assert path_of(sign_in(site.browser(), email, OTHER_PASSWORD)) == "/account"


def test_an_e_mail_address_is_changed_by_the_link_to_the_new_one(site: Site) -> None:
    browser, new_email = site.signed_in(), f"{uuid4().hex}@new.example"

    asked = browser.post("/account/email", data={"email": new_email, "password": PASSWORD})
    token = token_of(site.link(new_email, "confirm_email"))
    without = site.browser().post("/confirm_email", data={"token": token, "password": OTHER_PASSWORD})
    confirmed = browser.post("/confirm_email", data={"token": token, "password": PASSWORD})

    assert path_of(asked) == "/account/security?done=email-requested"
    assert (without.status_code, "needs your current password" in without.text) == (403, True)
    assert path_of(confirmed) == "/account?done=email-confirmed"
    assert path_of(sign_in(site.browser(), new_email)) == "/account"


def test_a_person_downloads_all_that_is_kept_and_is_erased(site: Site) -> None:
    email, browser = site.person(), site.browser()
    sign_in(browser, email)

    exported = browser.get("/account/export")
    unconfirmed = browser.post("/account/erasure", data={"confirmation": "yes", "password": PASSWORD})
    wrong = browser.post("/account/erasure", data={"confirmation": "erase", "password": OTHER_PASSWORD})
    erased = browser.post("/account/erasure", data={"confirmation": "Erase", "password": PASSWORD})

    assert exported.headers["content-disposition"] == 'attachment; filename="souk-export.json"'
    assert exported.json()["profile"]["email"] == email
    assert (unconfirmed.status_code, wrong.status_code) == (422, 403)
    assert path_of(erased) == "/sign-in?done=erased"
    assert set(browser.cookies) == {"souk_session"}
    assert sign_in(browser, email).status_code == 401


PRIVATE_PAGES = (
    "/sign-in",
    "/sign-up",
    "/verify",
    "/reset",
    "/account",
    "/account/sessions",
    "/account/export",
    "/session/me",
)


def test_no_cache_stores_a_page_of_a_person(site: Site) -> None:
    browser = site.signed_in()

    responses = {path: browser.get(path) for path in PRIVATE_PAGES}

    assert {path: response.status_code for path, response in responses.items()} == dict.fromkeys(
        PRIVATE_PAGES, 200
    )
    for path, response in responses.items():
        assert response.headers["cache-control"] == "private, no-store", path


def test_the_menu_says_who_is_signed_in(site: Site) -> None:
    nobody, browser = site.browser().get("/session/me").json(), site.signed_in()
    browser.post("/account/profile", data={"name": "Ana Lima"})

    menu = browser.get("/session/me").json()

    assert nobody == {"signed_in": False, "name": None, "sellers": [], "admin": False}
    assert (menu["signed_in"], menu["name"], menu["admin"]) == (True, "Ana Lima", False)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("role", "path"), [("shopper", "/shop"), ("seller", f"/sell/{BEST_SELLER}"), ("analyst", "/")]
)
def test_one_click_opens_a_real_session_of_the_demo(site: Site, role: str, path: str) -> None:
    browser = site.browser()
    assert f'name="role" value="{role}"' in browser.get("/").text

    response = browser.post("/look-as", data={"role": role})

    assert path_of(response) == path
    assert browser.get(path).status_code == 200
    assert browser.get("/session/me").json()["signed_in"] is True
    assert "This browser" in browser.get("/account/sessions").text


@pytest.mark.usefixtures("demo")
def test_the_demo_opens_the_page_of_any_seller_by_one_click(site: Site) -> None:
    browser = site.browser()
    assert f'name="seller_id" value="{BEST_SELLER}"' in browser.get("/sellers").text

    response = browser.post("/look-as", data={"role": "seller", "seller_id": BEST_SELLER})

    assert path_of(response) == f"/sell/{BEST_SELLER}"
    assert browser.get(f"/sell/{BEST_SELLER}").status_code == 200
    assert f'href="/sell/{BEST_SELLER}"' in browser.get("/sellers").text


@pytest.mark.usefixtures("demo")
def test_an_administrator_of_the_demo_is_one(site: Site) -> None:
    browser = site.browser()

    assert path_of(browser.post("/look-as", data={"role": "admin"})) == "/admin"
    assert browser.get("/session/me").json()["admin"] is True


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "shop.example"}, 400),
        ({"X-Forwarded-For": "203.0.113.7"}, 403),
        ({"X-Forwarded-Host": "shop.example"}, 403),
        ({"Forwarded": "for=203.0.113.7"}, 403),
        ({"Via": "1.1 proxy"}, 403),
    ],
)
def test_the_demo_is_not_for_other_machines(site: Site, headers: dict[str, str], status: int) -> None:
    origin = f"http://{headers['Host']}" if "Host" in headers else site.url
    browser = site.browser(**{**headers, "Origin": origin})

    response = browser.post("/look-as", data={"role": "admin"})

    assert response.status_code == status
    assert "souk_access" not in browser.cookies
    assert "Look around as" not in browser.get("/").text
    assert browser.get("/ops/mail").status_code != 200


@pytest.mark.usefixtures("demo")
def test_the_demo_is_over_when_somebody_is_registered(site: Site) -> None:
    browser = site.browser()
    site.person()

    refused = browser.post("/look-as", data={"role": "admin"})

    assert refused.status_code == 403
    assert "souk_access" not in browser.cookies
    await_true(lambda: "Look around as" not in browser.get("/").text, "the end of the offer")


def test_without_the_demo_nobody_looks_around_as_somebody_else(site: Site) -> None:
    await_true(lambda: "Look around as" not in site.browser().get("/").text, "the end of the offer")

    assert site.browser().post("/look-as", data={"role": "admin"}).status_code == 403


def test_the_mailbox_is_for_administrators(site: Site) -> None:
    await_true(lambda: site.browser().get("/ops/mail").status_code == 303, "the end of the demo")
    email = site.person()
    browser, admin = site.signed_in(), site.browser()
    site.sql("UPDATE users.people SET role = 'admin' WHERE email = $1", email)
    sign_in(admin, email)

    assert browser.get("/ops/mail").status_code == 403
    page = admin.get("/ops/mail", params={"to": email}).text
    assert '<a href="/verify?token=' in page


def test_a_page_for_others_offers_to_sign_in_with_another_account(site: Site) -> None:
    response = site.signed_in().get("/ops/mail?to=x")

    assert response.status_code == 403
    assert 'href="/sign-in?next=%2Fops%2Fmail%3Fto%3Dx"' in response.text


PAGES = (
    "/account",
    "/account/orders",
    "/account/sellers",
    "/account/addresses",
    "/account/sessions",
    "/account/security",
    "/account/data",
    "/sign-in",
    "/sign-up",
    "/forgotten-password",
    "/reset?token=x",
    "/verify?token=x",
    "/confirm_email?token=x",
    "/shop/orders",
    "/shop/cart",
    "/",
)


@pytest.mark.browser
@pytest.mark.nightly
def test_the_pages_fit_into_every_width(window: BrowserContext, site: Site) -> None:
    page = window.new_page()
    page.goto("/sign-in")
    fill_sign_in(page, site.person())
    expect(page.locator("details.account-menu")).to_be_visible()

    for path in PAGES:
        page.goto(path)
        for theme, width in layouts(page):
            assert scroll_width(page) <= width, (path, theme, width)


def test_a_person_agrees_to_mails_gets_one_and_ends_them_by_its_link_signed_out(site: Site) -> None:
    lamps = [f"mail-lamp-{number}" for number in range(5)]
    email = site.person()
    with site.browser() as browser, Redis.from_url(site.settings.redis) as redis:
        sign_in(browser, email)
        assert 'name="recommendations" value="yes">' in browser.get("/account").text
        answer = browser.post("/account/mails", data={"recommendations": "yes"})
        assert path_of(answer) == "/account?done=mails-saved"
        page = browser.get("/account?done=mails-saved").text
        assert "Your choice of mails is saved." in page
        assert 'name="recommendations" value="yes" checked>' in page
        shopper_id = browser.get("/v1/me").json()["shopper_id"]
        for number, lamp in enumerate(lamps):
            offer = {
                "seller_id": BEST_SELLER,
                "name": f"Lamp {number}",
                "category": "lamps",
                "price_minor": 900,
            }
            put_offers(redis, lamp, offer, stock={BEST_SELLER: 5}, interest=100.0)
        redis.zadd(f"similar:{lamps[0]}", dict.fromkeys(lamps[1:], 50.0))
        redis.zadd(f"recent:{shopper_id}", {lamps[0]: 1_795_000_000})

        site.sql("UPDATE users.recommendation_mails SET send_at = now()")
        link = await_true(lambda: find_link(site, email, "unsubscribe"), "the mail")
        redis.delete(f"similar:{lamps[0]}", f"recent:{shopper_id}", *(f"product:{each}" for each in lamps))
    mails = site.shop.http.get("/v1/mails", params={"to": email}).json()
    (mail,) = [each for each in mails if "unsubscribe" in each["text"]]
    assert mail["subject"] == "Because you looked at Lamp 0"
    assert f"Lamp 1, R$9.00\n{site.settings.public}/shop/products/mail-lamp-1#recommendation=" in mail["text"]

    with site.browser() as stranger:
        form = stranger.get(link)
        assert (form.status_code, "End the mails" in form.text) == (200, True)
        assert site.sql("SELECT FROM users.recommendation_mails")
        ended = stranger.post("/unsubscribe", data={"token": token_of(link)})
        assert "You get no more mails with recommendations." in ended.text
        wrong = stranger.post("/unsubscribe", data={"token": "another"})
    assert wrong.status_code == 410
    assert site.sql("SELECT FROM users.recommendation_mails") == []


def find_link(site: Site, email: str, page: str) -> str | None:
    """Return the link to a page in a mail to an address, once there is one."""
    try:
        return site.link(email, page)
    except StopIteration:
        return None


def test_a_person_follows_a_seller_whom_the_home_page_recommends(site: Site) -> None:
    seller_id = admitted(site.shop, site.shop.as_principal(admin()))
    lamps = [f"followed-lamp-{number}" for number in range(3)]
    browser = site.signed_in()
    with Redis.from_url(site.settings.redis) as redis:
        shopper_id = browser.get("/v1/me").json()["shopper_id"]
        for lamp in lamps:
            offer = {"seller_id": seller_id, "name": "Lamp", "category": "lamps", "price_minor": 900}
            put_offers(redis, lamp, offer, stock={seller_id: 5}, interest=100.0)
        redis.zadd(f"similar:{lamps[0]}", dict.fromkeys(lamps[1:], 50.0))
        redis.zadd(f"recent:{shopper_id}", {lamps[0]: 1_795_000_000})
        recommended = f"/v1/recommendations/{shopper_id}/sellers"
        before = browser.get(recommended).raise_for_status().json()["sellers"]
        home = browser.get("/shop").text

        form = browser.get(f"/account/sellers?seller_id={seller_id}").text
        followed = browser.post("/account/sellers", data={"seller_id": seller_id})
        page = browser.get("/account/sellers?done=seller-followed").text
        after = browser.get(recommended).raise_for_status().json()["sellers"]
        refused = browser.post("/account/sellers", data={"seller_id": "nobody"})
        ended = browser.post(f"/account/sellers/{seller_id}/end", data={"sure": "yes"})
        redis.delete(f"similar:{lamps[0]}", f"recent:{shopper_id}", *(f"product:{each}" for each in lamps))

    assert [seller["seller_id"] for seller in before] == [seller_id]
    assert before[0]["reason"]["text"] == "Because you looked at Lamp"
    assert 'id="sellers-to-follow"' in home
    assert f'name="seller_id" value="{seller_id}"' in home
    assert f'name="seller_id" value="{seller_id}"' in form
    assert path_of(followed) == "/account/sellers?done=seller-followed"
    assert "You follow the seller." in page
    assert f'action="/account/sellers/{seller_id}/end"' in page
    assert after == []
    assert refused.status_code == 404
    assert path_of(ended) == "/account/sellers?done=seller-unfollowed"


def delivered_line(site: Site, browser: httpx.Client) -> tuple[dict[str, str], str]:
    """Tell of a delivered order of the person in a browser; return its line as a form, and its product."""
    order_id, product_id = new_id(), f"p-{new_id()}"
    shopper_id = browser.get("/v1/me").json()["shopper_id"]
    line = {"line_number": 1, "product_id": product_id, "seller_id": BEST_SELLER, "quantity": 1}
    amounts = ("unit_price_minor", "discount_minor", "shipping_minor", "tax_minor", "commission_bp")
    paid = {"shopper_id": shopper_id, "currency": "BRL", "lines": [line | dict.fromkeys(amounts, 0)]}
    site.shop.tell("order_confirmed", origin="orders", order_id=order_id, placed_at=None, **paid)
    site.shop.tell("order_delivered", order_id=order_id, shipment_id=new_id(), seller_id=BEST_SELLER)
    for table in ("lines", "deliveries"):
        site.shop.await_row(f"SELECT FROM reviews.{table} WHERE order_id = $1", order_id)
    return {"order_id": order_id, "line_number": "1"}, product_id


def test_a_buyer_reviews_what_arrived_writes_it_anew_and_withdraws_it(site: Site) -> None:
    browser = site.signed_in()
    form, product_id = delivered_line(site, browser)
    order_id = form["order_id"]
    form |= {"score": "4", "title": "<b>Good</b>", "comment": "Early."}

    offered = browser.get("/shop/reviews").text
    refused = browser.post("/shop/reviews", data=form | {"score": "6"})
    sent = browser.post("/shop/reviews", data=form)
    repeated = browser.post("/shop/reviews", data=form)
    own = browser.get("/shop/reviews?done=published").text
    (review_id,) = re.findall(r"/shop/reviews/([0-9a-f-]{36})/withdrawal", own)
    rewritten = browser.post(f"/shop/reviews/{review_id}", data={"score": "2", "comment": "It broke."})
    summary = site.browser().get(f"/shop/products/{product_id}/reviews/summary").text
    withdrawn = browser.post(f"/shop/reviews/{review_id}/withdrawal", headers={"Content-Type": CONTENT_TYPE})
    after = site.browser().get(f"/shop/products/{product_id}/reviews/summary").text

    assert f"line-{order_id}-1" in offered
    assert (refused.status_code, "score:" in refused.text) == (422, True)
    assert path_of(sent) == "/shop/reviews?done=published"
    assert (repeated.status_code, "Reviewed already" in repeated.text) == (409, True)
    assert "&lt;b&gt;Good&lt;/b&gt;" in own
    assert "Your review is published." in own
    assert path_of(rewritten) == "/shop/reviews?done=published"
    assert ("It broke." in summary, "Early." in summary) == (True, False)
    assert path_of(withdrawn) == "/shop/reviews?done=withdrawn"
    assert "Nobody has reviewed it yet." in after


@pytest.mark.usefixtures("demo")
def test_a_seller_replies_to_a_review_and_an_administrator_decides_about_it(site: Site) -> None:
    buyer, seller, admin_browser = site.browser(), site.browser(), site.browser()
    for browser, role in ((buyer, "shopper"), (seller, "seller"), (admin_browser, "admin")):
        path_of(browser.post("/look-as", data={"role": role}))
    line, product_id = delivered_line(site, buyer)
    review = line | {"score": "2", "title": "Broken", "comment": "See www.better-lamps.example <i>now</i>"}
    replies = f"/sell/{BEST_SELLER}/replies"
    summary = f"/shop/products/{product_id}/reviews/summary"

    waiting = buyer.post("/shop/reviews", data=review)
    hidden, nothing = site.browser().get(summary).text, seller.get(replies).text
    queue = admin_browser.get("/admin/reviews").text
    (review_id,) = re.findall(r"/shop/reviews/([0-9a-f-]{36})/withdrawal", buyer.get("/shop/reviews").text)
    decided = admin_browser.post(f"/admin/reviews/{review_id}/publication", data={"version": "1"})
    replied = seller.post(f"{replies}/{review_id}", data={"text": "We send\na new <b>one</b>."})
    too_long = seller.post(f"{replies}/{review_id}", data={"form": review_id, "text": "x" * 2_001})
    answered, left = seller.get(replies).text, seller.get(f"{replies}?unanswered=true").text
    shown = site.browser().get(summary).text
    stale = admin_browser.post(
        f"/admin/reviews/{review_id}/rejection", data={"version": "7", "reason": "spam"}
    )
    without_reason = admin_browser.post(f"/admin/reviews/{review_id}/rejection", data={"version": "1"})
    rejection = {"version": "1", "reason": "spam", "note": "No addresses, please."}
    rejected = admin_browser.post(f"/admin/reviews/{review_id}/rejection", data=rejection)
    after, own = site.browser().get(summary).text, buyer.get("/shop/reviews").text
    late = seller.post(f"{replies}/{review_id}", data={"text": "Too late"})

    assert path_of(waiting) == "/shop/reviews?done=pending"
    assert ("Broken" in hidden, "Broken" in nothing) == (False, False)
    assert f'action="/admin/reviews/{review_id}/publication"' in queue
    assert ("has a link" in queue, "&lt;i&gt;now&lt;/i&gt;" in queue) == (True, True)
    assert path_of(decided) == "/admin/reviews?done=review_published"
    assert path_of(replied) == f"{replies}?done=replied"
    assert (too_long.status_code, "text:" in too_long.text, "x" * 2_001 in too_long.text) == (422, True, True)
    assert ("a new &lt;b&gt;one&lt;/b&gt;." in answered, "Every review has a reply." in left) == (True, True)
    assert ("Broken" in shown, "a new &lt;b&gt;one&lt;/b&gt;." in shown) == (True, True)
    assert (stale.status_code, "The review was changed meanwhile" in stale.text) == (409, True)
    assert without_reason.status_code == 422
    assert path_of(rejected) == "/admin/reviews?done=review_rejected"
    assert "Nobody has reviewed it yet." in after
    assert "No addresses, please." in own
    assert late.status_code == 404


@pytest.mark.usefixtures("demo")
def test_a_guest_s_cart_is_looked_at_anew_after_the_demo(site: Site) -> None:
    browser, lamp = site.browser(), site.shop.product(seller_id=BEST_SELLER)
    site.shop.await_row("SELECT FROM carts.offers WHERE product_id = $1", lamp)
    path_of(browser.post("/shop/cart/lines", data={"product_id": lamp, "quantity": 2}))
    path_of(browser.post("/look-as", data={"role": "shopper"}))
    assert "souk_cart" not in browser.cookies
    assert lamp not in browser.get("/shop/cart").text
    path_of(browser.post("/sign-out", headers={"Content-Type": CONTENT_TYPE}))
    assert browser.cookies["souk_cart"] == "x:"
    assert f'data-product="{lamp}"' in browser.get("/shop/cart").text
