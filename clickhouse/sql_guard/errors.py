"""ClickHouse's errors: code, name and message, and the HTTP status of each code."""

import re
from typing import Self

from common.errors import SoukError

_CODE = re.compile(r"Code: (\d+)\. DB::Exception: ")
_VERSION = re.compile(r" \(version [^()]{0,100}(?:\([^()]{0,100}\))?\)$")
_NAME = re.compile(r" \(([A-Z][A-Z0-9_]{1,100})\)$")
_TAIL = 300
"""The characters at the end of a message in which its name and version are. A query's text may be in it."""

_BAD_REQUEST = frozenset(
    {6, 7, 9, 10, 15, 16, 25, 26, 27, 36, 38, 41, 44, 53, 62, 72, 117, 167, 168, 223, 224, 321, 376, 427, 441}
    | {467, 675, 676}
)
_NOT_FOUND = frozenset({46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 155, 336, 511})
_STATUS = {
    48: 501,  # NOT_IMPLEMENTED
    76: 503,  # CANNOT_OPEN_FILE
    159: 408,  # TIMEOUT_EXCEEDED
    192: 403,  # UNKNOWN_USER
    193: 403,  # WRONG_PASSWORD
    194: 401,  # REQUIRED_PASSWORD
    201: 429,  # QUOTA_EXCEEDED
    209: 503,  # SOCKET_TIMEOUT
    381: 411,  # HTTP_LENGTH_REQUIRED
    439: 503,  # CANNOT_SCHEDULE_TASK
    497: 403,  # ACCESS_DENIED
    516: 403,  # AUTHENTICATION_FAILED
}


class DatabaseError(SoukError):
    """A failed query. `code` and `name` are those of ClickHouse; `message` contains neither."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {message} ({name})")
        self.code = code
        self.name = name
        self.message = message

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an error text of the engine; anything before `Code:` is ignored."""
        found = _CODE.search(text)
        if found is None:
            return cls(1001, "STD_EXCEPTION", text.strip())
        message, name = _named(text[found.end() :])
        if inner := _CODE.match(message):
            found = inner
            message, inner_name = _named(message[inner.end() :])
            name = inner_name or name
        return cls(int(found[1]), name or "STD_EXCEPTION", message)

    def text(self, version: str) -> str:
        """Return the text with which a ClickHouse server of this version responds."""
        return f"{self} (version {version})\n"

    @property
    def status(self) -> int:
        """The HTTP status with which a ClickHouse server reports this code; 500 for most codes."""
        if self.code in _BAD_REQUEST:
            return 400
        if self.code in _NOT_FOUND:
            return 404
        return _STATUS.get(self.code, 500)


def _named(text: str) -> tuple[str, str]:
    """Return a message without the name and the version at its end, and its name."""
    text = text.rstrip()
    start = max(len(text) - _TAIL, 0)
    tail = text[start:]
    if version := _VERSION.search(tail):
        tail = tail[: version.start()]
    name = _NAME.search(tail)
    return text[:start] + (tail[: name.start()] if name else tail), name[1] if name else ""


def too_large_result(limit: int) -> DatabaseError:
    """Return the error of a query whose result, as it is sent, has more than `limit` bytes."""
    return DatabaseError(396, "TOO_MANY_ROWS_OR_BYTES", f"Limit for result exceeded, max bytes: {limit}.")


def cancelled() -> DatabaseError:
    """Return the error of a query that was cancelled, by `KILL QUERY` or because its client disconnected."""
    return DatabaseError(394, "QUERY_WAS_CANCELLED", "Query was cancelled.")
