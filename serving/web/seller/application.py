"""`/sell/apply`: the form with which a person applies to sell, and what became of their applications."""

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.problems import Problem
from serving.web.forms import Form, country_code, form_page, read_form, submit
from serving.web.policy import page_router
from serving.web.service_calls import ask
from serving.web.translation import N_

PATH = "/sell/apply"

REQUIRED = ("name", "legal_name", "tax_id", "contact_email", "country")
OPTIONAL = ("currency", "description", "phone", "zip_prefix", "city", "state")

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
        applications=applications,
        is_open=any(each["status"] == "applied" for each in applications),
    )


@router.post(PATH)
@policy(allow("shopper", "seller", "analyst", "admin", traffic="write"))
async def send_application(request: Request) -> Response:
    """Send an application."""
    form = await read_form(request)

    async def apply() -> None:
        body = {name: form.text(name) for name in REQUIRED}
        body |= {name: text for name in OPTIONAL if (text := form.text(name))}
        body["country"] = country_code(body["country"])
        await ask(request, "POST", "/v1/seller_applications", body)

    async def page(problem: Problem) -> Response:
        return await _page(request, problem, form)

    return await submit(apply, page, PATH, "sent")
