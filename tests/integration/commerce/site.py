"""The running pages with the services behind them, as a browser and as a person at one see them."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from playwright.sync_api import Page

from common.settings import Settings
from tests.integration.commerce_servers import Shop

PASSWORD = "seven lamps and a vase"
BEST_SELLER = "ana"


@dataclass
class Site:
    """The running pages, and the shop behind them."""

    settings: Settings
    shop: Shop

    @property
    def url(self) -> str:
        return self.settings.serving

    def sql(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Run a statement in PostgreSQL and return its rows."""
        return self.shop.sql(statement, *values)

    def browser(self, **headers: str) -> httpx.Client:
        """Return a client with cookies that sends forms as a page of this site does."""
        sent = {"Origin": self.url, "Accept": "text/html", **headers}
        return httpx.Client(base_url=self.url, headers=sent, trust_env=False, timeout=60)

    def link(self, email: str, page: str) -> str:
        """Return the link to a page in the newest mail to an address that has one."""
        mails = self.shop.http.get("/v1/mails", params={"to": email}).raise_for_status().json()
        links = (re.search(rf"/{page}\?token=\S+", mail["text"]) for mail in mails)
        return next(found[0] for found in links if found)

    def person(self) -> str:
        """Register a person whose address is verified; return the address."""
        email = f"{uuid4().hex}@shop.example"
        given = {"email": email, "password": PASSWORD}
        self.shop.http.post("/v1/auth/registrations", json=given).raise_for_status()
        token = self.link(email, "verify").partition("=")[2]
        verification = {"token": token, "password": PASSWORD}
        self.shop.http.post("/v1/auth/verifications", json=verification).raise_for_status()
        return email

    def signed_in(self) -> httpx.Client:
        """Return a browser in which a new person is signed in."""
        browser = self.browser()
        assert sign_in(browser, self.person()).status_code == 303
        return browser


def sign_in(browser: httpx.Client, email: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
    return browser.post("/sign-in", data={"email": email, "password": password, **fields})


def fill_sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def path_of(response: httpx.Response) -> str:
    """Return where a redirect leads."""
    assert response.status_code == 303, response.text
    return response.headers["location"]
