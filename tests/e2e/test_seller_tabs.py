"""Chromium opens every page of Olist's largest sellers, and screen, API and CSV have the same figures."""

import csv
import re
from decimal import Decimal
from io import StringIO
from urllib.parse import urljoin

import httpx
import pytest
from playwright.sync_api import expect

from clickhouse.metric_catalogue.definition import read_catalogue, read_domains
from common.money import to_minor
from local import passwords
from tests.chromium import opened
from tests.principals import bearer

pytestmark = [pytest.mark.timeout(3_600), pytest.mark.browser, pytest.mark.nightly]

SELLERS = 5
PATIENCE_MS = 60_000


@pytest.fixture
def settings(olist_slice):
    return passwords.ensure(olist_slice.settings)


@pytest.fixture
def api(settings):
    with httpx.Client(
        base_url=settings.serving, trust_env=False, timeout=60, headers=bearer(settings)
    ) as client:
        yield client


@pytest.fixture
def page(settings):
    """A page of somebody who may open the pages of every seller. Errors of its scripts fail the test."""
    with opened() as browser:
        context = browser.new_context(base_url=settings.serving, extra_http_headers=bearer(settings))
        context.set_default_timeout(PATIENCE_MS)
        errors = []
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        assert errors == []


def shown_number(text):
    """Return the number in a text such as `R$1,299.00`, `12.3%` or `4.5 h`, and half of its last digit."""
    digits = re.search(r"[\d,]+(?:\.\d+)?", text)[0].replace(",", "")
    sign = -1 if re.match(r"[-−]|.*-\d", text) else 1
    return sign * Decimal(digits), Decimal(1).scaleb(Decimal(digits).as_tuple().exponent) / 2


def scaled(value, unit, text):
    """Return a value of the API in the unit in which a page shows it."""
    factor = {"money": Decimal("0.01"), "share": Decimal(100), "hours": Decimal(1)}.get(unit, Decimal(1))
    of_hours = {"d": Decimal(1) / 24, "min": Decimal(60), "s": Decimal(3600)}
    return Decimal(str(value)) * factor * (of_hours.get(text.split()[-1], 1) if unit == "hours" else 1)


def assert_same(text, value, unit, about):
    if value is None:
        assert text == "–", about
        return
    number, half = shown_number(text)
    assert abs(number - scaled(value, unit, text)) <= half, (about, text, value)
    if unit == "money":
        assert number == scaled(value, unit, text), (about, text, value)


def compare(page, api, seller, domain):
    """Compare every metric of a domain over all time; return how many there were."""
    metrics = {name: each for name, each in read_catalogue().items() if each.domain == domain}
    first = next(iter(metrics))
    page.goto(f"/sell/{seller}/metrics?period=all&metric={first}")
    rows = page.locator("section[aria-labelledby=all-title] tbody tr")
    expect(rows).to_have_count(len(metrics))
    screen = {
        row.locator("a").inner_text(): row.locator("td.figure").first.inner_text() for row in rows.all()
    }
    file = urljoin(page.url, page.get_by_role("link", name="CSV").first.get_attribute("href"))
    bounds = dict(httpx.URL(file).params)
    others = ",".join(list(metrics)[1:])
    asked = {"from": bounds["from"], "to": bounds["to"], "compare": "none", "with": others}
    answer = api.get(f"/v1/sellers/{seller}/analytics/{first}", params=asked).raise_for_status().json()
    totals = {each["name"]: each["value"] for each in answer["totals"]}
    table = (
        api.get(f"/v1/sellers/{seller}/analytics/{first}/export.csv", params=asked).raise_for_status().text
    )
    series = list(csv.DictReader(StringIO(table)))
    for name, metric in metrics.items():
        about = (seller, name)
        assert_same(screen[metric.title], totals[name], metric.unit, about)
        in_csv = [Decimal(row[name]) for row in series if row[name]]
        if metric.unit == "money":
            in_csv = [Decimal(to_minor(amount, answer["currency"])) for amount in in_csv]
        in_json = [
            Decimal(str(bucket["values"][name]))
            for bucket in answer["series"]
            if bucket["values"][name] is not None
        ]
        assert [float(each) for each in in_csv] == [float(each) for each in in_json], about
        is_sum = not metric.denominator and metric.quantile is None
        distinct = any(
            metric.source.file.measures[each.lstrip("-")].distinct_values for each in metric.numerator
        )
        if is_sum and not distinct:
            assert sum(in_csv) == (totals[name] or 0), about
    return len(metrics)


SHOWN = """() => [...document.querySelectorAll("main a")].flatMap(link => {
  const asked = new URL(link.href).searchParams;
  const metric = asked.get("metric") || asked.get("show");
  const cell = link.closest("td.figure") || link.closest("tr")?.querySelector("td.figure")
    || link.closest("div")?.querySelector(".tile-value");
  return metric && cell ? [[metric, cell.innerText]] : [];
})"""
"""The metrics that a page names by a link, each with the figure in the link's own cell, row or tile."""

OVERVIEWS = ("earnings", "fulfilment", "reviews", "recommendations")
"""The tabs that show metrics of their own, besides Metrics."""


def compare_overview(page, api, seller, tab):
    """Compare the metrics that a tab shows over all time with the API; return how many there were."""
    page.goto(f"/sell/{seller}/{tab}?period=all&compare=none")
    shown = [each for each in page.evaluate(SHOWN) if each[0] in read_catalogue()]
    assert shown, tab
    file = page.locator("a[href*='/analytics/'][href*='from=']").first.get_attribute("href")
    bounds = dict(httpx.URL(urljoin(page.url, file)).params)
    names = list(dict.fromkeys(name for name, _ in shown))
    asked = {"from": bounds["from"], "to": bounds["to"], "compare": "none", "with": ",".join(names[1:])}
    answer = api.get(f"/v1/sellers/{seller}/analytics/{names[0]}", params=asked).raise_for_status().json()
    totals = {each["name"]: each["value"] for each in answer["totals"]}
    for name, text in shown:
        assert_same(text, totals[name], read_catalogue()[name].unit, (seller, tab, name))
    return len(shown)


def test_every_tab_opens_and_its_figures_are_those_of_the_api_and_of_the_csv(page, api):
    listed = api.get("/v1/sellers", params={"limit": SELLERS}).raise_for_status().json()["sellers"]
    sellers = [each["seller_id"] for each in listed]
    assert len(sellers) == SELLERS

    compared = 0
    for seller in sellers:
        page.goto(f"/sell/{seller}")
        tabs = page.get_by_role("navigation", name="Pages of this seller").get_by_role("link")
        for path in [tab.get_attribute("href") for tab in tabs.all()]:
            answer = page.goto(path)
            assert answer.status == 200, path
            expect(page.get_by_role("heading", level=1)).to_be_visible()
        compared += sum(compare(page, api, seller, domain) for domain in read_domains())
        compared += sum(compare_overview(page, api, seller, tab) for tab in OVERVIEWS)

    print(f"{compared} figures of {SELLERS} sellers")
    assert compared >= SELLERS * len(read_catalogue())
