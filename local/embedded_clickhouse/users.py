"""Users: the admin may run every statement, read-only users read the platform's database, within limits.

Read-only users are the analyst, `reader` (without a password, in demo mode), and the API, which has its own
threads, so that pages do not wait for people's queries. In this package, a reader is any of them.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Literal

from clickhouse.sql_guard import allowlists
from clickhouse.sql_guard.errors import DatabaseError
from clickhouse.sql_guard.readable_databases import ReadableDatabases
from common.demo_mode import is_demo
from common.settings import Settings

MAX_QUERY_SIZE = 262_144
"""Default limit of a query's text in bytes, as in ClickHouse; the setting `max_query_size` changes it."""

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
"""Limits of a reader's query. A request may lower them, but not raise them."""

MIN_EXECUTION_TIME_S = 1e-3
"""The smallest `max_execution_time` of a reader. ClickHouse rounds to microseconds, and 0 means no limit."""

READER_DEFAULTS: dict[str, str] = {"final": "1", "join_use_nulls": "1"}
"""Default settings of a reader's query. A request may change them.

An event may be stored twice until its table is merged. Without `final`, it would count twice. Without
`join_use_nulls`, a LEFT JOIN without a match returns zeros and empty strings. The API's queries keep
ClickHouse's defaults of these two, and contain `FINAL` where they need it.
"""

SERVING_DEFAULTS: dict[str, str] = {"analyzer_inline_views": "1", "query_plan_remove_unused_columns": "0"}
"""Default settings of the API's queries, which spend most of their time on the engine's analysis.

They take a quarter off the CPU time of a short query that reads a view. Readers keep the engine's defaults,
because the name of an inlined view can't qualify a column (`sales_lines.units`).
"""

_ALWAYS_SET = ("max_memory_usage", "max_execution_time", "max_rows_to_read", "max_result_rows",
            "max_bytes_before_external_group_by", "max_bytes_before_external_sort",
            "max_temporary_data_on_disk_size_for_query")  # fmt: skip
"""The limits that are set for every query of a reader. The others only bound the settings of a request."""

Pool = Literal["reader", "serving", "writer"]


@dataclass(frozen=True)
class User:
    """An authenticated user."""

    name: str
    writes: bool
    pool: Pool = "reader"
    """The thread pool in which the user's queries run."""
    databases: ReadableDatabases = field(default_factory=ReadableDatabases)
    """The databases that a read-only user may read."""

    @property
    def is_bounded(self) -> bool:
        """Whether people write the user's queries, so that the arguments of calls are bounded."""
        return self.pool == "reader"

    def effective_settings(
        self, settings: Mapping[str, str], engine_settings: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the settings with which a request of this user runs.

        `engine_settings` are the names and default values of the engine's settings. As in ClickHouse, a
        reader may give a setting the value that it has already.

        Raises:
            DatabaseError: readers may not change a setting, a value is above its limit, or the engine has no
                such setting.
        """
        if self.writes:
            return dict(settings)
        applied = {name: str(READER_LIMITS[name]) for name in _ALWAYS_SET}
        applied |= READER_DEFAULTS if self.pool == "reader" else SERVING_DEFAULTS
        for name, value in settings.items():
            if name in READER_LIMITS:
                applied[name] = _within(name, value)
            elif name in allowlists.SETTINGS:
                applied[name] = value
            elif name not in engine_settings:
                raise DatabaseError(
                    115,
                    "UNKNOWN_SETTING",
                    f"Setting {name} is neither a builtin setting nor started with the prefix.",
                )
            elif not _is_same(value, "1" if name == "readonly" else engine_settings[name]):
                raise DatabaseError(164, "READONLY", f"Cannot modify '{name}' setting in readonly mode.")
        return applied

    def check_format(self, format_name: str) -> None:
        """Refuse a format that this user may not use, because some formats access files of the machine.

        Raises:
            DatabaseError: 164, readers may not use the format.
        """
        if not self.writes and format_name not in allowlists.FORMATS:
            raise DatabaseError(164, "READONLY", f"Cannot use format {format_name} in readonly mode.")

    def max_query_size(self, requested: str) -> int:
        """Return the limit of a query's text in bytes; `requested` is the request's setting, or empty.

        Raises:
            DatabaseError: `requested` is not a number, or above a reader's limit.
        """
        if not requested:
            return MAX_QUERY_SIZE
        return int(
            _number("max_query_size", requested if self.writes else _within("max_query_size", requested))
        )


class Users:
    """The users of the settings; `default` is another name of `reader`.

    `unconfined` is why the kernel does not confine the process, or empty if it does.
    """

    def __init__(self, settings: Settings, *, unconfined: str = "") -> None:
        self._settings = settings
        self._unconfined = unconfined
        readable = ReadableDatabases.parse(
            settings.clickhouse_database, settings.clickhouse_readable_databases
        )
        analyst = User(settings.clickhouse_analyst_user, writes=False, databases=readable)
        reader = User(settings.clickhouse_reader_user, writes=False, databases=readable)
        serving = User(settings.clickhouse_serving_user, writes=False, pool="serving", databases=readable)
        admin = User(settings.clickhouse_admin_user, writes=True, pool="writer")
        self._accounts = {
            analyst.name: (analyst, settings.clickhouse_analyst_password.get_secret_value()),
            serving.name: (serving, settings.clickhouse_serving_password.get_secret_value()),
            "default": (reader, settings.clickhouse_reader_password.get_secret_value()),
            reader.name: (reader, settings.clickhouse_reader_password.get_secret_value()),
            admin.name: (admin, settings.clickhouse_admin_password.get_secret_value()),
        }

    def authenticate(self, name: str, password: str) -> User:
        """Return the user with this name and password.

        Without a password, a read-only user may connect in demo mode only, and the admin never, else every
        process on the machine could. If the process is not confined, nobody may connect without a password,
        because only lists would keep a query from the machine's files.

        Raises:
            DatabaseError: 516; as in ClickHouse, it does not say whether the name or the password is wrong.
        """
        user, expected = self._accounts.get(name, (None, ""))
        if user is not None and not expected and (user.writes or not is_demo(self._settings)):
            raise DatabaseError(516, "AUTHENTICATION_FAILED", f"{name}: {self._no_password(user)}")
        if user is not None and not expected and self._unconfined:
            reason = (
                f"Authentication failed: {user.name} has no password and may connect only where the kernel "
                f"confines this process with Landlock, but {self._unconfined}: {self._instead()}."
            )
            raise DatabaseError(516, "AUTHENTICATION_FAILED", f"{name}: {reason}")
        if user is None or not hmac.compare_digest(expected.encode(), password.encode()):
            reason = "Authentication failed: password is incorrect, or there is no user with such name."
            raise DatabaseError(516, "AUTHENTICATION_FAILED", f"{name}: {reason}")
        return user

    def _no_password(self, user: User) -> str:
        """Return what somebody can do who connects as a user without a password."""
        if user.writes:
            return "Authentication failed: no password is set: set SOUK_CLICKHOUSE_ADMIN_PASSWORD."
        reason = f"Authentication failed: {user.name} has no password and may connect in demo mode only"
        return f"{reason}: {self._instead()}, or run ./souk demo."

    def _instead(self) -> str:
        """Return as whom to connect instead of a user without a password."""
        analyst = self._settings.clickhouse_analyst_user
        if self._settings.clickhouse_analyst_password.get_secret_value():
            return (
                f"connect as {analyst}, whose password is clickhouse_analyst_password in the file "
                "secrets.toml of the state directory (by default .souk)"
            )
        return f"set SOUK_CLICKHOUSE_ANALYST_PASSWORD and connect as {analyst}"


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = nan
    if not isfinite(number):
        raise DatabaseError(72, "CANNOT_PARSE_NUMBER", f"Cannot parse {value!r} as the setting {name}.")
    return number


def _within(name: str, value: str) -> str:
    smallest = MIN_EXECUTION_TIME_S if name == "max_execution_time" else 1
    limit = READER_LIMITS[name]
    number = _number(name, value)
    if number > limit:
        message = f"Setting {name} shouldn't be greater than {limit}."
        raise DatabaseError(452, "SETTING_CONSTRAINT_VIOLATION", message)
    if number < smallest:
        unlimited = " 0 would be no limit, which readers may not have." if number == 0 else ""
        message = f"Setting {name} shouldn't be less than {smallest:g}.{unlimited} It is at most {limit}."
        raise DatabaseError(452, "SETTING_CONSTRAINT_VIOLATION", message)
    return value


def _is_same(one: str, other: str) -> bool:
    """Return whether two values of a setting are the same, in whatever way they are written."""

    def normal(value: str) -> str | float:
        try:
            return float({"true": "1", "false": "0"}.get(value.lower(), value))
        except ValueError:
            return value

    return normal(one) == normal(other)
