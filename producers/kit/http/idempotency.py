"""Gives every write the semantics of Stripe's `Idempotency-Key`: a repeated request gets the first response.

1. An attempt is recorded before the endpoint runs. Another request with the same key gets 409 meanwhile.
2. `producers.kit.http.endpoint.transaction` marks the attempt in the transaction of its changes. Two attempts
   therefore never change something both: the transaction of an attempt that was replaced rolls back.
3. The response is stored, errors too, and sent again for 24 hours. A response that tells the client to
   try again (`Retry-After`) is not stored: the next request with the key runs the endpoint.

If the process ends between steps 2 and 3, the response is lost. A retry then gets 409 `response-lost`,
because the changes are made. If it ends before step 2, nothing is changed, and a retry runs the endpoint
after `ABANDONED_AFTER`.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
import structlog
from cryptography.exceptions import InvalidTag
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from common.access_policy import AccessPolicy
from common.errors import PartUnavailable
from common.guarded_route import RouteHandler
from common.principal import Principal
from common.problems import describe_error, problem_response
from common.retry_policy import SAFE_METHODS
from producers.kit.http.problems import (
    BAD_IDEMPOTENCY_KEY,
    IDEMPOTENCY_KEY_REUSED,
    REQUEST_IN_PROGRESS,
    RESPONSE_LOST,
    as_problem,
)
from producers.kit.idempotency import store
from producers.kit.idempotency.sealed_response import KeyedRequest, ResponseSealer, seal, unseal
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.errors import TRANSIENT

log = structlog.get_logger()

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
MAX_KEY_CHARS = 255

MAX_HEX_BYTES = 1 << 20
"""A larger body that is no JSON, such as a picture, is digested before it becomes a part of a digest."""

_UNAVAILABLE: tuple[type[Exception], ...] = (*TRANSIENT, PartUnavailable)
"""Errors of a server that does not answer. They are no result of the request, so a retry runs it again."""

_UNANSWERED: tuple[type[Exception], ...] = (*_UNAVAILABLE, ClientDisconnect)


@dataclass(frozen=True, eq=False)
class KeyedAttempt:
    """A request with a key whose endpoint runs; `request.state.attempt` of the request."""

    request: KeyedRequest
    number: int

    async def mark_committed(self, sql: Any) -> None:
        """Mark it in the transaction of its changes.

        Raises:
            REQUEST_IN_PROGRESS: another attempt has replaced this one; the transaction must roll back.
        """
        if not await store.mark_committed(sql, self.request.request_id, self.number):
            raise REQUEST_IN_PROGRESS()


@dataclass(frozen=True, eq=False)
class IdempotentRequests:
    """Runs the endpoints of requests with a key once."""

    sealer: ResponseSealer

    async def handle(
        self, request: Request, policy: AccessPolicy, principal: Principal | None, respond: RouteHandler
    ) -> Response:
        """Return the response of the endpoint, or the stored one.

        The header has no effect on requests that only read, on those without a principal, and on routes
        whose responses have secrets (`AccessPolicy.stores_responses`).

        Raises:
            BAD_IDEMPOTENCY_KEY: the header is not a valid key.
            IDEMPOTENCY_KEY_REUSED: another request was sent with the key.
            REQUEST_IN_PROGRESS: the first request with the key has not ended yet.
            RESPONSE_LOST: the first request took effect, but its response was not stored.
        """
        key = request.headers.get(HEADER)
        if key is None or principal is None or request.method in SAFE_METHODS or not policy.stores_responses:
            return await respond(request)
        if not is_valid_key(key):
            raise BAD_IDEMPOTENCY_KEY()
        transactions: Transactions = request.app.state.service_of[request.scope["endpoint"]].transactions
        route = f"{request.method} {request.scope['route'].path}"
        keyed = self.sealer.keyed(principal.subject, route, key)
        digest = _digest(request, await request.body())
        async with transactions.connection() as sql:
            number = await store.begin_attempt(sql, keyed.request_id, digest)
            if number is None:
                return _stored_response(keyed, digest, await store.find_stored(sql, keyed.request_id))
        attempt = KeyedAttempt(keyed, number)
        request.state.attempt = attempt
        return await _run(request, transactions, attempt, respond)


def is_valid_key(key: str) -> bool:
    """Return whether a text can be an idempotency key: 1 to 255 printable ASCII characters."""
    return 0 < len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable()


async def mark_committed(request: Request, sql: Any) -> None:
    """Mark the attempt of a request, if it has a key, in the transaction of its changes.

    Raises:
        REQUEST_IN_PROGRESS: see `KeyedAttempt.mark_committed`.
    """
    attempt: KeyedAttempt | None = getattr(request.state, "attempt", None)
    if attempt is not None:
        await attempt.mark_committed(sql)


async def _run(
    request: Request, transactions: Transactions, attempt: KeyedAttempt, respond: RouteHandler
) -> Response:
    try:
        response = await respond(request)
    except _UNANSWERED:
        await _release(transactions, attempt)
        raise
    except Exception as error:
        response = problem_response(request, describe_error(request, as_problem(request, error)))
    if "retry-after" in response.headers:
        await _release(transactions, attempt)
    else:
        await _save(transactions, attempt, response)
    return response


async def _save(transactions: Transactions, attempt: KeyedAttempt, response: Response) -> None:
    """Store a response. If this fails, the client gets its response nevertheless."""
    sealed = seal(attempt.request, response)
    try:
        async with transactions.connection() as sql:
            await store.save_response(
                sql, attempt.request.request_id, attempt.number, response.status_code, sealed
            )
    except _UNAVAILABLE as error:
        log.warning("a response is not stored for retries", error=str(error))


async def _release(transactions: Transactions, attempt: KeyedAttempt) -> None:
    """Let the next request with the key run. If this fails, it can do so after `ABANDONED_AFTER`."""
    try:
        async with transactions.connection() as sql:
            await store.release_attempt(sql, attempt.request.request_id, attempt.number)
    except _UNAVAILABLE as error:
        log.warning("an idempotency key is not released", error=str(error))


def _stored_response(keyed: KeyedRequest, digest: bytes, stored: store.StoredRequest | None) -> Response:
    if stored is None:
        raise REQUEST_IN_PROGRESS()  # it was released a moment ago: the next request begins
    if stored.request_sha256 != digest:
        raise IDEMPOTENCY_KEY_REUSED()
    if stored.status is None or stored.response is None:
        if stored.is_committed and stored.is_abandoned:
            raise RESPONSE_LOST()
        raise REQUEST_IN_PROGRESS()
    try:
        response = unseal(keyed, stored.status, stored.response)
    except InvalidTag as error:
        raise RESPONSE_LOST() from error
    response.headers[REPLAYED] = "true"
    return response


def _digest(request: Request, body: bytes) -> bytes:
    """Return the digest of a request's address and content, independent of the order of JSON fields."""
    try:
        content: Any = orjson.loads(body)
    except ValueError:
        content = body.hex() if len(body) <= MAX_HEX_BYTES else sha256(body).hexdigest()
    described = [request.url.path, request.url.query, request.headers.get("content-type", ""), content]
    try:
        return sha256(orjson.dumps(described, option=orjson.OPT_SORT_KEYS)).digest()
    except TypeError:  # nested too deeply to be written
        return sha256(orjson.dumps([*described[:-1], body.hex()])).digest()
