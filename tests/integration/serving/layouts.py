"""Shows a page in every theme and at every width that a layout must fit."""

from collections.abc import Iterator
from typing import Literal

from playwright.sync_api import Page

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (320, 390, 768, 1440)
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Waits until charts have followed the new size of the window."""


def layouts(page: Page) -> Iterator[tuple[str, int]]:
    """Yield (theme, width) while the loaded page is shown like that, as after turning a phone."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate(TWO_FRAMES)
            yield theme, width


def scroll_width(page: Page) -> int:
    """Return the width of the page's content in pixels."""
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width
