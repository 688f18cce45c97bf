"""`/v1/sellers/{seller_id}/api_keys`: the keys of a seller's programs, and their verification."""

from collections.abc import Sequence
from contextlib import suppress

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import Id, new_id
from common.principal_token import derived_key
from producers.http.endpoint import context, json_response, parse_body, settings_of, transaction, transactions
from producers.http.guard import principal_of
from producers.http.problems import ServiceNotReady
from producers.makers import Made, Makers
from producers.sellers import store
from producers.sellers.api_keys import (
    PURPOSE,
    SCOPES,
    is_well_formed,
    key_digest,
    key_hint,
    key_principal,
    new_api_key,
)
from producers.sellers.policy import POLICIES
from producers.sellers.problems import PastTime, TooManyKeys, UnknownKey
from producers.sellers.schemas import (
    KEY_REQUEST,
    NAME,
    VERIFICATION_REQUEST,
    KeysResponse,
    NewKeyResponse,
    Uuid,
    VerificationResponse,
)
from producers.sellers.staff import lock_managed_seller
from producers.sellers.store import NewKey

MAX_KEYS = 50
"""Valid keys that a seller may have at a time."""

router = APIRouter(prefix="/v1", tags=[NAME], route_class=guarded(POLICIES))


@router.get("/sellers/{seller_id}/api_keys", response_model=KeysResponse)
async def list_keys(request: Request, seller_id: Id) -> Response:
    """The newest 500 keys of a seller, without their secrets, and the scopes that a key may have."""
    running = transactions(request, NAME)
    async with running.connection() as sql:
        keys = await store.find_keys(sql, seller_id)
    with suppress(ServiceNotReady):  # a key whose maker can't be judged now is shown as it is
        made = [
            Made(key["created_by"], key["created_at"], seller_id) for key in keys if not key["revoked_at"]
        ]
        if ended := await _makers(request).find_ended(made, POLICIES["create_key"]):
            await _end(request, ended)
            async with running.connection() as sql:
                keys = await store.find_keys(sql, seller_id)
    return json_response({"api_keys": keys, "scopes": SCOPES})


@router.post("/sellers/{seller_id}/api_keys", status_code=201, response_model=NewKeyResponse)
async def create_key(request: Request, seller_id: Id) -> Response:
    """Create a key. This response is the only one that contains it.

    It ends when its maker may not make it any more: with their staff role, their suspension or their account.
    """
    body = await parse_body(request, KEY_REQUEST)
    principal, key = principal_of(request), new_api_key()
    async with transaction(request, NAME, seller_id) as tx:
        await lock_managed_seller(tx, seller_id, principal)
        if body.expires_at is not None and body.expires_at <= tx.now:
            raise PastTime("expires_at")
        new_key = NewKey(
            key_id=new_id(),
            name=body.name,
            digest=key_digest(_secret(request), key),
            hint=key_hint(key),
            scopes=sorted(set(body.scopes)),
            expires_at=body.expires_at,
        )
        created = await store.create_key(tx, seller_id, new_key, principal.subject, MAX_KEYS)
    if created is None:
        raise TooManyKeys(MAX_KEYS)
    return json_response({**created, "key": key}, 201)


@router.delete("/sellers/{seller_id}/api_keys/{key_id}", status_code=204)
async def revoke_key(request: Request, seller_id: Id, key_id: Uuid) -> Response:
    """Revoke a key. It stops at once."""
    async with transaction(request, NAME, seller_id) as tx:
        if not await store.revoke_key(tx, seller_id, key_id, principal_of(request).subject):
            raise UnknownKey(f"/v1/sellers/{seller_id}/api_keys")
    return Response(status_code=204)


@router.post("/auth/api_keys/verification", response_model=VerificationResponse)
async def verify_key(request: Request) -> Response:
    """The principal of an API key; 404 if the key is not valid, or its maker may not make it any more."""
    body = await parse_body(request, VERIFICATION_REQUEST)
    valid = None
    if is_well_formed(body.key):
        running = transactions(request, NAME)
        digest = key_digest(_secret(request), body.key)
        async with running.connection() as sql:
            valid = await store.verify_key(sql, digest, running.clock())
    if valid is not None:  # users is asked without a connection of this service's pool
        made = Made(valid.created_by, valid.created_at, valid.seller_id)
        if await _makers(request).find(made, POLICIES["create_key"]) is None:
            await _end(request, [made])
            valid = None
    if valid is None:
        raise UnknownKey("/v1/sellers/{seller_id}/api_keys")
    principal = key_principal(valid.key_id, valid.seller_id, valid.scopes)
    return json_response(
        {"principal": principal.claims(), "key_id": valid.key_id, "expires_at": valid.expires_at}
    )


async def _end(request: Request, ended: Sequence[Made]) -> None:
    """Revoke the keys whose makers may not make them any more, and the makers' earlier ones."""
    running = transactions(request, NAME)
    async with running.connection() as sql:
        for made in ended:
            await store.revoke_keys_of_maker(
                sql, made.seller_id, made.maker, running.clock(), None, made.made_at
            )


def _makers(request: Request) -> Makers:
    makers: Makers = context(request, NAME)
    return makers


def _secret(request: Request) -> bytes:
    return derived_key(settings_of(request, NAME), PURPOSE)
