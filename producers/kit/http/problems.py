"""Problems that any commerce service may respond with."""

from typing import TypeVar

from fastapi import Request
from pydantic import ValidationError

from common.problems import PartProblem, Problem, problem
from common.retry_policy import retry_advice
from producers.kit.postgres.errors import INVALID, TRANSIENT


class ServiceNotReady(PartProblem):
    """The service has not started yet, because PostgreSQL or the schema registry does not answer."""

    status, kind, title = 503, "not-ready", "Not ready yet"
    retry_after_s = 2

    def __init__(self, service: str) -> None:
        super().__init__(
            f"{service} is still starting: it waits for PostgreSQL or the schema registry. Nothing was "
            "changed; send the same request again."
        )


class BadBody(Problem):
    """The request's body is not valid for its endpoint."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"

    def __init__(self, error: ValidationError) -> None:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        super().__init__(f"{where}: {first['msg']}. See /docs for the parameters of this address.")


DATABASE_UNAVAILABLE = problem(
    503,
    "postgres-unavailable",
    "The database is unavailable",
    "PostgreSQL does not answer; no change was made in part. {advice}",
    retry_after_s=2,
    error=PartProblem,
)
VALUE_NOT_STORABLE = problem(
    422,
    "bad-parameter",
    "A parameter can't be used",
    "A value of the request can't be stored: it is out of range, or contains a NUL character. Nothing was "
    "changed; see /docs for the parameters of this address.",
)
NOT_YOUR_SHOPPER = problem(
    403,
    "not-your-shopper",
    "Another shopper",
    "`shopper_id` is not your own. Leave it out: only processes of the platform act for others. Nothing was "
    "changed.",
)
UNKNOWN_HOST = problem(
    400,
    "unknown-host",
    "Unknown host",
    "{host!r} is not a name of this server. Use localhost or 127.0.0.1; the setting SOUK_COMMERCE_URL adds "
    "another name. Nothing was changed.",
)
OTHER_SITE = problem(
    403,
    "other-site",
    "Sent by a page of another site",
    "Web pages of other sites may not send this request. Nothing was changed.",
)
BODY_TOO_LARGE = problem(
    413,
    "body-too-large",
    "The body is too large",
    "A body may have at most {limit:,} bytes. Split it into several requests.",
)
NOT_JSON = problem(
    415,
    "not-json",
    "The body is not JSON",
    "Send JSON, with the header `Content-Type: application/json`. Nothing was changed.",
)
"""Browsers send other types to other sites without a CORS preflight."""

BAD_IDEMPOTENCY_KEY = problem(
    400,
    "idempotency-key",
    "The Idempotency-Key can't be used",
    "The header Idempotency-Key takes 1 to 255 printable ASCII characters, such as a UUID. Create a new key "
    "for each request, and send the same key with every retry. Nothing was changed.",
)
IDEMPOTENCY_KEY_REUSED = problem(
    409,
    "idempotency-key-reused",
    "This Idempotency-Key was used for another request",
    "This Idempotency-Key was used with another address or body. Retry with the same request, or use a new "
    "key for a new request. Nothing was changed.",
)
REQUEST_IN_PROGRESS = problem(
    409,
    "request-in-progress",
    "A request with this Idempotency-Key is in progress",
    "A request with this Idempotency-Key has not ended yet. Send the same request again in a moment to get "
    "its response.",
    retry_after_s=1,
)
RESPONSE_LOST = problem(
    409,
    "response-lost",
    "The response was lost",
    "A request with this Idempotency-Key took effect, but the server failed before it stored the response. "
    "Read the result with a GET; do not send the change again.",
)


T = TypeVar("T")


def require(found: T | None, refusal: Exception) -> T:
    """Return what a function has found or done. Raise the refusal if that is None or False."""
    if found is None or found is False:
        raise refusal
    return found


def as_problem(request: Request, error: Exception) -> Exception:
    """Return the `Problem` of an error of PostgreSQL; other errors unchanged."""
    if isinstance(error, TRANSIENT):
        return DATABASE_UNAVAILABLE(advice=retry_advice(request.method, "Idempotency-Key" in request.headers))
    return VALUE_NOT_STORABLE() if isinstance(error, INVALID) else error
