"""Decides which HTTP requests are safe to repeat if no response arrived, and advises the client."""

SAFE_METHODS = {"GET", "HEAD"}


def is_safe_to_retry(method: str, has_key: bool) -> bool:
    """Return whether sending the request twice has the same effect as sending it once.

    `has_key` says whether it has an `Idempotency-Key`. Without one, even a repeated PUT may do harm: a PUT of
    stock would undo sales that were made in between.
    """
    return method in SAFE_METHODS or has_key


def retry_advice(method: str, has_key: bool) -> str:
    """Return advice, in whole sentences, for a client whose request of this method got no response."""
    if method in SAFE_METHODS:
        return "Nothing is lost: send the request again in a moment."
    if is_safe_to_retry(method, has_key):
        return (
            "Send the same request again, with the same Idempotency-Key: it takes effect once, however often "
            "it is sent."
        )
    return "The request may or may not have taken effect: check the result before you send it again."
