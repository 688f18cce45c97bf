"""Who may ask: an admin who may do everything; readers who may only read, within bounds.

The serving API is a reader with threads of its own: what analysts ask must not make the pages wait.
"""

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from clickhouse.http_server import allowlists
from clickhouse.http_server.errors import DatabaseError
from common.settings import Settings

MAX_QUERY_SIZE = 262_144
"""Bytes of a query's text, as at ClickHouse's server; `max_query_size` asks for more."""

READER_LIMITS: dict[str, int] = {
    "max_memory_usage": 400 << 20,
    "max_execution_time": 60,
    "max_rows_to_read": 2_000_000_000,
    "max_result_rows": 50_000_000,
    "max_bytes_before_external_group_by": 128 << 20,
    "max_bytes_before_external_sort": 128 << 20,
    "max_temporary_data_on_disk_size_for_query": 2 << 30,
    "max_threads": 8,
    "max_block_size": 1 << 17,
    "max_query_size": 1 << 20,
    "max_ast_elements": 50_000,
    "max_expanded_ast_elements": 500_000,
}
"""What a reader's query may use; a request may ask for less, never for more."""

READER_DEFAULTS: dict[str, str] = {"final": "1", "join_use_nulls": "1"}
"""What a reader's query starts with; a request may change it.

An event may be stored twice until its table is merged: without `final` it counts twice. Without
`join_use_nulls` a row that a LEFT JOIN did not find has zeros and empty strings. The API's own queries say
`FINAL` where they need it, and have ClickHouse's defaults.
"""

_APPLIED = ("max_memory_usage", "max_execution_time", "max_rows_to_read", "max_result_rows",
            "max_bytes_before_external_group_by", "max_bytes_before_external_sort",
            "max_temporary_data_on_disk_size_for_query")  # fmt: skip

Pool = Literal["reader", "serving", "writer"]


@dataclass(frozen=True)
class User:
    """Someone who has proven who they are."""

    name: str
    writes: bool
    pool: Pool = "reader"
    """Whose threads its queries run in."""

    def effective_settings(self, settings: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
        """The settings that a request of this user runs with; `known` are those that the engine has.

        Raises:
            DatabaseError: a reader asks for a setting that is not theirs to change, or for too much.
        """
        if self.writes:
            return dict(settings)
        applied = {name: str(READER_LIMITS[name]) for name in _APPLIED}
        if self.pool == "reader":
            applied |= READER_DEFAULTS
        for name, value in settings.items():
            if name in READER_LIMITS:
                applied[name] = _within(name, value)
            elif name in allowlists.SETTINGS:
                applied[name] = value
            elif name not in known:
                message = f"Setting {name} is neither a builtin setting nor started with the prefix."
                raise DatabaseError(115, "UNKNOWN_SETTING", message)
            else:
                raise DatabaseError(164, "READONLY", f"Cannot modify '{name}' setting in readonly mode.")
        return applied

    def check_format(self, format_name: str) -> None:
        """Refuse a format that is not this user's: some read and write files of the machine.

        Raises:
            DatabaseError: 164, as for a setting.
        """
        if not self.writes and format_name not in allowlists.FORMATS:
            raise DatabaseError(164, "READONLY", f"Cannot use format {format_name} in readonly mode.")

    def max_query_size(self, asked: str) -> int:
        """How long a query's text may be, in bytes, when the request asks for `asked` (empty: the default).

        Raises:
            DatabaseError: it asks for too much, or for no number.
        """
        if not asked:
            return MAX_QUERY_SIZE
        return _number("max_query_size", asked if self.writes else _within("max_query_size", asked))


class Users:
    """The three users of the settings; `default` is another name of the reader's."""

    def __init__(self, settings: Settings) -> None:
        reader = User(settings.clickhouse_reader_user, writes=False)
        serving = User(settings.clickhouse_serving_user, writes=False, pool="serving")
        admin = User(settings.clickhouse_admin_user, writes=True, pool="writer")
        self._known = {
            serving.name: (serving, settings.clickhouse_serving_password.get_secret_value()),
            "default": (reader, settings.clickhouse_reader_password.get_secret_value()),
            reader.name: (reader, settings.clickhouse_reader_password.get_secret_value()),
            admin.name: (admin, settings.clickhouse_admin_password.get_secret_value()),
        }

    def authenticate(self, name: str, password: str) -> User:
        """The user of this name, when the password is theirs.

        An admin without a password would make an admin of every process on the machine: none gets in.

        Raises:
            DatabaseError: 516, as ClickHouse says it: not whether the name or the password is wrong.
        """
        user, expected = self._known.get(name, (None, ""))
        if user is not None and user.writes and not expected:
            reason = "Authentication failed: no password is set: set SOUK_CLICKHOUSE_ADMIN_PASSWORD."
            raise DatabaseError(516, "AUTHENTICATION_FAILED", f"{name}: {reason}")
        if user is None or not hmac.compare_digest(expected.encode(), password.encode()):
            reason = "Authentication failed: password is incorrect, or there is no user with such name."
            raise DatabaseError(516, "AUTHENTICATION_FAILED", f"{name}: {reason}")
        return user


def _number(name: str, value: str) -> int:
    try:
        return int(float(value))
    except (ValueError, OverflowError):
        message = f"Cannot parse {value!r} as the setting {name}."
        raise DatabaseError(72, "CANNOT_PARSE_NUMBER", message) from None


def _within(name: str, value: str) -> str:
    limit = READER_LIMITS[name]
    if not 0 < _number(name, value) <= limit:
        message = f"Setting {name} shouldn't be greater than {limit}."
        raise DatabaseError(452, "SETTING_CONSTRAINT_VIOLATION", message)
    return value
