"""The passwords of a copy, made at its first `up` and kept in `secrets.toml` for its owner only."""

import os
import secrets
import tomllib
from pathlib import Path

from pydantic import SecretStr

from common.settings import Settings


def ensure(settings: Settings) -> Settings:
    """Write `secrets.toml` if it is not there, and return the settings with what it says."""
    path = settings.home / "secrets.toml"
    if not path.exists():
        write(path)
    kept = tomllib.loads(path.read_text(encoding="utf-8"))
    unset = {name: SecretStr(value) for name, value in kept.items() if name not in settings.model_fields_set}
    return settings.model_copy(update=unset)


def write(path: Path) -> None:
    """Write fresh passwords, readable by the owner only from the first byte on."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123 - the mode
        file.write(f'clickhouse_admin_password = "{secrets.token_urlsafe(24)}"\n')
    fresh.replace(path)
