"""Renders the templates in the shop's locale, and serves static files."""

import hashlib
import re
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from common.settings import Settings
from serving.web import presenters
from serving.web.formatter import Formatter, label, place, seller_name, short_id, words
from serving.web.product_images import DRAWINGS, tile_name

WEB_DIR = Path(__file__).parent


class PageRenderer:
    """Renders templates in the shop's locale."""

    def __init__(self, settings: Settings) -> None:
        static = WEB_DIR / "static"
        version = fingerprint(static, static / "shop", *DRAWINGS, vendor_folder(settings))
        self.formatter = Formatter(settings.shop_locale, settings.shop_currency, settings.timezone)
        self._environment = Environment(
            loader=FileSystemLoader(WEB_DIR / "templates"),
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
        }
        self._environment.globals |= {
            "format": self.formatter,
            "place": place,
            "seller_name": seller_name,
            "version": version,
            "tile": lambda *product: f"/shop/tiles/{tile_name(*product)}.svg?v={version}",
            "label": label,
            "search": None,
            "locale": settings.shop_locale.replace("_", "-"),
            "presets": presenters.PRESETS,
            "clickhouse": settings.clickhouse,
            "base": settings.serving,
        }
        self._preload()

    def _preload(self) -> None:
        """Load all templates now. Loading one during a request would block all requests of the process."""
        for template in self._environment.list_templates(("html",)):
            self._environment.get_template(template)
        self.formatter.money(0)  # loads the locale's data

    def __call__(self, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
        """Return a page, or a part of a page, as a response."""
        html = self._environment.get_template(template).render(**shown)
        return HTMLResponse(html, status, {"Cache-Control": "no-cache"})


class VersionedFiles(StaticFiles):
    """Static files. A file is cached for a year if its URL has a fingerprint. Imported modules have none."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file with its `Cache-Control`."""
        response = await super().get_response(path, scope)
        has_fingerprint = b"v=" in scope["query_string"]
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if has_fingerprint else "no-cache"
        )
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
