"""What any commerce service may answer instead of what was asked for."""

from pydantic import ValidationError

from common.errors import PartUnavailable
from common.problems import Problem
from common.repeating import what_to_do


class NotReadyYet(Problem, PartUnavailable):
    """The service waits for PostgreSQL or the schema registry before its first request."""

    status, kind, title = 503, "not-ready", "Not ready yet"
    retry_after_s = 2

    def __init__(self, service: str) -> None:
        super().__init__(
            f"{service} is still starting: it waits for PostgreSQL or the schema registry. Nothing was done; "
            "send the same request again."
        )


class BooksUnavailable(Problem, PartUnavailable):
    """PostgreSQL does not answer, or has no connection to spare."""

    status, kind, title = 503, "postgres-unavailable", "The books are out of reach"
    retry_after_s = 2

    def __init__(self, method: str, has_key: bool) -> None:
        super().__init__(f"PostgreSQL does not answer; nothing was half done. {what_to_do(method, has_key)}")


class Unstorable(Problem):
    """PostgreSQL refuses a value of the request."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"

    def __init__(self) -> None:
        super().__init__(
            "A value of the request can't be stored: it is out of range, or holds a NUL character. Nothing "
            "was changed; see /docs for what this address takes."
        )


class BodyTooLarge(Problem):
    """A request's body is longer than any address takes."""

    status, kind, title = 413, "body-too-large", "The body is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"At most {limit:,} bytes are taken at once. Send less, in several requests.")


class NotJson(Problem):
    """A request's body does not call itself JSON. A page of another site could send it unasked otherwise."""

    status, kind, title = 415, "not-json", "The body is not JSON"

    def __init__(self) -> None:
        super().__init__("Send JSON, with the header `Content-Type: application/json`. Nothing was changed.")


class BadBody(Problem):
    """A request's body is not what its address takes."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"

    def __init__(self, error: ValidationError) -> None:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        super().__init__(f"{where}: {first['msg']}. See /docs for what this address takes.")
