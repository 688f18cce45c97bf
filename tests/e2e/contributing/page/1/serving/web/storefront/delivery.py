"""The page that says how parcels arrive."""

from fastapi import Request
from starlette.responses import Response

from serving.kit.domain import opened
from serving.web.policy import ANYBODY, page_router
from serving.web.renderer import PageRenderer

router = page_router(ANYBODY, "/shop")


@router.get("/delivery")
async def delivery(request: Request) -> Response:
    """Return the page."""
    return opened(request, PageRenderer)("shop/delivery.html")
