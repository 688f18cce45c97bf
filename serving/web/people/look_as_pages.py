"""Opens a real session of a demo person in one click: a shopper, a seller, an analyst, an administrator."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from common.errors import PartUnavailable
from common.problems import Problem
from common.request_path import in_path
from serving.analytics.dashboards import Analytics
from serving.analytics.dependencies import AnalyticsDep
from serving.commerce.commerce_client import GATEWAY_ITSELF
from serving.commerce.routes import CommerceDep
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import identity_of
from serving.kit.parameters import reject_repeated_parameters
from serving.web.people.demo import CLICK_TIMEOUT_S, is_demo_offered
from serving.web.people.devices import device_name
from serving.web.people.forms import read_form, typed
from serving.web.people.policy import POLICIES
from serving.web.people.problems import LookAsRefused, LookAsUnavailable, NoSellerYet
from serving.web.people.responses import enter_demo, go_to
from serving.web.people.session_pages import end_current_session

SELLER, SHOPPER = "seller", "shopper"
START_PAGES = {SHOPPER: "/shop", "analyst": "/", "admin": "/admin"}
"""The roles of the demo besides `seller`, and the page that each opens with."""

router = APIRouter(
    route_class=guarded(POLICIES), include_in_schema=False, dependencies=[Depends(reject_repeated_parameters)]
)


@router.post("/look-as")
async def look_as(request: Request, commerce: CommerceDep, service: AnalyticsDep) -> Response:
    """Open a session in a role of the demo, and go to the page that this role opens with.

    Without a seller, it is the best-selling one. The shopper is the registered one with the most orders
    lately. The simulation or the replay made that one: while the demo is on, no real person is registered. A
    guest may be somebody's browser.
    """
    if not await is_demo_offered(request, CLICK_TIMEOUT_S):
        raise LookAsUnavailable
    form = await read_form(request)
    role, seller_id = typed(form, "role"), typed(form, "seller_id")
    if role != SELLER and role not in START_PAGES:
        raise LookAsRefused
    body = {"role": role, "device": device_name(request.headers.get("user-agent", ""))}
    if role == SELLER:
        body["seller_id"] = seller_id = seller_id or await _best_seller(service)
    elif role == SHOPPER and (shopper_id := await _busiest_shopper(service)):
        body["shopper_id"] = shopper_id
    answer = await commerce.call(GATEWAY_ITSELF, "POST", "/v1/auth/demo_sessions", body)
    if not answer.is_success:
        raise LookAsUnavailable if answer.status == 409 else LookAsRefused
    if identity_of(request).signed_in is not None:
        await end_current_session(request, commerce)
    response = go_to(f"/sell/{in_path(seller_id)}" if role == SELLER else START_PAGES[role])
    return enter_demo(request, response, answer.content)


async def _best_seller(service: Analytics) -> str:
    found = await service.rankings.find_sellers("", 1)
    if not found["sellers"]:
        raise NoSellerYet
    return found["sellers"][0]["seller_id"]


async def _busiest_shopper(service: Analytics) -> str | None:
    """Return a shopper with recent orders; None if there is none, or the figures are not available."""
    try:
        return await service.rankings.busiest_shopper()
    except (Problem, PartUnavailable):
        return None
