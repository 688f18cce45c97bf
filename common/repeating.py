"""Which requests may be sent again when no answer came, and what to say to whoever is left without one."""

READ_ONLY = {"GET", "HEAD"}


def is_repeatable(method: str, has_key: bool) -> bool:
    """Whether a request of this method, with an `Idempotency-Key` or none, changes nothing by coming twice.

    Only what is posted is known by its key: stock that is set again a moment later would undo what was sold
    meanwhile, whatever key came with it.
    """
    return method in READ_ONLY or (method == "POST" and has_key)


def what_to_do(method: str, has_key: bool) -> str:
    """What to tell whoever sent a request of this method that was not answered, as whole sentences."""
    if method in READ_ONLY:
        return "Nothing is lost: ask again in a moment."
    if is_repeatable(method, has_key):
        return (
            "Send the same request again, with the same Idempotency-Key: it is done once, however often it "
            "is sent."
        )
    return "What was sent may have been done or not: look at it, and send it again if need be."
