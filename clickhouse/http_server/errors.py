"""ClickHouse's errors: code, name and message, and the HTTP status of each code."""

import re
from typing import Self

from common.errors import SoukError

_TEXT = re.compile(
    r"Code: (?P<code>\d+)\. DB::Exception: (?P<message>.*?)"
    r"(?: \((?P<name>[A-Z][A-Z0-9_]+)\))?(?: \(version [^()]*(?:\([^()]*\))?\))?\s*$",
    re.DOTALL,
)

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
        found = _TEXT.search(text)
        if found is None:
            return cls(1001, "STD_EXCEPTION", text.strip())
        if inner := _TEXT.match(found["message"]):
            found = inner
        return cls(int(found["code"]), found["name"] or "STD_EXCEPTION", found["message"])

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


def too_large_result(limit: int) -> DatabaseError:
    """Return the error of a query whose result, as it is sent, has more than `limit` bytes."""
    message = f"Limit for result exceeded, max bytes: {limit}."
    return DatabaseError(396, "TOO_MANY_ROWS_OR_BYTES", message)


def cancelled() -> DatabaseError:
    """Return the error of a query that was cancelled, by `KILL QUERY` or because its client disconnected."""
    return DatabaseError(394, "QUERY_WAS_CANCELLED", "Query was cancelled.")
