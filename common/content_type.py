"""Checks that a request's body is declared as JSON. Every endpoint with a body requires it."""

from starlette.datastructures import Headers

JSON = "application/json"


def has_json_content_type(headers: Headers) -> bool:
    """Return whether the `Content-Type` is JSON.

    With other types, a page of another site could send the request with the shopper's cookie and without a
    CORS preflight.
    """
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() == JSON
