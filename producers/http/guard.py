"""Around every request: a bounded body, errors in words, and how long it took."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.measured import MeasuredRequest
from common.problems import as_json, describe
from producers.http.problems import BodyTooLarge, BooksUnavailable, Unstorable
from producers.postgres.errors import AWAY, UNFIT

BODY_LIMIT = 1024 * 1024
"""Bytes: thousands of products' stock, or hundreds of times the longest order."""


class Guard:
    """The outermost ASGI middleware: no error and no body gets around it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        measured = MeasuredRequest(scope["method"])

        async def counted(message: Message) -> None:
            measured.hear(message)
            await send(message)

        try:
            await self._app(scope, bounded(scope, receive), counted)
        except Exception as error:
            if measured.status:
                raise  # too late for another answer: the connection breaks, and the server logs it
            request = Request(scope)
            await as_json(request, describe(request, _in_words(request, error)))(scope, receive, counted)
        finally:
            measured.count(scope)


def _in_words(request: Request, error: Exception) -> Exception:
    if isinstance(error, AWAY):
        return BooksUnavailable(request.method, has_key="Idempotency-Key" in request.headers)
    return Unstorable() if isinstance(error, UNFIT) else error


def bounded(scope: Scope, receive: Receive) -> Receive:
    """`receive`, but for at most `BODY_LIMIT` bytes, whatever `Content-Length` claims."""
    said = Headers(scope=scope).get("content-length", "")
    length = int(said) if said.isdecimal() else 0

    async def limited() -> Message:
        nonlocal length
        if length > BODY_LIMIT:
            raise BodyTooLarge(BODY_LIMIT)
        message = await receive()
        if not said:
            length += len(message.get("body", b""))
        if length > BODY_LIMIT:
            raise BodyTooLarge(BODY_LIMIT)
        return message

    return limited
