"""Parses a request of ClickHouse's HTTP interface: user, query, settings, parameters and encodings."""

import base64
import binascii
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from urllib.parse import parse_qsl

from clickhouse.sql_guard.errors import DatabaseError
from local.embedded_clickhouse.compression import choose_encoding

_NAME = re.compile(r"[A-Za-z_]\w{0,127}", re.ASCII)

_NOT_SETTINGS = frozenset(
    {"query", "database", "default_format", "user", "password", "quota_key", "role", "stacktrace", "compress"}
    | {
        "decompress",
        "query_id",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "buffer_size",
    }
    | {
        "wait_end_of_query",
        "client_protocol_version",
        "enable_http_compression",
        "http_zlib_compression_level",
    }
    | {"cancel_http_readonly_queries_on_client_close", "framing"}
)

SHORT_BODY = 1 << 20
"""Up to this size in bytes, as sent, a body is inserted by one thread: a second one would rarely help."""


@dataclass
class Request:
    """One HTTP request. `params` are the values of the `{name:Type}` parameters in the query."""

    method: str
    user: str
    password: str
    query: bytes = b""
    database: str = ""
    format: str = ""
    query_id: str = ""
    has_client_query_id: bool = False
    """Whether the client chose the query id, so that it can kill the query."""
    session_id: str = ""
    session_timeout: str = ""
    session_check: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    body_encodings: tuple[str, ...] = ()
    response_encoding: str = ""
    wait_end_of_query: bool = False
    form_type: str = ""
    protocol_version: int = 0
    """The client's revision of the native protocol (`client_protocol_version`), or 0."""
    is_short: bool = False
    """Whether the header Content-Length is at most `SHORT_BODY`."""

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Add the settings and query parameters of a query string or a form.

        Raises:
            DatabaseError: a name is not valid for a setting.
        """
        for name, value in pairs:
            if name.startswith("param_"):
                self.params[name.removeprefix("param_")] = _replace_invalid(value)
            elif name not in _NOT_SETTINGS:
                if not _NAME.fullmatch(name):
                    raise DatabaseError(
                        115,
                        "UNKNOWN_SETTING",
                        f"Setting {name!r} is neither a builtin setting nor started with the prefix.",
                    )
                self.settings[name] = _replace_invalid(value)

    def add_form(self, body: bytes) -> None:
        """Add the query, the parameters and the settings of a form.

        Raises:
            DatabaseError: the form has a file (ClickHouse's external tables are not supported here).
        """
        fields = []
        head = f"Content-Type: {self.form_type}\r\n\r\n".encode()
        for part in BytesParser().parsebytes(head + body).walk():
            name = part.get_param("name", header="content-disposition")
            if part.is_multipart() or not isinstance(name, str):
                continue
            if part.get_filename() is not None:
                raise DatabaseError(
                    48,
                    "NOT_IMPLEMENTED",
                    "External tables are not supported: insert the data into a table first.",
                )
            content = part.get_payload(decode=True)
            fields.append((name, content.decode(errors="replace") if isinstance(content, bytes) else ""))
        self.query += b"".join(value.encode() for name, value in fields if name == "query")
        self.add(fields)


def read_request(method: str, query_string: bytes, headers: Mapping[str, str]) -> Request:
    """Parse the request line and the headers (names in lower case).

    Raises:
        DatabaseError: the credentials or a parameter can't be read.
    """
    pairs = parse_qsl(
        query_string.decode(errors="surrogateescape"), keep_blank_values=True, errors="surrogateescape"
    )
    url = dict(pairs)
    user, password = _credentials(url, headers)
    query_id = url.get("query_id") or headers.get("x-clickhouse-query-id", "")
    request = Request(
        method=method,
        user=user,
        password=password,
        query=url.get("query", "").encode(errors="surrogateescape"),
        database=headers.get("x-clickhouse-database") or url.get("database", ""),
        format=headers.get("x-clickhouse-format") or url.get("default_format", ""),
        query_id=query_id or str(uuid.uuid4()),
        has_client_query_id=bool(query_id),
        session_id=url.get("session_id", ""),
        session_timeout=url.get("session_timeout", ""),
        session_check=url.get("session_check") == "1",
        wait_end_of_query=url.get("wait_end_of_query", "0") not in ("", "0"),
        protocol_version=_number(url.get("client_protocol_version", "")),
        is_short=0 < _number(headers.get("content-length", "")) <= SHORT_BODY,
    )
    content_type = headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        request.form_type = content_type
    native = ("native",) if url.get("decompress", "0") not in ("", "0") else ()
    request.body_encodings = (headers.get("content-encoding", "").strip().lower(), *native)
    if url.get("compress", "0") not in ("", "0"):
        request.response_encoding = "native"
    elif url.get("enable_http_compression", "0") not in ("", "0"):
        request.response_encoding = choose_encoding(headers.get("accept-encoding", "")) or ""
    request.add(pairs)
    return request


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def _replace_invalid(value: str) -> str:
    """Replace bytes that are not UTF-8, which the engine accepts in the text of a query only."""
    return value.encode(errors="surrogateescape").decode(errors="replace")


def _credentials(url: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return headers.get("x-clickhouse-user") or "default", headers.get("x-clickhouse-key", "")
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise DatabaseError(
                516,
                "AUTHENTICATION_FAILED",
                "Invalid authentication: the Authorization header can't be read.",
            ) from None
        return user or "default", password
    return url.get("user") or "default", url.get("password", "")
