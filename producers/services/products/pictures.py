"""The routes of pictures: sellers send them, and everyone sees them.

`picture_worker.py` checks, downloads and renders them beside the requests. A picture is stored by the digest
of its content, and many listings may show it. One that no listing has shown for some time is removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import StringConstraints, TypeAdapter
from starlette.responses import Response

from common.access_policy import anyone
from common.content_type import has_json_content_type, media_type
from common.guarded_route import policy
from common.ids import Uuid, new_id
from common.openapi import Responses, openapi_problem
from common.problems import problem
from producers.kit.http.endpoint import context, parse_body, transaction, transactions
from producers.kit.http.problems import require
from producers.kit.http.public_hosts import UrlRefused
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.http.strict_request import StrictRequest
from producers.kit.outbox.transaction import Transaction
from producers.services.products import picture_store, store
from producers.services.products.model import LIST, NAME, READ, Sha256
from producers.services.products.picture_download import EXAMPLE_URL, MAX_URL_LENGTH, parse_picture_url
from producers.services.products.picture_rules import FORMATS, MAX_BYTES, REASONS, WEBP, Reason, Size
from producers.services.products.picture_storage import PictureStorage
from producers.services.products.picture_store import SentPicture

MAX_WAITING = 500
MAX_WAITING_BYTES = 256 << 20
"""How many pictures of a seller may wait, and how large the files among them may be together."""

FOR_EVER = "public, max-age=31536000, immutable"
"""The `Cache-Control` of a picture: another content would have another address."""

NOT_A_PICTURE_TYPE = problem(
    415,
    "not-a-picture-type",
    "The body is no picture",
    f"Send a file of the type {', '.join(FORMATS)} with its `Content-Type`, or JSON with the URL of one. "
    "Nothing was saved.",
)
EMPTY_PICTURE = problem(
    422, "empty-picture", "The file is empty", "Send the bytes of the picture as the body. Nothing was saved."
)
BAD_PICTURE_URL = problem(422, "bad-picture-url", "The URL can't be used", "{refused} Nothing was saved.")
TOO_MANY_PICTURES = problem(
    429,
    "too-many-pictures",
    "Too many pictures wait",
    f"At most {MAX_WAITING} pictures of a seller, or {MAX_WAITING_BYTES >> 20} MB, may wait. Send the next "
    "one in a minute. Nothing was saved.",
    retry_after_s=60,
)
UNKNOWN_SENT_PICTURE = problem(
    404,
    "unknown-picture",
    "Unknown picture",
    "Seller {seller_id} has sent no picture {picture_id}, or it was removed. Send it again.",
)
UNKNOWN_PICTURES = problem(
    404,
    "unknown-picture",
    "Unknown picture",
    "Seller {seller_id} has no picture {sha256}. Send it to POST /v1/sellers/{seller_id}/pictures, and use "
    "its `sha256` once it is ready. Nothing was saved.",
)
UNKNOWN_PICTURE = problem(
    404, "unknown-picture", "Unknown picture", "There is no picture at this address, or it was removed."
)
Status = Literal["waiting", "ready", "refused"]
Sha256Path = Annotated[Sha256, Path(description="The picture's `sha256`.", examples=["ab" * 32])]
SizePath = Annotated[Size, Path(description="The longer side in pixels, at most.")]
PictureId = Annotated[
    Uuid, Path(description="The `picture_id` of the response to the picture that was sent.")
]
NOT_SENT = openapi_problem(415, "The `Content-Type` is neither that of a picture nor `application/json`.") | (
    openapi_problem(429, "Too many pictures wait, or the sender exceeds its limit; see `Retry-After`.")
)
NOT_FOUND = openapi_problem(404, "There is no such picture.")
PICTURE_FILE: Responses = {200: {"description": "The picture.", "content": {WEBP: {}}}, **NOT_FOUND}
_FILE = {"schema": {"type": "string", "format": "binary"}}


class PictureRequest(StrictRequest):
    """A picture at a URL, which the platform downloads."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL_LENGTH)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStatus:
    """A picture that a seller has sent. `sha256` is its name once it is `ready`, and is what listings have.

    `detail` says for one that was refused what to do; `reason` is its code.
    """

    picture_id: str
    status: Status
    submitted_at: datetime
    reason: Reason | None = None
    detail: str | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None


async def _read_picture(request: Request, model: TypeAdapter[Any]) -> SentPicture:
    """Return the picture of a body.

    Raises:
        NOT_A_PICTURE_TYPE, EMPTY_PICTURE: it is none.
        BadBody, BAD_PICTURE_URL: the JSON names no URL that can be used.
    """
    kind = media_type(request.headers)
    if kind in FORMATS:
        content = await request.body()
        require(bool(content), EMPTY_PICTURE())
        return SentPicture(media_type=kind, content=content)
    if not has_json_content_type(request.headers):
        raise NOT_A_PICTURE_TYPE()
    body: PictureRequest = await parse_body(request, model)
    try:
        return SentPicture(url=str(parse_picture_url(body.url)))
    except UrlRefused as refused:
        raise BAD_PICTURE_URL(refused=refused) from refused


router = APIRouter(prefix="/v1", tags=["listings"], route_class=PublicRoute)


@router.post("/sellers/{seller_id}/pictures", summary="Send a picture", status_code=202, responses=NOT_SENT)
@policy(LIST)
async def send_picture(
    request: Request,
    seller_id: SellerPath,
    picture: Annotated[
        SentPicture,
        JsonBody(
            {"url": EXAMPLE_URL},
            limit=MAX_BYTES,
            read=_read_picture,
            model=PictureRequest,
            other=dict.fromkeys(FORMATS, _FILE),
        ),
    ],
) -> PictureStatus:
    """Send a picture for listings: the bytes of the file, or JSON with its URL.

    It is checked and rendered later: `GET …/pictures/{picture_id}` says when it is ready. Transparency stays;
    of an animation, the first image is shown; place, camera and other metadata are removed.
    """
    picture_id = new_id()
    async with transaction(request, NAME, picture_id) as tx:
        await store.lock_seller(tx, seller_id)
        waiting = await picture_store.count_waiting(tx, seller_id)
        size = waiting["bytes"] + len(picture.content or b"")
        require(waiting["pictures"] < MAX_WAITING and size <= MAX_WAITING_BYTES, TOO_MANY_PICTURES())
        await picture_store.save_picture(tx, seller_id, picture_id, picture)
    return PictureStatus(picture_id=picture_id, status="waiting", submitted_at=tx.now)


@router.get(
    "/sellers/{seller_id}/pictures/{picture_id}", summary="Whether a picture is ready", responses=NOT_FOUND
)
@policy(READ)
async def picture_status(request: Request, seller_id: SellerPath, picture_id: PictureId) -> PictureStatus:
    """Return what became of a picture: `waiting`, `ready` with its `sha256`, or `refused` with the reason."""
    async with transactions(request, NAME).connection() as sql:
        found = await picture_store.find_picture(sql, seller_id, picture_id)
    row = require(found, UNKNOWN_SENT_PICTURE(seller_id=seller_id, picture_id=picture_id))
    return PictureStatus(**row, detail=REASONS[row["reason"]] if row["reason"] else None)


@router.get("/pictures/{sha256}/{size}", summary="A picture", response_class=Response, responses=PICTURE_FILE)
@policy(anyone("read"))
async def picture_file(request: Request, sha256: Sha256Path, size: SizePath) -> Response:
    """Return a picture in a size: its longer side has so many pixels at most."""
    storage: PictureStorage = context(request, NAME)
    content = require(await storage.read(sha256, size), UNKNOWN_PICTURE())
    headers = {"Cache-Control": FOR_EVER, "X-Content-Type-Options": "nosniff"}
    return Response(content, headers=headers, media_type=WEBP)


async def check_pictures(
    tx: Transaction, seller_id: str, hashes: Sequence[str], before: Sequence[str] = ()
) -> None:
    """Check that a seller may show pictures in a listing, which had those of `before`.

    Raises:
        UNKNOWN_PICTURES: the seller has not sent one of them.
    """
    sent = await picture_store.use_pictures(tx, seller_id, hashes) if hashes else ()
    unknown = set(hashes).difference(before, sent)
    require(not unknown, UNKNOWN_PICTURES(seller_id=seller_id, sha256=min(unknown, default="")))
