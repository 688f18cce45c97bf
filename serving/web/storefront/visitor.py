"""The route that tells a page of the shop its visitor's session. Public pages do not contain it."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from serving.gateway.described_routes import guarded
from serving.kit.http_caching import PRIVATE_NO_STORE
from serving.kit.parameters import reject_repeated_parameters
from serving.web.session_cookie import session_id, set_session_cookie
from serving.web.storefront.policy import POLICIES

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/shop",
    include_in_schema=False,
    dependencies=[Depends(reject_repeated_parameters)],
)


@router.get("/visitor")
async def visitor(request: Request, session: Annotated[str, Depends(session_id)]) -> Response:
    """Return the session id of the cookie, and set the cookie. A new visitor gets a new session."""
    response = set_session_cookie(
        request, Response(orjson.dumps({"session": session}), media_type="application/json"), session
    )
    response.headers["Cache-Control"] = PRIVATE_NO_STORE
    return response
