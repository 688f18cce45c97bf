"""Renders the templates with the shop's way of writing, and serves the files that pages need."""

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
from serving.web import views
from serving.web.format import Writer, label, place, seller_name, short_id, words
from serving.web.tiles import DRAWINGS, tile_name

HERE = Path(__file__).parent


class Pages:
    """Renders templates with the shop's way of writing."""

    def __init__(self, settings: Settings) -> None:
        static = HERE / "static"
        version = fingerprint(static, static / "shop", *DRAWINGS, vendor_folder(settings))
        self.write = Writer(settings.shop_locale, settings.shop_currency, settings.timezone)
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
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
            "write": self.write,
            "place": place,
            "seller_name": seller_name,
            "version": version,
            "tile": lambda *product: f"/shop/tiles/{tile_name(*product)}.svg?v={version}",
            "label": label,
            "asked": None,
            "locale": settings.shop_locale.replace("_", "-"),
            "presets": views.PRESETS,
            "clickhouse": settings.clickhouse,
            "base": settings.serving,
        }
        self._read_all()

    def _read_all(self) -> None:
        """Now: what is read when it is needed first holds up everybody who asks this process meanwhile."""
        for template in self._environment.list_templates(("html",)):
            self._environment.get_template(template)
        self.write.money(0)

    def __call__(self, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
        """One page (or a part of one) as a response."""
        html = self._environment.get_template(template).render(**shown)
        return HTMLResponse(html, status, {"Cache-Control": "no-cache"})


class Versioned(StaticFiles):
    """Files that a browser may keep where their address carries a fingerprint, as modules' imports do not."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, to be kept for a year, or to be asked for again."""
        response = await super().get_response(path, scope)
        kept = b"v=" in scope["query_string"]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return response


def vendor_folder(settings: Settings) -> Path:
    """Where the installation put htmx and ECharts."""
    return settings.install / "share" / "souk" / "web"


def fingerprint(*folders: Path) -> str:
    """Changes whenever a file of these folders does."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.glob("*.*")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def embed(value: object) -> Markup:
    """JSON for a `<script type="application/json">`, unable to close it."""
    return Markup(orjson.dumps(value).decode().replace("<", "\\u003c"))


def code(text: str) -> Markup:
    """Text with its `quoted` parts as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
