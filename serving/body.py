"""Reads a request's body, up to a limit."""

from fastapi import Request

from serving.problems import BodyTooLarge


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, of at most `limit` bytes; a longer one is not read to its end.

    Raises:
        BodyTooLarge: it is longer, whatever its `Content-Length` claims.
    """
    said = request.headers.get("Content-Length", "")
    if said.isdecimal() and int(said) > limit:
        raise BodyTooLarge(limit)
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > limit:
            raise BodyTooLarge(limit)
        parts.append(part)
    return b"".join(parts)
