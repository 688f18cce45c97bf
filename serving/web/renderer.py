"""Renders the templates in the language of the request, and serves static files."""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.filters import do_urlencode
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from common.money import MINOR_DIGITS, USUAL_DIGITS, format_money
from common.request_path import in_path
from common.settings import Settings
from serving.kit.http_caching import IMMUTABLE, LANGUAGE_HEADERS, PRIVATE, PRIVATE_NO_STORE
from serving.web import presenters
from serving.web.category_names import KnownCategories
from serving.web.formatter import Formatter, label, place, seller_name, short_id, shown_device, words
from serving.web.language import (
    LANGUAGES,
    SOURCE,
    current_language,
    language_of_locale,
)
from serving.web.product_images import DRAWINGS, tile_name
from serving.web.texts import problem_text, reason_text
from serving.web.translation import (
    FOLDER,
    load_translations,
    script_texts,
    template_plural,
    template_text,
    translated,
)

WEB_DIR = Path(__file__).parent


class PageRenderer:
    """Renders templates in the language of the request, with the shop's currency and time zone."""

    def __init__(self, settings: Settings) -> None:
        static = WEB_DIR / "static"
        self.version = version = fingerprint(static, static / "shop", *DRAWINGS, vendor_folder(settings))
        """The fingerprint of the static files."""
        templates = WEB_DIR / "templates"
        texts = fingerprint(templates, templates / "shop", *FOLDER.glob("*/LC_MESSAGES"))
        self._release = f"{version} {texts} {settings.shop_locale}"
        self.categories = KnownCategories()
        self.base = settings.public
        """The URL of the site, without a path."""
        self._formatters = {
            language: Formatter(locale, settings.shop_currency, settings.timezone, self._category_name)
            for language, locale in page_locales(settings.shop_locale).items()
        }
        self._environment = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        self._environment.policies["ext.i18n.trimmed"] = True
        self._environment.newstyle_gettext = True  # type: ignore[attr-defined]  # `trans` passes its values
        self._environment.globals |= {
            "_": template_text,
            "gettext": template_text,
            "ngettext": template_plural,
        }
        self._environment.filters |= {
            "urlencode": _urlencode,
            "words": words,
            "embed": embed,
            "code": code,
            "short_id": short_id,
            "moment": datetime.fromisoformat,
            "translated": translated,
        }
        self._environment.globals |= {
            "format": PageFormatter(self),
            "minor_digits": {"others": dict(MINOR_DIGITS), "usual": USUAL_DIGITS},
            "money": lambda minor, currency: format_money(minor, currency, self.formatter.locale),
            "place": place,
            "seller_name": seller_name,
            "category_name": self._category_name,
            "attribute_name": lambda key: self.categories.names.attribute(key),
            "value_name": lambda key, value: self.categories.names.value(key, value),
            "version": version,
            "tile": lambda *product: f"/shop/tiles/{tile_name(*product)}.svg?v={version}",
            "picture_url": lambda sha256, size: f"/v1/pictures/{sha256}/{size}",
            "label": lambda product: label(product, self._category_name),
            "reason_text": reason_text,
            "shown_device": shown_device,
            "problem_text": problem_text,
            "search": None,
            "site_notice": str,
            "page_language": current_language,
            "languages": LANGUAGES,
            "script_texts": script_texts,
            "presets": presenters.PRESETS,
            "metric_title": presenters.metric_title,
            "last_day": presenters.last_day,
            "same_period": presenters.same_period,
            "clickhouse": settings.clickhouse,
            "base": self.base,
        }
        self._preload()

    @property
    def formatter(self) -> Formatter:
        """The formatter of the request's language."""
        return self._formatters[current_language()]

    @property
    def cache_version(self) -> str:
        """What all pages depend on, besides what they show; the language of the request is a part of it."""
        return f"{self._release} {self.categories.version} {current_language()}"

    def _category_name(self, category: str | None) -> str:
        return self.categories.names.category(category)

    def show_notice(self, notice: Callable[[], str]) -> None:
        """Show the notice that `notice` returns at the top of every page; none if it is empty."""
        self._environment.globals["site_notice"] = notice

    def _preload(self) -> None:
        """Load all templates now. Loading one during a request would block all requests of the process."""
        for template in self._environment.list_templates(("html",)):
            self._environment.get_template(template)
        load_translations()
        for formatter in self._formatters.values():
            formatter.money(0)  # loads the locale's data

    def __call__(self, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
        """Return a page, or a part of a page, as a response."""
        html = self._environment.get_template(template).render(**shown)
        return HTMLResponse(html, status, {"Cache-Control": PRIVATE, "Vary": LANGUAGE_HEADERS})

    def render(self, template: str, **shown: Any) -> bytes:
        """Return a page, or a part of a page, as the cache stores it."""
        return self._environment.get_template(template).render(**shown).encode()


def not_stored_if(stale: bool, page: Response) -> Response:
    """Return a page; if its figures are stale, nobody stores it."""
    if stale:
        page.headers["Cache-Control"] = PRIVATE_NO_STORE
    return page


class PageFormatter:
    """Stands for the formatter of the request's language in templates."""

    def __init__(self, pages: PageRenderer) -> None:
        self._pages = pages

    def __getattr__(self, name: str) -> Any:
        """Return a method or an attribute of that formatter."""
        return getattr(self._pages.formatter, name)


def page_locales(shop_locale: str) -> dict[str, str]:
    """Return the locale of each language of the pages: the shop's own for its language.

    If no page is in the language of the shop's locale, that locale formats the English pages.
    """
    locales = {language: language for language in LANGUAGES}
    locales[language_of_locale(shop_locale) or SOURCE] = shop_locale
    return locales


class VersionedFiles(StaticFiles):
    """Static files. A file is cached for a year if its URL has the fingerprint of these files, `?v=…`.

    Another fingerprint is that of another release: a cache must not store this file under its URL. Modules
    that other modules import have no fingerprint.
    """

    def __init__(self, directory: Path, version: str, check_dir: bool = True) -> None:
        super().__init__(directory=directory, check_dir=check_dir)
        self._query = f"v={version}".encode()

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file with its `Cache-Control`."""
        response = await super().get_response(path, scope)
        has_fingerprint = scope["query_string"] == self._query
        response.headers["Cache-Control"] = IMMUTABLE if has_fingerprint else "no-cache"
        return response


def vendor_folder(settings: Settings) -> Path:
    """Return the folder of htmx and ECharts in the installation."""
    return settings.install / "share" / "souk" / "web"


def fingerprint(*folders: Path) -> str:
    """Return a hash of all files of these folders."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.glob("*.*")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def embed(value: object) -> Markup:
    """Return JSON for a `<script type="application/json">`; escaped, so that it can't end the script."""
    return Markup(orjson.dumps(value).decode().replace("<", "\\u003c"))


def _urlencode(value: str | Mapping[str, Any]) -> str:
    """Return an id as one segment of a path, or values as a query. Jinja's own filter leaves `/` as it is."""
    return in_path(value) if isinstance(value, str) else do_urlencode(value)


def code(text: str) -> Markup:
    """Return text as HTML, with its parts in backticks as `<code>`."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
