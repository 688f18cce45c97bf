"""Who may ask: an admin who may do everything, and a reader who may only read, within bounds."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from clickhouse.front.errors import DatabaseError
from common.settings import Settings

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

_APPLIED = ("max_memory_usage", "max_execution_time", "max_rows_to_read", "max_result_rows",
            "max_bytes_before_external_group_by", "max_bytes_before_external_sort",
            "max_temporary_data_on_disk_size_for_query")  # fmt: skip

_DENIED = frozenset(
    {"readonly", "dialect", "implicit_select", "log_comment", "profile", "max_untracked_memory"}
    | {"additional_table_filters", "max_memory_usage_for_user", "use_concurrency_control"}
)
_DENIED_PREFIXES = (
    "allow_",
    "storage_",
    "memory_",
    "max_bytes_ratio",
    "max_temporary",
    "enable_reads_from_",
    "s3_",
)


@dataclass(frozen=True)
class User:
    """Someone who has proven who they are."""

    name: str
    writes: bool

    def allowed(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The settings that a request of this user runs with.

        Raises:
            DatabaseError: a reader asks for a setting that is not theirs to change, or for too much.
        """
        if self.writes:
            return dict(settings)
        applied = {name: str(READER_LIMITS[name]) for name in _APPLIED}
        for name, value in settings.items():
            if name in READER_LIMITS:
                applied[name] = _within(name, value)
            elif name in _DENIED or name.startswith(_DENIED_PREFIXES):
                raise DatabaseError(164, "READONLY", f"Cannot modify '{name}' setting in readonly mode.")
            else:
                applied[name] = value
        return applied


class Users:
    """The two users of the settings; `default` is another name of the reader's."""

    def __init__(self, settings: Settings) -> None:
        reader = User(settings.clickhouse_reader_user, writes=False)
        admin = User(settings.clickhouse_admin_user, writes=True)
        self._known = {
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


def _within(name: str, value: str) -> str:
    limit = READER_LIMITS[name]
    try:
        number = int(float(value))
    except ValueError:
        raise DatabaseError(
            72, "CANNOT_PARSE_NUMBER", f"Cannot parse {value!r} as the setting {name}."
        ) from None
    if not 0 < number <= limit:
        message = f"Setting {name} shouldn't be greater than {limit}."
        raise DatabaseError(452, "SETTING_CONSTRAINT_VIOLATION", message)
    return value
