"""Shows a page at every width that a layout must fit, and in both themes."""

from collections.abc import Iterator
from typing import Literal

from playwright.sync_api import Page

WIDTHS = (320, 390, 768, 1440)
LAYOUTS: tuple[tuple[Literal["light", "dark"], int], ...] = (
    ("dark", WIDTHS[0]),
    *(("light", width) for width in WIDTHS),
)
"""The themes differ in colours, so that one width is enough for the dark one."""

TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Waits until charts have followed the new size of the window."""


def layouts(page: Page) -> Iterator[tuple[str, int]]:
    """Yield (theme, width) while the loaded page is shown like that, as after turning a phone."""
    for theme, width in LAYOUTS:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(TWO_FRAMES)
        yield theme, width


def scroll_width(page: Page) -> int:
    """Return the width of the page's content in pixels."""
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width
