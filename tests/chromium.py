"""Starts Chromium for tests. Tests that need it are skipped if it is not installed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from local.install.browser import find

ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip


@contextmanager
def opened() -> Iterator[Browser]:
    """Start a browser without a window."""
    chromium = os.environ.get("SOUK_TEST_CHROMIUM") or find()
    if chromium is None:
        pytest.skip("needs Chromium, which `./souk test` installs where it may")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS + as_root)
        yield browser
        browser.close()
