"""Renders the templates in the shop's locale, and serves static files."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from common.money import format_money
from common.settings import Settings
from serving.http_caching import IMMUTABLE, PRIVATE
from serving.web import presenters
from serving.web.formatter import Formatter, label, place, seller_name, short_id, words
from serving.web.product_images import DRAWINGS, tile_name

WEB_DIR = Path(__file__).parent


class PageRenderer:
    """Renders templates in the shop's locale."""

    def __init__(self, settings: Settings) -> None:
        static = WEB_DIR / "static"
        self.version = version = fingerprint(static, static / "shop", *DRAWINGS, vendor_folder(settings))
        """The fingerprint of the static files."""
        templates = WEB_DIR / "templates"
        self.cache_version = f"{version} {fingerprint(templates, templates / 'shop')} {settings.shop_locale}"
        """What all pages depend on, besides what they show."""
        self.formatter = Formatter(settings.shop_locale, settings.shop_currency, settings.timezone)
        self._environment = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "words": words,
            "embed": embed,
            "code": code,
            "short_id": short_id,
            "moment": datetime.fromisoformat,
        }
        self._environment.globals |= {
            "format": self.formatter,
            "money": partial(format_money, locale=settings.shop_locale),
            "place": place,
            "seller_name": seller_name,
            "version": version,
            "tile": lambda *product: f"/shop/tiles/{tile_name(*product)}.svg?v={version}",
            "label": label,
            "search": None,
            "site_notice": str,
            "locale": settings.shop_locale.replace("_", "-"),
            "presets": presenters.PRESETS,
            "clickhouse": settings.clickhouse,
            "base": settings.public,
        }
        self._preload()

    def show_notice(self, notice: Callable[[], str]) -> None:
        """Show the notice that `notice` returns at the top of every page; none if it is empty."""
        self._environment.globals["site_notice"] = notice

    def _preload(self) -> None:
        """Load all templates now. Loading one during a request would block all requests of the process."""
        for template in self._environment.list_templates(("html",)):
            self._environment.get_template(template)
        self.formatter.money(0)  # loads the locale's data

    def __call__(self, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
        """Return a page, or a part of a page, as a response."""
        html = self._environment.get_template(template).render(**shown)
        return HTMLResponse(html, status, {"Cache-Control": PRIVATE})

    def render(self, template: str, **shown: Any) -> bytes:
        """Return a page, or a part of a page, as the cache stores it."""
        return self._environment.get_template(template).render(**shown).encode()


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


def code(text: str) -> Markup:
    """Return text as HTML, with its parts in backticks as `<code>`."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
