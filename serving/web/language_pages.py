"""The route with which a reader chooses the language of the pages."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from common.host_check import host_name, is_loopback
from serving.gateway.described_routes import guarded
from serving.gateway.sign_in_redirect import DEFAULT, page_of_form
from serving.kit.http_caching import PRIVATE_NO_STORE
from serving.kit.parameters import reject_repeated_parameters
from serving.web.forms import BadField, read_form
from serving.web.language import COOKIE, COOKIE_MAX_AGE_S, LANGUAGES
from serving.web.policy import POLICIES
from serving.web.translation import gettext

router = APIRouter(
    route_class=guarded(POLICIES), include_in_schema=False, dependencies=[Depends(reject_repeated_parameters)]
)


@router.post("/language")
async def choose_page_language(request: Request) -> Response:
    """Store the language in a cookie, and go back to the page with the form.

    Raises:
        BadField: the language is not one of the pages.
    """
    language = (await read_form(request)).text("language")
    if language not in LANGUAGES:
        raise BadField(gettext("The pages are in %(languages)s.", languages=", ".join(LANGUAGES.values())))
    response = RedirectResponse(page_of_form(request) or DEFAULT, 303, {"Cache-Control": PRIVATE_NO_STORE})
    secure = not is_loopback(host_name(request.headers.get("host", "")))
    response.set_cookie(
        COOKIE, language, max_age=COOKIE_MAX_AGE_S, httponly=True, samesite="lax", secure=secure
    )
    return response
