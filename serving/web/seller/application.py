"""`/sell/apply`: the form with which a person applies to sell, and what became of their applications."""

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.problems import Problem
from serving.web.forms import Form, action, form_page, sending
from serving.web.policy import page_router
from serving.web.service_calls import ask
from serving.web.translation import N_

PATH = "/sell/apply"
APPLICATIONS = "/v1/seller_applications"

MESSAGES: Mapping[str, str] = {"sent": N_("Your application was sent. This page shows the decision.")}

router = page_router(allow("shopper", "seller", "analyst", "admin", traffic="page"))


@router.get(PATH)
async def application(request: Request) -> Response:
    """Return the person's applications, and the form unless one is open."""
    return await _page(request)


async def _page(request: Request, problem: Problem | None = None, entered: Form | None = None) -> Response:
    mine = await ask(request, "GET", "/v1/seller_applications/mine")
    applications = list(reversed(mine["applications"]))
    return form_page(
        request,
        "seller/application.html",
        MESSAGES,
        problem,
        entered,
        routes={"apply": ("POST", APPLICATIONS)},
        applications=applications,
        is_open=any(each["status"] == "applied" for each in applications),
    )


@router.post(PATH)
@policy(allow("shopper", "seller", "analyst", "admin", traffic="write"))
async def send_application(request: Request) -> Response:
    """Send an application."""
    apply = sending(request, "POST", APPLICATIONS)
    return await action(request, apply, _page, PATH, "sent")
