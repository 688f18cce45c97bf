"""`./souk compose`: writes `.env` for `docker-compose.yml`."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from common.errors import UserError
from common.file_replacement import replace_file
from common.settings import ROOT

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
OBSERVABILITY = "observability"

MONITORING = {
    "SOUK_ZIPKIN": "true",
    "SOUK_ZIPKIN_URL": "http://zipkin:9411",
    "SOUK_PROMETHEUS_URL": "http://prometheus:9090",
    "SOUK_GRAFANA_URL": "http://localhost:3000",
}
"""Of the servers of the profile `observability`. A compose file can't ask which profiles are on."""


@dataclass(frozen=True)
class Changes:
    """The names of the variables that were added, and of those that were removed."""

    added: list[str]
    removed: list[str]


def complete(path: Path) -> Changes:
    """Add what the file lacks, and what the servers of its profiles need. Other lines stay as they are.

    Without the profile `observability`, the values of `MONITORING` are removed; traces still go to a Zipkin
    of another address. The file is readable by its owner only.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    present = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    needed = {PROFILES: f"core,{OBSERVABILITY}"} | {name: secrets.token_urlsafe(24) for name in PASSWORDS}
    profiles = present.get(PROFILES, needed[PROFILES]).strip("\"'").split(",")
    unneeded: set[str] = set()
    if {OBSERVABILITY, "*"} & set(profiles):
        needed |= MONITORING
    else:
        unneeded = {name for name, value in MONITORING.items() if present.get(name) == value}
        if present.get("SOUK_ZIPKIN_URL", MONITORING["SOUK_ZIPKIN_URL"]) != MONITORING["SOUK_ZIPKIN_URL"]:
            unneeded.discard("SOUK_ZIPKIN")
    added = [name for name in needed if name not in present]
    lines = [line for line in lines if line.partition("=")[0].strip() not in unneeded]
    lines += [f"{name}={needed[name]}" for name in added]
    replace_file(path, "".join(f"{line}\n" for line in lines), 0o600)
    return Changes(added, sorted(unneeded))


FILE = ROOT / ".env"


def command() -> None:
    """Write `.env` with what docker-compose.yml needs: passwords, and the addresses of its profiles' servers.

    Values that it has stay. Run it again after a change of COMPOSE_PROFILES.
    """
    try:
        changes = complete(FILE)
    except OSError as error:
        raise UserError(f"{FILE} can't be written ({error.strerror})") from error
    removed = f", {len(changes.removed)} removed" if changes.removed else ""
    print(f"{FILE}: {len(changes.added)} variables added{removed}. Next: docker compose up --build --wait")
