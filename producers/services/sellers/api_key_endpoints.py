"""`/v1/sellers/{seller_id}/api_keys`: the keys of a seller's programs, and their verification."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import Uuid, new_id
from common.openapi import openapi_problem
from common.principal_token import derived_key
from producers.kit.http.endpoint import context, json_response, settings_of, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.problems import ServiceNotReady, require
from producers.kit.http.routes import PLATFORM, JsonBody, PublicRoute, SellerPath, ServiceRoute
from producers.kit.makers import Made
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.sellers.api_keys import (
    PURPOSE,
    SCOPES,
    is_well_formed,
    key_digest,
    key_hint,
    key_principal,
    new_api_key,
)
from producers.services.sellers.model import KEEPERS, KEY_MAKERS, SELLER, STAFF_MANAGERS
from producers.services.sellers.problems import PAST_TIME, TOO_MANY_KEYS, UNKNOWN_KEY
from producers.services.sellers.schemas import (
    NAME,
    KeyRequest,
    KeyResponse,
    KeysResponse,
    NewKeyResponse,
    VerificationRequest,
    VerificationResponse,
)
from producers.services.sellers.staff import lock_managed_seller, revoke_keys_of_maker

MAX_KEYS = 50
"""Valid keys that a seller may have at a time."""

KeyId = Annotated[Uuid, Path(description="The API key's id; not the key itself.")]

public = APIRouter(prefix="/v1", tags=["selling"], route_class=PublicRoute)
internal = APIRouter(prefix="/v1", route_class=ServiceRoute)


@dataclass(frozen=True, slots=True)
class ValidKey(Made):
    """An API key that may be used now, if its maker may still make it."""

    key_id: str
    scopes: list[str]
    expires_at: datetime | None


@public.get("/sellers/{seller_id}/api_keys", summary="The API keys of a seller", response_model=KeysResponse)
@policy(allow("seller", "admin", traffic="read", staff=STAFF_MANAGERS, seller_parameter=SELLER))
async def api_keys(request: Request, seller_id: SellerPath) -> Response:
    """Return the keys without their secrets, revoked ones too, and the scopes that a key may have."""
    running = transactions(request, NAME)
    async with running.connection() as sql:
        keys = await _find_keys(sql, seller_id)
    with suppress(ServiceNotReady):  # a key whose maker can't be judged now is shown as it is
        made = [
            Made(key["created_by"], key["created_at"], seller_id) for key in keys if not key["revoked_at"]
        ]
        if ended := await context(request, NAME).find_ended(made, KEY_MAKERS):
            await _end(request, ended)
            async with running.connection() as sql:
                keys = await _find_keys(sql, seller_id)
    return json_response({"api_keys": keys, "scopes": SCOPES})


@public.post(
    "/sellers/{seller_id}/api_keys",
    summary="Create an API key",
    status_code=201,
    response_model=NewKeyResponse,
    responses=openapi_problem(409, "The seller has as many keys as it may have."),
)
@policy(KEY_MAKERS)
async def create_api_key(
    request: Request,
    seller_id: SellerPath,
    body: Annotated[KeyRequest, JsonBody({"name": "Warehouse", "scopes": ["orders:read", "stock:write"]})],
) -> Response:
    """Create a key. `key` is in this response only: store it now.

    It ends when its maker may not make it any more: with their staff role, their suspension or their account.
    """
    principal, key = principal_of(request), new_api_key()
    async with transaction(request, NAME, seller_id) as tx:
        await lock_managed_seller(tx, seller_id, principal)
        if body.expires_at is not None and body.expires_at <= tx.now:
            raise PAST_TIME(field="expires_at")
        digest, scopes = key_digest(_secret(request), key), sorted(set(body.scopes))
        created = await _create_key(
            tx, seller_id, body, new_id(), digest, key_hint(key), scopes, principal.subject, MAX_KEYS
        )
    created = require(created, TOO_MANY_KEYS(limit=MAX_KEYS))
    return json_response({**created, "key": key}, 201)


@public.delete("/sellers/{seller_id}/api_keys/{key_id}", summary="Revoke an API key", status_code=204)
@policy(KEEPERS)
async def revoke_api_key(request: Request, seller_id: SellerPath, key_id: KeyId) -> None:
    """Revoke a key. Requests with it are refused from now on."""
    async with transaction(request, NAME, seller_id) as tx:
        revoked = await _revoke_key(tx, seller_id, key_id, principal_of(request).subject)
        require(revoked, UNKNOWN_KEY(at=f"/v1/sellers/{seller_id}/api_keys"))


@internal.post("/auth/api_keys/verification", response_model=VerificationResponse)
@policy(PLATFORM)
async def verify_key(request: Request, body: Annotated[VerificationRequest, JsonBody()]) -> Response:
    """The principal of an API key; 404 if the key is not valid, or its maker may not make it any more."""
    unknown, running = UNKNOWN_KEY(at="/v1/sellers/{seller_id}/api_keys"), transactions(request, NAME)
    require(is_well_formed(body.key), unknown)
    async with running.connection() as sql:
        found = await _verify_key(sql, key_digest(_secret(request), body.key), running.clock())
    valid = require(found, unknown)
    # Users is asked without a connection of this service's pool.
    if await context(request, NAME).find(valid, KEY_MAKERS) is None:
        await _end(request, [valid])
        raise unknown
    principal = key_principal(valid.key_id, valid.seller_id, valid.scopes)
    return json_response(
        {"principal": principal.claims(), "key_id": valid.key_id, "expires_at": valid.expires_at}
    )


async def _end(request: Request, ended: Sequence[Made]) -> None:
    """Revoke the keys whose makers may not make them any more, and the makers' earlier ones."""
    running = transactions(request, NAME)
    async with running.connection() as sql:
        for made in ended:
            await revoke_keys_of_maker(sql, made.seller_id, made.maker, running.clock(), None, made.made_at)


def _secret(request: Request) -> bytes:
    return derived_key(settings_of(request, NAME), PURPOSE)


@statement("""
    SELECT key_id, name, hint, scopes, created_at, created_by, expires_at, last_used_at, revoked_at
    FROM api_keys
    WHERE seller_id = $seller_id::text
    ORDER BY key_id DESC
    LIMIT 500
""")
async def _find_keys(sql: Any, seller_id: str) -> list[KeyResponse]:
    """Return the API keys of a seller, newest first."""


@statement("""
    INSERT INTO api_keys (key_id, seller_id, name, digest, hint, scopes, created_at, created_by, expires_at)
    SELECT $key_id::uuid, $seller_id::text, $request.name::text, $digest::bytea, $hint::text,
        $scopes::text[], $tx.now::timestamptz, $created_by::text, $request.expires_at::timestamptz
    WHERE (
        SELECT count(*) FROM api_keys
        WHERE seller_id = $seller_id::text AND revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > $tx.now::timestamptz)
    ) < $limit::integer
    RETURNING key_id, name, hint, scopes, created_at, created_by, expires_at, last_used_at, revoked_at
""")
async def _create_key(
    tx: Transaction,
    seller_id: str,
    request: KeyRequest,
    key_id: str,
    digest: bytes,
    hint: str,
    scopes: Sequence[str],
    created_by: str,
    limit: int,
) -> KeyResponse | None:
    """Store a key of a locked seller and return its row; None if it has `limit` valid keys already."""


@statement("""
    UPDATE api_keys
    SET revoked_at = coalesce(revoked_at, $tx.now::timestamptz),
        revoked_by = CASE WHEN revoked_at IS NULL THEN $revoked_by::text ELSE revoked_by END
    WHERE seller_id = $seller_id::text AND key_id = $key_id::uuid
    RETURNING true
""")
async def _revoke_key(tx: Transaction, seller_id: str, key_id: str, revoked_by: str) -> bool:
    """Revoke a key, unless it was revoked before; return False if the seller has no such key."""


@statement("""
    WITH valid AS (
        SELECT key_id, seller_id, scopes, expires_at, api_keys.created_by, api_keys.created_at, last_used_at
        FROM api_keys
        JOIN sellers USING (seller_id)
        WHERE digest = $digest::bytea AND revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > $now::timestamptz)
            AND sellers.status = 'approved'
    ), used AS (
        UPDATE api_keys SET last_used_at = $now::timestamptz
        FROM valid
        WHERE api_keys.key_id = valid.key_id
            AND (valid.last_used_at IS NULL OR valid.last_used_at <= $now::timestamptz - interval '1 minute')
    )
    SELECT key_id, seller_id, scopes, expires_at, created_by AS maker, created_at AS made_at FROM valid
""")
async def _verify_key(sql: Any, digest: bytes, now: datetime) -> ValidKey | None:
    """Return the key with this digest if it is valid, and note its use at most once a minute."""


router = APIRouter()
router.include_router(public)
router.include_router(internal)
