"""The passwords of a copy, made at its first `up` and kept in `secrets.toml` for its owner only."""

import json
import os
import secrets
import tomllib
from pathlib import Path

from pydantic import SecretStr

from common.settings import Settings

PASSWORDS = ("clickhouse_admin_password", "clickhouse_serving_password")
"""The settings that a copy makes up itself. The reader has none: it only reads, and only on loopback."""


def ensure(settings: Settings) -> Settings:
    """Write the passwords that `secrets.toml` lacks, and return the settings with what it says."""
    path = settings.home / "secrets.toml"
    kept = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if any(name not in kept for name in PASSWORDS):
        kept = {name: secrets.token_urlsafe(24) for name in PASSWORDS} | kept
        write(path, kept)
    unset = {name: SecretStr(value) for name, value in kept.items() if name not in settings.model_fields_set}
    return settings.model_copy(update=unset)


def write(path: Path, passwords: dict[str, str]) -> None:
    """Write passwords, readable by the owner only from the first byte on."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - the mode
        file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in passwords.items())
    fresh.replace(path)
