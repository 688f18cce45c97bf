"""The file `.env`, from which `docker-compose.yml` reads passwords and profiles. It is never committed."""

import secrets
from pathlib import Path

from local.passwords import write_private

PASSWORDS = (
    "SOUK_CLICKHOUSE_ADMIN_PASSWORD",
    "SOUK_CLICKHOUSE_ANALYST_PASSWORD",
    "SOUK_CLICKHOUSE_SERVING_PASSWORD",
    "SOUK_INTERNAL_SECRET",
    "SOUK_REDIS_PASSWORD",
    "SOUK_REGISTRY_PASSWORD",
    "POSTGRES_ADMIN_PASSWORD",
    "POSTGRES_SOUK_PASSWORD",
    "POSTGRES_REGISTRY_PASSWORD",
    "GRAFANA_ADMIN_PASSWORD",
)
"""Generated of letters, digits, `-` and `_`, so that a URL may contain them as they are."""

PROFILES = "COMPOSE_PROFILES"


def complete(path: Path) -> list[str]:
    """Add what the file lacks, and return the names of these variables. Other lines stay as they are.

    The file is readable by its owner only.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    present = {line.partition("=")[0].strip() for line in lines}
    values = {PROFILES: "core,observability"} | {name: secrets.token_urlsafe(24) for name in PASSWORDS}
    missing = [name for name in values if name not in present]
    lines += [f"{name}={values[name]}" for name in missing]
    write_private(path, "".join(f"{line}\n" for line in lines))
    return missing
