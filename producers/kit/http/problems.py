"""Problems that any commerce service may respond with."""

from fastapi import Request
from pydantic import ValidationError

from common.errors import PartUnavailable
from common.problems import Problem
from common.retry_policy import retry_advice
from producers.kit.postgres.errors import INVALID, TRANSIENT


class ServiceNotReady(Problem, PartUnavailable):
    """The service has not started yet, because PostgreSQL or the schema registry does not answer."""

    status, kind, title = 503, "not-ready", "Not ready yet"
    retry_after_s = 2

    def __init__(self, service: str) -> None:
        super().__init__(
            f"{service} is still starting: it waits for PostgreSQL or the schema registry. Nothing was "
            "changed; send the same request again."
        )


class DatabaseUnavailable(Problem, PartUnavailable):
    """PostgreSQL does not answer, or has no free connection."""

    status, kind, title = 503, "postgres-unavailable", "The database is unavailable"
    retry_after_s = 2

    def __init__(self, method: str, has_key: bool) -> None:
        super().__init__(
            f"PostgreSQL does not answer; no change was made in part. {retry_advice(method, has_key)}"
        )


class ValueNotStorable(Problem):
    """PostgreSQL can't store a value of the request."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"

    def __init__(self) -> None:
        super().__init__(
            "A value of the request can't be stored: it is out of range, or contains a NUL character. "
            "Nothing was changed; see /docs for the parameters of this address."
        )


class UnknownHost(Problem):
    """The request names a host that is not this server."""

    status, kind, title = 400, "unknown-host", "Unknown host"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host!r} is not a name of this server. Use localhost or 127.0.0.1; the setting "
            "SOUK_COMMERCE_URL adds another name. Nothing was changed."
        )


class OtherSite(Problem):
    """A web page of another site sent a request that may change something."""

    status, kind, title = 403, "other-site", "Sent by a page of another site"

    def __init__(self) -> None:
        super().__init__("Web pages of other sites may not send this request. Nothing was changed.")


class BodyTooLarge(Problem):
    """The request's body is longer than any endpoint accepts."""

    status, kind, title = 413, "body-too-large", "The body is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A body may have at most {limit:,} bytes. Split it into several requests.")


class NotJson(Problem):
    """The body is not declared as JSON. Browsers send other types to other sites without a CORS preflight."""

    status, kind, title = 415, "not-json", "The body is not JSON"

    def __init__(self) -> None:
        super().__init__("Send JSON, with the header `Content-Type: application/json`. Nothing was changed.")


class BadBody(Problem):
    """The request's body is not valid for its endpoint."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"

    def __init__(self, error: ValidationError) -> None:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        super().__init__(f"{where}: {first['msg']}. See /docs for the parameters of this address.")


class BadIdempotencyKey(Problem):
    """The header `Idempotency-Key` is not a valid key."""

    status, kind, title = 400, "idempotency-key", "The Idempotency-Key can't be used"

    def __init__(self) -> None:
        super().__init__(
            "The header Idempotency-Key takes 1 to 255 printable ASCII characters, such as a UUID. Create a "
            "new key for each request, and send the same key with every retry. Nothing was changed."
        )


class IdempotencyKeyReused(Problem):
    """The key was used with another request."""

    status, kind, title = 409, "idempotency-key-reused", "This Idempotency-Key was used for another request"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used with another address or body. Retry with the same request, or use "
            "a new key for a new request. Nothing was changed."
        )


class RequestInProgress(Problem):
    """The first request with the key has not ended yet."""

    status, kind, title = 409, "request-in-progress", "A request with this Idempotency-Key is in progress"
    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key has not ended yet. Send the same request again in a moment "
            "to get its response."
        )


class ResponseLost(Problem):
    """The first request with the key took effect, but its response was not stored."""

    status, kind, title = 409, "response-lost", "The response was lost"

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key took effect, but the server failed before it stored the "
            "response. Read the result with a GET; do not send the change again."
        )


def as_problem(request: Request, error: Exception) -> Exception:
    """Return the `Problem` of an error of PostgreSQL; other errors unchanged."""
    if isinstance(error, TRANSIENT):
        return DatabaseUnavailable(request.method, has_key="Idempotency-Key" in request.headers)
    return ValueNotStorable() if isinstance(error, INVALID) else error
