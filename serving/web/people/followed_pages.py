"""The page of an account with the sellers that the person follows."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from common.ids import MAX_ID_LENGTH, PRINTABLE
from common.request_path import in_path
from serving.commerce.commerce_client import CommerceClient, CommerceResponse
from serving.commerce.routes import CommerceDep
from serving.gateway.described_routes import guarded
from serving.kit.names import Names
from serving.kit.parameters import reject_repeated_parameters
from serving.kit.stores import NamesDep
from serving.web.people.calls import change, read
from serving.web.people.forms import read_form, typed
from serving.web.people.named_sellers import named_sellers
from serving.web.people.policy import POLICIES
from serving.web.people.responses import go_to, page
from serving.web.people.texts import refusal

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/account/sellers",
    include_in_schema=False,
    dependencies=[Depends(reject_repeated_parameters)],
)


@router.get("")
async def followed_page(
    request: Request,
    commerce: CommerceDep,
    names: NamesDep,
    seller_id: Annotated[str, Query(max_length=MAX_ID_LENGTH, pattern=PRINTABLE)] = "",
) -> Response:
    """Return the sellers that the person follows; with a seller, also the button to follow them."""
    return await _followed(request, commerce, names, seller_id)


@router.post("")
async def follow_on_page(request: Request, commerce: CommerceDep, names: NamesDep) -> Response:
    """Follow a seller."""
    seller_id = typed(await read_form(request), "seller_id")
    answer = await change(commerce, request, "PUT", _target(seller_id))
    if answer.is_success:
        return go_to("/account/sellers", done="seller-followed")
    return await _followed(request, commerce, names, "", answer)


@router.post("/{seller_id}/end")
async def unfollow_on_page(
    request: Request, commerce: CommerceDep, names: NamesDep, seller_id: str
) -> Response:
    """Follow a seller no more."""
    await read_form(request)
    answer = await change(commerce, request, "DELETE", _target(seller_id))
    if answer.is_success:
        return go_to("/account/sellers", done="seller-unfollowed")
    return await _followed(request, commerce, names, "", answer)


def _target(seller_id: str) -> str:
    return f"/v1/me/followed_sellers/{in_path(seller_id)}"


async def _followed(
    request: Request,
    commerce: CommerceClient,
    names: Names,
    seller_id: str,
    answer: CommerceResponse | None = None,
) -> Response:
    found = await read(commerce, request, "/v1/me/followed_sellers")
    followed = [seller["seller_id"] for seller in found["sellers"]]
    new = [seller_id] if seller_id and seller_id not in followed else []
    sellers = await named_sellers([*new, *followed], names)
    return page(
        request,
        "followed_sellers.html",
        answer.status if answer else 200,
        new=sellers[: len(new)],
        followed=sellers[len(new) :],
        error=refusal(answer.content) if answer else None,
    )
