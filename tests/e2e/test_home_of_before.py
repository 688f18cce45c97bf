"""A home that the release before this one has filled opens with this one, and nothing of it is lost."""

import json
import subprocess
import sys
import tarfile
import uuid
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO

import pytest
from playwright.sync_api import expect

from clickhouse.client import connect
from common.settings import ROOT
from tests.chromium import opened
from tests.e2e.test_erasure import PASSWORD, Visitor, eventually_found, token_in_mail
from tests.e2e.test_shop import PATIENCE_MS, Marketplace, add

pytestmark = [pytest.mark.nightly, pytest.mark.browser, pytest.mark.timeout(3_600)]

BEFORE = "04bfbea2"
"""The commit whose homes must open. Each release moves it to the last commit of the release before."""

INSTALLED = ("requirements.lock", "jars.lock")
"""What an installation is made of. If it is the same in both commits, they share one."""

PRODUCT = "product-000001"
"""A product of every simulated marketplace."""


def git(*arguments):
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)


@pytest.fixture
def checkout_of_before(tmp_path):
    """The files of the commit `BEFORE`."""
    if git("cat-file", "-e", f"{BEFORE}^{{commit}}").returncode:
        pytest.skip(f"git does not have the commit {BEFORE}: fetch it (`git fetch --unshallow`)")
    folder = tmp_path / "before"
    with tarfile.open(fileobj=BytesIO(git("archive", BEFORE).stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def install(checkout, platform):
    """Let a checkout that needs other packages or jars have an installation of its own."""
    if all((checkout / name).read_bytes() == (ROOT / name).read_bytes() for name in INSTALLED):
        return platform
    folder = checkout.with_name("install")
    command = [sys.executable, "-P", "-m", "local.install", str(folder), "of before"]
    environment = platform.environment | {"PYTHONPATH": str(checkout), "SOUK_INSTALL": str(folder)}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"what {BEFORE} needs can't be installed: {done.stderr[-500:]}")
    return replace(platform, environment=environment, python=folder / "bin" / "python")


@contextmanager
def shopper(settings):
    """Yield the page of a browser whose cookies and storage stay, whichever release serves it."""
    with opened() as browser:
        context = browser.new_context(base_url=settings.serving)
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield context.new_page()


def registered(settings, eventually):
    """Register a person, and return their e-mail address."""
    email, person, mails = f"{uuid.uuid4().hex}@shop.example", Visitor(settings), Marketplace(settings)
    person.send("POST", "/v1/auth/registrations", json={"email": email, "password": PASSWORD, "name": "Ana"})
    token = eventually_found(eventually, lambda: token_in_mail(mails, email, "verify"))
    person.send("POST", "/v1/auth/verifications", json={"token": token, "password": PASSWORD})
    return email


def sign_in(page, email):
    """Sign a person in on the page."""
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def orders(settings):
    """Return the ids of all orders in the facts."""
    with connect(settings, admin=True) as client:
        return {row[0] for row in client.query("SELECT order_id FROM souk.order_placed").result_rows}


def agrees(platform):
    audit = platform.audit()
    assert audit["settled"], "the jobs did not read all events"
    assert audit["differences"] == 0, json.dumps(audit, indent=1)


def test_a_home_of_before_opens_with_its_orders_sessions_and_carts(untouched, checkout_of_before, eventually):
    before = install(checkout_of_before, replace(untouched, checkout=checkout_of_before))
    before.souk("demo", "--weeks", "1", "--shoppers", "300", "--rate", "20", "--minutes", "0.3", "--keep")
    settings = untouched.started_settings()
    with shopper(settings) as page:
        email = registered(settings, eventually)
        sign_in(page, email)
        add(page, PRODUCT)
        kept = orders(settings)
        before.souk("down")
        assert untouched.processes() == []
        assert kept, "the demo sold nothing"

        untouched.souk("up")
        parts = untouched.status()
        assert {name for name, part in parts.items() if part["state"] != "ready"} == set()
        agrees(untouched)
        assert kept <= orders(settings)

        page.goto("/account")
        expect(page.locator("body")).to_contain_text(email)
        page.goto("/shop/cart")
        expect(page.locator(".cart-line")).to_have_count(1)
        page.locator("#place").click()
        expect(page.get_by_role("heading", name="Your order is confirmed")).to_be_visible()
        placed = page.url.rpartition("/")[2]

    eventually(lambda: placed in orders(settings))  # the jobs go on, too
    agrees(untouched)
