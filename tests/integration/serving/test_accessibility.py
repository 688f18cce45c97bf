"""axe-core finds nothing that keeps people with a keyboard, a screen reader or weak eyes from a page."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SELLER = "ana"
PAGES = (
    "/",
    "/shop",
    "/docs",
    *(f"/sell/{SELLER}{tab}" for tab in ("", "/metrics", "/change", "/customers", "/sql")),
    *(f"/sell/{SELLER}/{tab}" for tab in ("fulfilment", "earnings", "reviews", "recommendations", "live")),
)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.nightly)])
def test_axe_finds_no_violation(page: Page, theme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=theme)
    found = {}
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("load" if path.endswith("/live") else "networkidle")  # its stream goes on
        report = Axe().run(page)
        if report.violations_count:
            found[path] = report.generate_report()

    assert found == {}, "\n".join(found.values())
