"""`/sell/{seller_id}/listings/{product_id}/pictures`: sends pictures, orders them, and removes them."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from common.guarded_route import policy
from common.ids import PRINTABLE
from common.problems import Problem, problem
from producers.services.products.model import MAX_PICTURES, ListingChange
from producers.services.products.picture_rules import MAX_BYTES, REASONS
from serving.commerce.commerce_client import target_path
from serving.kit.parameters import ProductId, SellerId
from serving.web.forms import (
    FORM_LIMIT,
    NO_STORE,
    RELOAD,
    BadField,
    Form,
    action,
    confirmation,
    form_page,
    read_form_with_files,
)
from serving.web.policy import OF_MANAGERS, SETTINGS_READERS, page_router
from serving.web.seller import listing_form
from serving.web.seller.listing import LISTING, LISTING_PAGE, read_variants
from serving.web.seller.listings import of_seller
from serving.web.service_calls import Refusal, ask
from serving.web.translation import N_, gettext

PAGE = f"{LISTING_PAGE}/pictures"
PICTURES = "/v1/sellers/{seller_id}/pictures"

WAIT_S = 4.0
"""How long a request waits for pictures to be ready, before the page says that they are being checked."""

POLL_S = 0.25

FORM_WITH_FILES = MAX_BYTES + FORM_LIMIT

MESSAGES: Mapping[str, str] = {
    "pictures_saved": N_("The pictures are saved. The shop shows them within seconds."),
}

NO_OWN_CONTENTS = problem(
    409,
    "contents-of-owner",
    "Another seller describes this product",
    "The pictures of this product are those of the seller who listed it first. Nothing was changed.",
)

Sent = Annotated[str, Query(max_length=40 * MAX_PICTURES, pattern=PRINTABLE)]

router = page_router(OF_MANAGERS)


@router.get(PAGE)
@policy(SETTINGS_READERS)
async def pictures_page(
    request: Request, seller_id: SellerId, product_id: ProductId, sent: Sent = ""
) -> Response:
    """Return the pictures of a listing, and what became of those that were just sent."""
    return await _page(request, sent=sent)


@router.post(PAGE)
async def save_pictures(request: Request, seller_id: SellerId, product_id: ProductId) -> Response:
    """Save the order of the pictures without removed ones, for this product or all its variants."""

    async def save(form: Form) -> None:
        await _save(request, listing_form.pictures(form), bool(form.text("all_variants")))

    return await action(request, save, _page, PAGE, "pictures_saved")


@router.post(f"{PAGE}/new")
async def send_pictures(request: Request, seller_id: SellerId, product_id: ProductId) -> Response:
    """Send files and URLs. If all of them are ready soon, add them to the listing at once."""

    async def send(form: Form) -> Response:
        ids = await _send(request, form)
        pictures = await _wait(request, ids)
        if any(picture["status"] != "ready" for picture in pictures):
            target = target_path(PAGE, request.path_params)
            return RedirectResponse(f"{target}?sent={','.join(ids)}", 303, NO_STORE)
        listing = await ask(request, "GET", LISTING)
        hashes = dict.fromkeys([*(listing["pictures"] or ()), *(each["sha256"] for each in pictures)])
        await _save(request, list(hashes), bool(form.text("all_variants")))
        return confirmation(target_path(PAGE, request.path_params), "pictures_saved")

    read = partial(read_form_with_files, limit=FORM_WITH_FILES)
    return await action(request, send, _page, PAGE, "pictures_saved", read)


async def _send(request: Request, form: Form) -> list[str]:
    """Send the files and URLs of a form to the service, and return the ids of the pictures.

    Raises:
        BadField: there are none.
        Refusal: the service refuses one. Those before it were sent; no listing shows them.
    """
    urls = form.text("urls").split()
    if not urls and not form.files:
        raise BadField(gettext("Choose a file, or enter the address of a picture."))
    sent = [await ask(request, "POST", PICTURES, file=file) for _, file in form.files[:MAX_PICTURES]]
    sent += [await ask(request, "POST", PICTURES, {"url": url}) for url in urls[:MAX_PICTURES]]
    return [picture["picture_id"] for picture in sent][:MAX_PICTURES]


async def _read(request: Request, ids: list[str]) -> list[dict[str, Any]]:
    """Return what became of pictures; one that is not known any more is left out."""

    async def read(picture_id: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = await ask(
                request, "GET", f"{PICTURES}/{{picture_id}}", picture_id=picture_id
            )
        except Refusal:
            return None
        return found

    return [each for each in await asyncio.gather(*(read(picture_id) for picture_id in ids)) if each]


async def _wait(request: Request, ids: list[str]) -> list[dict[str, Any]]:
    """Return what became of pictures, as soon as none waits any more or the time is over."""
    deadline = asyncio.get_running_loop().time() + WAIT_S
    while True:
        pictures = await _read(request, ids)
        is_over = asyncio.get_running_loop().time() > deadline
        if is_over or all(picture["status"] != "waiting" for picture in pictures):
            return pictures
        await asyncio.sleep(POLL_S)


async def _save(request: Request, hashes: list[str], all_variants: bool) -> None:
    """Write the pictures of a listing, and of the other variants of its product if wanted.

    Raises:
        NO_OWN_CONTENTS: another seller describes the product.
        Refusal: as the service refuses.
    """
    listing = await ask(request, "GET", LISTING)
    if listing["owner_id"] != listing["seller_id"]:
        raise NO_OWN_CONTENTS()
    variants = await read_variants(request, listing) if all_variants else ()
    others = [each for each in variants if each["product_id"] != listing["product_id"]]
    for each in (listing, *others):
        body = {**unchanged(each), "pictures": hashes[:MAX_PICTURES]}
        read = {"changed_at": each["changed_at"]}
        await ask(request, "PUT", LISTING, body, read, product_id=each["product_id"])


def unchanged(listing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that writes a listing as it is."""
    body = {name: listing[name] for name in ListingChange.model_fields}
    status = "listed" if listing["status"] == "listed" else "draft"  # what was taken off stays so
    return body | {"description": listing["description"] or "", "status": status}


async def _page(
    request: Request, problem: Problem | None = None, entered: Form | None = None, sent: str = ""
) -> Response:
    listing, of_page, pictures = await asyncio.gather(
        ask(request, "GET", LISTING),
        of_seller(request),
        _read(request, [each for each in sent.split(",") if each][:MAX_PICTURES]),
    )
    if listing["owner_id"] != listing["seller_id"]:
        raise NO_OWN_CONTENTS()
    ready = [picture["sha256"] for picture in pictures if picture["status"] == "ready"]
    waiting = sum(picture["status"] == "waiting" for picture in pictures)
    page = form_page(
        request,
        "seller/pictures.html",
        MESSAGES,
        problem,
        entered,
        listing=listing,
        pictures=list(dict.fromkeys([*(listing["pictures"] or ()), *ready])),
        added=[sha256 for sha256 in ready if sha256 not in (listing["pictures"] or ())],
        waiting=waiting,
        refused=[REASONS[each["reason"]] for each in pictures if each["status"] == "refused"],
        max_pictures=MAX_PICTURES,
        max_mb=MAX_BYTES >> 20,
        **of_page,
    )
    if waiting:
        page.headers.update(RELOAD)
    return page
