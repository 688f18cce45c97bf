"""Ids in the paths of requests: one of `a/b` is `a%2Fb` in an address, and must reach its route as `a/b`.

A server decodes the whole path before a route is chosen, so that `a%2Fb` would be two segments. Therefore an
application's outermost middleware routes by a path whose segments keep `/` and `%` as `%2F` and `%25`
(`keep_segments`), and each guarded route decodes them in its parameters (`decode_parameters`).
"""

from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.types import Scope


def in_path(id_: str) -> str:
    """Return an id as one segment of a path: `a/b` is `a%2Fb`. Dots are quoted: some servers resolve them."""
    return quote(id_, safe="").replace(".", "%2E")


def keep_segments(scope: Scope) -> None:
    """Set the path by which a request is routed: decoded, except for `/` and `%` within a segment."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%2" in raw:
        segments = (unquote(segment) for segment in raw.decode("latin-1").split("/"))
        scope["path"] = "/".join(segment.replace("%", "%25").replace("/", "%2F") for segment in segments)


def decode_parameters(scope: Scope) -> None:
    """Decode the parameters of the path that `keep_segments` has set."""
    if "%" in scope["path"]:
        scope["path_params"] = {
            name: value.replace("%2F", "/").replace("%25", "%") if isinstance(value, str) else value
            for name, value in scope["path_params"].items()
        }


def address_of(request: Request) -> str:
    """Return the path and the query of a request as the client sent them, for links that lead back to it."""
    raw: bytes = request.scope.get("raw_path") or quote(request.url.path).encode()
    return raw.decode("latin-1") + (f"?{request.url.query}" if request.url.query else "")
