"""The page of a seller's alerts, and the saved views of the metrics page, with forms that need no script."""

from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from common.clock import system_clock
from common.ids import new_id
from tests.integration.servers import await_true
from tests.integration.serving.commerce_stub import CommerceStub
from tests.integration.serving.conftest import Office
from tests.integration.serving.layouts import layouts, scroll_width
from tests.integration.serving.visits import approved_seller, register_staff, staff
from tests.principals import bearer


@pytest.fixture
def seller(office: Office) -> str:
    return approved_seller(office)[0]


@pytest.fixture
def page(browser: Browser, office: Office, seller: str) -> Iterator[Page]:
    """The page of alerts as a manager sees it. Alerts need a maker whom the services know."""
    user_id, _ = register_staff(office, seller, "manager")
    context = browser.new_context(
        base_url=office.settings.serving,
        extra_http_headers=bearer(office.settings, staff(seller, "manager", user_id)),
    )
    page = context.new_page()
    page.goto(f"/sell/{seller}/alerts")
    yield page
    context.close()


@pytest.mark.browser
def test_a_manager_creates_an_alert_tests_it_and_deletes_it(page: Page) -> None:
    form = page.locator("form[action$='/alerts/rules']")
    form.get_by_label("Name").fill("Few sales")
    form.get_by_label("Metric").select_option("net_sales")
    form.get_by_label("Fire if it is").select_option("threshold below")
    form.get_by_role("button", name="Create the alert").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the value")
    expect(form.get_by_label("Name")).to_have_value("Few sales")

    form.locator("#rule-value").fill("12.50")
    form.get_by_role("button", name="Create the alert").click()
    expect(page.get_by_role("status")).to_contain_text("The alert is on.")
    rule = page.get_by_role("listitem").filter(has_text="Few sales")
    expect(rule).to_contain_text("Net sales each hour, if below R$12.50.")

    rule.get_by_role("link", name="Change").click()
    expect(page.locator("#rule-value")).to_have_value("12.5")
    assert Axe().run(page).violations_count == 0
    page.get_by_label("Name").fill("Few sales today")
    page.get_by_label("Look at").select_option("day")
    page.get_by_role("button", name="Save the alert").click()
    expect(page.get_by_role("status")).to_contain_text("The alert is changed.")
    expect(page.get_by_role("listitem").filter(has_text="Few sales")).to_contain_text("each day, if below")

    rule.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("listitem").filter(has_text="Test: Few sales today")).to_contain_text("Sent")
    for theme, width in layouts(page):
        assert scroll_width(page) <= width, theme
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()

    rule.first.get_by_text("Delete…").click()
    page.get_by_role("button", name="Delete the alert").click()
    expect(page.get_by_role("status")).to_contain_text("The alert is deleted.")
    expect(page.get_by_text("No alerts yet.")).to_be_visible()


def test_a_webhook_and_a_report_are_created_by_the_forms(office: Office, seller: str) -> None:
    rule = {
        "form": "rule", "name": "To my program", "metric": "returns", "window": "day", "value": "",
        "condition": "usual above", "deviations": "4", "severity": "critical", "fires_after": "1",
        "resolves_after": "2", "distance_minutes": "60", "url": "https://1.1.1.1/hook",
    }  # fmt: skip
    with office.http(staff(seller, "owner")) as owner:
        created = owner.post(f"/sell/{seller}/alerts/rules", data=rule)
        assert created.status_code == 201
        assert "whsec_" in created.text
        assert "To 1.1.1.1." in created.text
        assert "whsec_" not in owner.get(f"/sell/{seller}/alerts").text
        report = {"form": "report", "name": "Mornings", "period": "day", "hour": "7", "metric": "orders"}
        refused = owner.post(f"/sell/{seller}/alerts/reports", data={**report, "address": "a@b.example"})
        assert refused.status_code == 422
        assert "Mails with figures go only to" in refused.text


def test_the_form_of_an_alert_that_was_changed_meanwhile_is_shown_again(office: Office, seller: str) -> None:
    rule = {
        "name": "Few", "metric": "orders", "target": {"kind": "page"},
        "condition": {"kind": "threshold", "direction": "below", "value": 10},
    }  # fmt: skip
    fields = {
        "form": "rule", "version": "1", "name": "Fewer", "metric": "orders", "window": "day", "value": "5",
        "condition": "threshold below", "severity": "critical", "fires_after": "1", "resolves_after": "2",
        "distance_minutes": "60", "send_to": "unchanged",
    }  # fmt: skip
    with office.http(staff(seller, "owner")) as owner:
        rule_id = owner.post(f"/v1/sellers/{seller}/alerts", json=rule).raise_for_status().json()["rule_id"]
        page = f"/sell/{seller}/alerts/rules/{rule_id}"
        assert owner.post(page, data=fields).status_code == 303
        overtaken = owner.post(page, data=fields | {"name": "Fewest"})
        missing = owner.get(f"/sell/{seller}/alerts/rules/{new_id()}", headers={"Accept": "text/html"})
        owner.delete(f"/v1/sellers/{seller}/alerts/{rule_id}").raise_for_status()

    assert overtaken.status_code == 409
    assert "Somebody has changed this alert" in overtaken.text
    assert 'value="Fewest"' in overtaken.text
    assert 'name="version" value="2"' in overtaken.text
    assert missing.status_code == 404


def test_a_view_is_saved_and_deleted_by_the_forms_of_the_metrics_page(office: Office, seller: str) -> None:
    choices = {"metric": "orders", "period": "90d", "compare": "year", "by": "product"}
    path = f"/sell/{seller}/metrics/views"
    with office.http(staff(seller, "owner")) as owner:
        saved = owner.post(path, data={"name": "Orders", **choices})
        assert saved.status_code == 303
        (view,) = owner.get(f"/v1/sellers/{seller}/views").json()["views"]
        assert (view["name"], view["choices"]) == ("Orders", choices)
        assert owner.post(f"{path}/{view['view_id']}/removal", data=choices).status_code == 303
        assert owner.get(f"/v1/sellers/{seller}/views").json() == {"views": []}


def test_a_view_keeps_a_period_that_was_chosen_by_days(office: Office, seller: str) -> None:
    choices = {
        "metric": "orders",
        "from": "2018-07-02",
        "until": "2018-07-15",
        "compare": "year",
        "by": "product",
    }
    with office.http(staff(seller, "owner")) as owner:
        saved = owner.post(f"/sell/{seller}/metrics/views", data={"name": "Two weeks", **choices})
        (view,) = owner.get(f"/v1/sellers/{seller}/views").json()["views"]

    assert "from=2018-07-02&until=2018-07-15" in saved.headers["location"]
    assert view["choices"] == {**choices, "period": "30d"}


def test_the_metrics_page_opens_a_view_with_the_days_that_it_keeps(
    api: httpx.Client, commerce: CommerceStub
) -> None:
    days = {"from": "2018-07-02", "until": "2018-07-15"}
    choices = {"metric": "orders", "period": "30d", **days, "compare": "year", "by": "product"}
    view = {"view_id": new_id(), "name": "Two weeks", "choices": choices, "created_at": system_clock()}
    commerce.answers["/v1/sellers/ana/views"] = {"views": [view]}
    shown = {**days, "metric": "orders", "compare": "year", "by": "product"}

    def listed() -> str | None:
        """Return the page; None while the service is too slow for it, as on a busy machine."""
        page = api.get("/sell/ana/metrics", params=shown, headers={"Accept": "text/html"})
        assert page.status_code == 200
        return page.text if "Two weeks" in page.text else None

    text = await_true(listed, "the saved views")
    link = "?metric=orders&amp;from=2018-07-02&amp;until=2018-07-15&amp;compare=year&amp;by=product"
    assert f'{link}" aria-current="true">Two weeks' in text


def test_the_metrics_page_lists_saved_views(api: httpx.Client, commerce: CommerceStub) -> None:
    choices = {"metric": "orders", "period": "90d", "compare": "year", "by": "product"}
    view = {"view_id": new_id(), "name": "Orders <b>", "choices": choices, "created_at": system_clock()}
    commerce.answers["/v1/sellers/ana/views"] = {"views": [view]}

    def listed() -> str | None:
        """Return the page; None while the service is too slow for it, as on a busy machine."""
        page = api.get("/sell/ana/metrics", headers={"Accept": "text/html"})
        assert page.status_code == 200
        return page.text if "Saved views" in page.text else None

    text = await_true(listed, "the saved views")
    assert "?metric=orders&amp;period=90d&amp;compare=year&amp;by=product" in text
    assert "Orders &lt;b&gt;" in text


def test_without_the_service_the_metrics_page_has_no_views(api: httpx.Client) -> None:
    page = api.get("/sell/ana/metrics", headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "Saved views" not in page.text
