"""Whether a request's body calls itself JSON, which every address that takes a body demands."""

from starlette.datastructures import Headers

JSON = "application/json"


def calls_itself_json(headers: Headers) -> bool:
    """Other types a page of another site could send without asking first, with the shopper's cookie."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() == JSON
