"""Each process gets the passwords that `local/parts` names for it, here and in containers."""

import ast
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from common.settings import ROOT, Settings
from local.demo import simulator_process
from local.parts import clickhouse, processes
from local.passwords import PASSWORDS
from local.state_directory import SECRETS_IN_URL, settings_environment
from local.supervision.launch_file import LaunchSpec
from tests.containers import services

PARTS = {"clickhouse": clickhouse.part, **{name: each.part for name, each in processes.PROCESSES.items()}}
SECRETS: Mapping[str, Collection[str]] = {
    "clickhouse": clickhouse.SECRETS,
    **{name: each.secrets for name, each in processes.PROCESSES.items()},
    "simulator": simulator_process.SECRETS,
    "backfill": simulator_process.SECRETS,
    "set-up": ("clickhouse_admin_password", "registry_password"),  # here, `./souk up` does this
}
SECRET_SETTINGS = {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
GIVEN = Settings.model_validate({name: f"of {name}" for name in SECRET_SETTINGS})
OF_OPERATORS = {"clickhouse_reader_password", "pictures_s3_secret_key"}
"""Those that nobody makes: operators set them."""
NOT_IN_CONTAINERS = {"clickhouse_reader_password"}
"""No such user is set up there."""


@pytest.mark.parametrize("name", PARTS)
def test_the_environment_of_a_part_has_its_passwords_and_no_others(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "connectors_digest", lambda _: "")
    launch = PARTS[name](GIVEN).launch
    assert isinstance(launch, LaunchSpec)
    found = {secret for secret in SECRET_SETTINGS if f"of {secret}" in launch.env.values()}
    assert found == set(SECRETS[name])
    assert found < set(PASSWORDS) | OF_OPERATORS


def test_a_password_that_a_process_does_not_get_is_not_read_from_the_file_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets.toml").write_text("".join(f'{name} = "of {name}"\n' for name in PASSWORDS))
    given = GIVEN.model_copy(update={"home": tmp_path})
    monkeypatch.delenv("SOUK_INTERNAL_SECRET")
    for name, value in settings_environment(given, clickhouse.SECRETS).items():
        monkeypatch.setenv(name, value)

    loaded = Settings.load()

    known = {name for name in SECRET_SETTINGS if getattr(loaded, name).get_secret_value()}
    assert known == set(clickhouse.SECRETS)


def test_the_url_of_a_server_of_ones_own_has_its_password_only_where_it_is_needed() -> None:
    urls = {
        "registry_url": "http://a:hidden@registry/apis",
        "redis_url": "redis://:hidden@redis:6379/0",
        "postgres_url": "postgresql://souk:hidden@db/souk",
    }
    given = Settings.model_validate(urls)
    for name, secrets in SECRETS.items():
        environment = settings_environment(given, secrets)
        for setting, needed_by in SECRETS_IN_URL.items():
            has_password = "hidden" in environment[f"SOUK_{setting.upper()}"]
            assert has_password == bool(needed_by & set(secrets)), (name, setting)


def test_every_process_of_the_local_platform_declares_its_passwords() -> None:
    calls = [
        (file, node)
        for file in (ROOT / "local").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "settings_environment"
    ]
    assert len(calls) == 3
    assert [f"{file.name}:{call.lineno}" for file, call in calls if len(call.args) != 2] == []


@pytest.mark.parametrize("name", SECRETS)
def test_a_container_has_the_passwords_of_its_process_and_no_others(name: str) -> None:
    environment = services()[name.replace("_", "-")]["environment"]
    found = {secret for secret in SECRET_SETTINGS if environment.get(f"SOUK_{secret.upper()}")}
    for url, secrets in SECRETS_IN_URL.items():
        if "@" in environment.get(f"SOUK_{url.upper()}", ""):
            found |= secrets & set(SECRETS[name])
            assert found & secrets, url
    wanted = set(SECRETS[name]) - NOT_IN_CONTAINERS
    assert found == wanted
