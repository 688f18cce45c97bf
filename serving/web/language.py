"""Chooses the language of a page: the reader's choice, else that of the browser, else that of the shop."""

from collections.abc import Iterator, Mapping
from contextvars import ContextVar

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

SOURCE = "en"
"""The language of the texts in templates and code."""

LANGUAGES: Mapping[str, str] = {SOURCE: "English", "pt_BR": "Português"}
"""Language → its name in itself. Every one but the source has a folder in `translations`."""

COOKIE = "souk_language"
COOKIE_MAX_AGE_S = 365 * 24 * 3600

MAX_ACCEPTED = 20
"""The number of languages in `Accept-Language` that are considered."""

_language: ContextVar[str] = ContextVar("language", default=SOURCE)


def current_language() -> str:
    """Return the language of this request."""
    return _language.get()


def use_language(language: str) -> None:
    """Set the language of this context, and of tasks that are started in it."""
    _language.set(language)


def language_of_locale(locale: str) -> str | None:
    """Return the language that serves a locale such as `pt`, `pt-PT` or `en_GB`; None if none does."""
    code = locale.replace("_", "-").partition("-")[0].strip().lower()
    return next((name for name in LANGUAGES if name.partition("_")[0] == code), None)


def choose_language(chosen: str | None, accepted: str, default: str) -> str:
    """Return the language of a page.

    `chosen` is what the reader chose; it counts if it is one of `LANGUAGES`. `accepted` is the header
    `Accept-Language`: of the languages that it allows, the one with the highest weight, and of equal ones the
    first. If it allows none of them, it is `default`.
    """
    if chosen is not None and chosen in LANGUAGES:
        return chosen
    found = sorted(_accepted(accepted), key=lambda one: -one[1])
    return next((language or default for language, _ in found), default)


def _accepted(header: str) -> Iterator[tuple[str | None, float]]:
    """Return the languages that the header allows with their weights (RFC 9110, 12.5.4); None is any."""
    for part in header.split(",")[:MAX_ACCEPTED]:
        tag, _, parameter = part.partition(";")
        name, _, text = parameter.strip().partition("=")
        try:
            weight = float(text) if name.strip().lower() == "q" else 1.0
        except ValueError:
            continue
        language = language_of_locale(tag)
        if weight > 0 and (language or tag.strip() == "*"):
            yield language, weight


class LanguageMiddleware:
    """Chooses the language of every request before anything else reads it."""

    def __init__(self, app: ASGIApp, default: str) -> None:
        self._app = app
        self._default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Each has its own context, which ends with it."""
        if scope["type"] == "http":
            request = HTTPConnection(scope)
            accepted = request.headers.get("accept-language", "")
            use_language(choose_language(request.cookies.get(COOKIE), accepted, self._default))
        await self._app(scope, receive, send)
