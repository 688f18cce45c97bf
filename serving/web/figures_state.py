"""What pages do with figures that are old, or not complete yet."""

from datetime import datetime

from fastapi import Request
from starlette.responses import Response

from serving.kit.domain import opened
from serving.kit.http_caching import PRIVATE_NO_STORE
from serving.ops.dependencies import OpsDomain


def not_stored_if(stale: bool, page: Response) -> Response:
    """Return a page; if its figures are stale, nobody stores it."""
    if stale:
        page.headers["Cache-Control"] = PRIVATE_NO_STORE
    return page


def are_catching_up(request: Request, as_of: datetime | None) -> bool:
    """Return whether figures of this age will rise, because older orders are still being counted."""
    return opened(request, OpsDomain).freshness.is_catching_up(as_of)
