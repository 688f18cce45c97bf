"""Names the browser of a request, so that people recognise it in the list of their sessions. Pure."""

from serving.web.translation import N_, gettext, translated

_BROWSERS = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox")),
    *(("FxiOS", "Firefox"), ("Chrome", "Chrome"), ("Chromium", "Chromium"), ("CriOS", "Chrome")),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("CrOS", "ChromeOS"), ("Macintosh", "macOS"), ("Linux", "Linux")),
)
"""Words of `User-Agent` and the names they stand for. Several words are in most of these headers: the first
one that is found counts."""


MAX_PRODUCT_CHARS = 40


def device_name(user_agent: str) -> str:
    """Return `Firefox on Linux` without what is not recognised; if neither is, the first product's name.

    A program such as `curl/8.5` has no more than that. Without a name, it is an `Unknown device`.
    """
    browser = next((name for word, name in _BROWSERS if word in user_agent), "")
    system = next((name for word, name in _SYSTEMS if word in user_agent), "")
    product = user_agent.partition("/")[0].strip()[:MAX_PRODUCT_CHARS]
    return " on ".join(part for part in (browser, system) if part) or product or N_("Unknown device")


def shown_device(name: str | None) -> str:
    """Return the name of a device in the language of the page."""
    browser, on, system = (name or "Unknown device").partition(" on ")
    if on:
        return gettext("%(browser)s on %(system)s", browser=browser, system=system)
    return translated(browser)
