"""The pictures of products. Like static files, they are answered also while the gateway refuses requests.

A picture costs less than its refusal would save, and a page that was answered is broken without its pictures.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from common.problems import Problem
from serving.kit.http_caching import IMMUTABLE, PUBLIC_DATA
from serving.web.product_images import draw

PATH = "/shop/tiles/{tile}.svg"


class UnknownTile(Problem):
    """No tile has this name."""

    status, kind, title = 404, "unknown-tile", "Unknown picture"


def route(version: str) -> Route:
    """Return the route of all pictures.

    A picture is cached for a year if its URL has the fingerprint of this release: `?v=` and `version`.
    """

    async def tile(request: Request) -> Response:
        name = request.path_params["tile"]
        drawn = draw(name)
        if drawn is None:
            raise UnknownTile(f"There is no picture {name!r}. Pages of the shop link to the existing ones.")
        is_current = request.query_params.get("v") == version
        headers = {"Cache-Control": IMMUTABLE if is_current else PUBLIC_DATA}
        return Response(drawn, headers=headers, media_type="image/svg+xml")

    return Route(PATH, tile, methods=["GET"])
