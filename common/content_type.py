"""Reads the media type of a request's body. Endpoints of the API require JSON."""

from starlette.datastructures import Headers

JSON = "application/json"


def media_type(headers: Headers) -> str:
    """Return the media type of a body without its parameters; empty if the request names none."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def has_json_content_type(headers: Headers) -> bool:
    """Return whether the `Content-Type` is JSON.

    With other types, a page of another site could send the request with the shopper's cookie and without a
    CORS preflight.
    """
    return media_type(headers) == JSON
