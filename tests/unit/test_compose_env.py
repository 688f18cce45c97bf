"""`./souk compose` writes `.env` with passwords that stay."""

from pathlib import Path

import pytest

from cli.compose import MONITORING, PASSWORDS, complete


def read(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def test_it_writes_a_password_for_each_server_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert set(complete(path).added) == {"COMPOSE_PROFILES", *PASSWORDS, *MONITORING}
    values = read(path)
    assert len({values[name] for name in PASSWORDS}) == len(PASSWORDS)
    assert min(len(values[name]) for name in PASSWORDS) >= 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_second_run_and_an_edited_file_keep_their_values(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nCOMPOSE_PROFILES=core,demo\nSOUK_REDIS_PASSWORD=chosen\n")
    path.chmod(0o644)
    complete(path)
    before = path.read_text()
    assert before.startswith("# mine\nCOMPOSE_PROFILES=core,demo\nSOUK_REDIS_PASSWORD=chosen\n")
    again = complete(path)
    assert (again.added, again.removed) == ([], [])
    assert path.read_text() == before
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("profiles", ["core", '"core,demo"'])
def test_without_monitoring_nothing_is_sent_to_its_servers(profiles: str, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    complete(path)
    path.write_text(path.read_text().replace("core,observability", profiles))
    assert set(complete(path).removed) == MONITORING.keys()
    assert read(path).keys() == {"COMPOSE_PROFILES", *PASSWORDS}
    path.write_text(path.read_text().replace(profiles, "core,observability"))
    assert set(complete(path).added) == MONITORING.keys()


@pytest.mark.parametrize(
    "own",
    [
        {"SOUK_ZIPKIN": "false", "SOUK_PROMETHEUS_URL": "https://prometheus.example"},
        {"SOUK_ZIPKIN": "true", "SOUK_ZIPKIN_URL": "https://zipkin.example"},
    ],
)
def test_an_own_monitoring_stays_whatever_the_profiles_are(own: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("COMPOSE_PROFILES=core\n" + "".join(f"{name}={value}\n" for name, value in own.items()))
    complete(path)
    assert own.items() <= read(path).items()
    path.write_text(path.read_text().replace("COMPOSE_PROFILES=core", "COMPOSE_PROFILES=*"))
    complete(path)
    assert (MONITORING | own).items() <= read(path).items()
