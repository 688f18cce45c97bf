"""Connects migrations, commands and audits to ClickHouse over HTTP: the bundled server or another one."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from common.errors import PartUnavailable
from common.settings import Settings


def one_line(error: BaseException) -> str:
    """Return the text of an error of the client without its line breaks."""
    return " ".join(str(error).split())


@contextmanager
def clickhouse_errors() -> Iterator[None]:
    """Turn errors of ClickHouse into `PartUnavailable`."""
    try:
        yield
    except ClickHouseError as error:
        raise PartUnavailable(f"ClickHouse did not answer: {one_line(error)}") from error


def connect(settings: Settings, admin: bool = False, database: str | None = None) -> Client:
    """Connect as the analyst or the admin of the settings; threads may share the returned client.

    `database` defaults to `settings.clickhouse_database`, which must exist.

    Raises:
        PartUnavailable: ClickHouse does not answer, or refuses the user.
    """
    url = urlsplit(settings.clickhouse)
    user = settings.clickhouse_admin_user if admin else settings.clickhouse_analyst_user
    password = settings.clickhouse_admin_password if admin else settings.clickhouse_analyst_password
    try:
        return clickhouse_connect.get_client(
            interface=url.scheme,
            host=url.hostname or "",
            port=url.port or (8443 if url.scheme == "https" else 8123),
            username=user,
            password=password.get_secret_value(),
            database=database or settings.clickhouse_database,
            compress=url.hostname not in ("127.0.0.1", "localhost"),
            autogenerate_session_id=False,
            client_name="souk",
        )
    except clickhouse_connect.driver.exceptions.Error as error:
        raise PartUnavailable(
            f"ClickHouse at {settings.clickhouse} can't be used as {user}: {one_line(error)}"
        ) from error
