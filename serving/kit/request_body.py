"""Reads a request's body, up to a limit."""

from fastapi import Request

from serving.kit.problems import BodyTooLarge


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body of a request. Reading stops after `limit` bytes.

    Raises:
        BodyTooLarge: the body has more than `limit` bytes, whatever its `Content-Length` says.
        ClientDisconnect: the client closed the connection before the end of the body.
    """
    content_length = request.headers.get("Content-Length", "")
    if content_length.isdecimal() and int(content_length) > limit:
        raise BodyTooLarge(limit)
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > limit:
            raise BodyTooLarge(limit)
        parts.append(part)
    return b"".join(parts)
