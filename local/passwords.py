"""Generates a copy's passwords at its first `up`; `secrets.toml` stores them, readable by its owner only."""

import json
import secrets
import tomllib

from pydantic import SecretStr

from common.file_replacement import replace_file
from common.settings import Settings

PASSWORDS = (
    "clickhouse_admin_password",
    "clickhouse_analyst_password",
    "clickhouse_serving_password",
    "internal_secret",
    "postgres_admin_password",
    "postgres_role_secret",
    "redis_password",
    "registry_password",
)
"""The generated settings. ClickHouse's `reader` has no password, because it may connect in demo mode only."""


def ensure(settings: Settings) -> Settings:
    """Add missing passwords to `secrets.toml`, and return the settings with its passwords."""
    path = settings.home / "secrets.toml"
    stored = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if any(name not in stored for name in PASSWORDS):
        stored = {name: secrets.token_urlsafe(24) for name in PASSWORDS} | stored
        lines = (f"{name} = {json.dumps(value)}\n" for name, value in stored.items())
        replace_file(path, "".join(lines), 0o600)
    path.chmod(0o600)
    given = settings.model_fields_set
    unset = {
        name: SecretStr(value)
        for name, value in stored.items()
        if name in Settings.model_fields and name not in given
    }
    return settings.model_copy(update=unset)
