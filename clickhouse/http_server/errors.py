"""ClickHouse's errors: code, name and text, and the HTTP status that its server gives each."""

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
    """A query failed: `code` and `name` as in ClickHouse's list of errors, `message` without them."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {message} ({name})")
        self.code = code
        self.name = name
        self.message = message

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the engine's own text, whatever stands before `Code:`."""
        found = _TEXT.search(text)
        if found is None:
            return cls(1001, "STD_EXCEPTION", text.strip())
        if inner := _TEXT.match(found["message"]):
            found = inner
        return cls(int(found["code"]), found["name"] or "STD_EXCEPTION", found["message"])

    def text(self, version: str) -> str:
        """The text that a ClickHouse server of this version answers with."""
        return f"{self} (version {version})\n"

    @property
    def status(self) -> int:
        """The HTTP status that ClickHouse's server maps this code to; 500 for most."""
        if self.code in _BAD_REQUEST:
            return 400
        if self.code in _NOT_FOUND:
            return 404
        return _STATUS.get(self.code, 500)


def cancelled() -> DatabaseError:
    """The query was cancelled, by `KILL QUERY` or because its client went away."""
    return DatabaseError(394, "QUERY_WAS_CANCELLED", "Query was cancelled.")
