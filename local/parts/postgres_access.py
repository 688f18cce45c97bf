"""Who may connect to the bundled PostgreSQL: its `pg_hba.conf`, the administrator and the reader."""

import asyncio
import os
from pathlib import Path

import asyncpg

from common.errors import PartUnavailable
from common.postgres_roles import ADMIN, READER, role_name, role_password, scram_verifier
from common.settings import Settings

HOST_BASED_AUTHENTICATION = """\
# Written by `./souk up`, which replaces every change.
local all all           scram-sha-256
host  all all 0.0.0.0/0 scram-sha-256
host  all all ::/0      scram-sha-256
"""


def access_statements(settings: Settings) -> list[str]:
    """Return the idempotent statements that set passwords and grants, one line each.

    Raises:
        PartUnavailable: the settings have no passwords.
    """
    admin = settings.postgres_admin_password.get_secret_value()
    secret = settings.postgres_role_secret.get_secret_value()
    if not admin or not secret:
        raise PartUnavailable("PostgreSQL's passwords are not in secrets.toml: `./souk up` writes them")
    reader = role_name(READER)
    return [
        # Identifiers are constants of ours, and verifiers contain no quote: nothing here needs escaping.
        f"ALTER ROLE {ADMIN} PASSWORD '{scram_verifier(admin)}'",
        f"DO $$ BEGIN IF to_regrole('{reader}') IS NULL THEN CREATE ROLE {reader}; END IF; END $$",
        f"ALTER ROLE {reader} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS "
        f"PASSWORD '{scram_verifier(role_password(secret, reader))}'",
        f"REVOKE ALL ON DATABASE {ADMIN}, postgres, template1 FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {ADMIN} TO {reader}",
    ]


def write_authentication(data: Path) -> None:
    """Write `pg_hba.conf`, which the server reads as it starts: every connection needs a password."""
    path = data / "pg_hba.conf"
    owner = data.stat()
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(HOST_BASED_AUTHENTICATION)
    os.chown(path, owner.st_uid, owner.st_gid)


def apply_to_running_server(settings: Settings) -> None:
    """Run the statements over TCP, in a server that is already running.

    Raises:
        PartUnavailable: the server has another password than the settings.
    """

    async def run() -> None:
        connection = await asyncpg.connect(settings.postgres, timeout=5)
        try:
            for statement in access_statements(settings):
                await connection.execute(statement)
        finally:
            await connection.close()

    try:
        asyncio.run(run())
    except (OSError, asyncpg.PostgresError) as error:
        raise PartUnavailable(
            f"the running PostgreSQL rejects the passwords of secrets.toml ({error}):"
            " run `./souk down`, then `./souk up`"
        ) from error
