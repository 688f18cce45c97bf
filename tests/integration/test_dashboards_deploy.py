"""`./souk dashboards` writes files, and creates data sources, a folder and dashboards in Grafana."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.__main__ import main
from cli.dashboards import python_with_grafana
from common.settings import Settings
from dashboards import build
from local.install.step import CannotInstall
from tests.integration.grafana import TOKEN, Grafana, running_grafana
from tests.ports import free_offset

DASHBOARDS = tuple(f"souk-{name}" for name in build.DASHBOARDS)


@dataclass(frozen=True)
class Done:
    """What a command returned and printed."""

    returncode: int
    stdout: str
    stderr: str


Souk = Callable[..., Done]


@pytest.fixture
def souk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Souk:
    """A function that runs `./souk dashboards ARGUMENTS` in this process, which has the modules already."""

    def run(*arguments: str, token: str = TOKEN) -> Done:
        own = {"SOUK_HOME": str(tmp_path), "SOUK_GRAFANA_TOKEN": token, "COLUMNS": "200"}
        for name, value in own.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["souk", "dashboards", *arguments])
        capfd.readouterr()
        return Done(main(), *capfd.readouterr())

    return run


@pytest.fixture(scope="module", autouse=True)
def _client() -> None:
    """The folder of grafana-client, which has its own environment."""
    try:
        python_with_grafana(Settings().install)
    except CannotInstall as reason:
        pytest.skip(str(reason))


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with running_grafana() as server:
        yield server


def test_build_writes_what_deploy_sends(tmp_path: Path, souk: Souk) -> None:
    done = souk("build", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    paths = [Path(line) for line in done.stdout.splitlines()]
    dashboards = [f"{uid.removeprefix('souk-')}.json" for uid in DASHBOARDS]
    assert [path.name for path in paths] == [*dashboards, "prometheus.yml", "rules.yml"]
    assert json.loads(paths[0].read_text())["uid"] == "souk-pipeline"


def test_build_without_a_writable_folder_fails_with_one_line(tmp_path: Path, souk: Souk) -> None:
    (tmp_path / "file").touch()
    done = souk("build", "--out", str(tmp_path / "file"))
    assert done.returncode == 2
    assert done.stderr.startswith("souk: ")
    assert "--out" in done.stderr
    assert done.stderr.count("\n") == 1


def test_deploy_creates_everything_and_updates_it_the_next_time(grafana: Grafana, souk: Souk) -> None:
    done = souk("deploy", "--url", grafana.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{grafana.url}/d/{uid}/{uid}" for uid in DASHBOARDS]
    assert set(grafana.dashboards) == set(DASHBOARDS)
    assert {made["folderUid"] for made in grafana.dashboards.values()} == {"souk"}
    used = {
        target["datasource"]["uid"]
        for made in grafana.dashboards.values()
        for panel in made["panels"]
        for target in panel.get("targets", [])
    }
    assert used == set(grafana.sources)  # nobody gave the address of a Zipkin
    source = grafana.sources["souk-clickhouse"]["jsonData"]
    assert (source["host"], source["port"], source["protocol"]) == ("127.0.0.1", 8123, "http")
    assert source["username"] == "analyst"

    away = ("--clickhouse", "https://clickhouse.example/souk", "--prometheus", "http://prometheus:9090")
    assert souk("deploy", "--url", grafana.url, *away).returncode == 0
    assert {made["version"] for made in grafana.dashboards.values()} == {2}
    source = grafana.sources["souk-clickhouse"]["jsonData"]
    assert (source["host"], source["port"], source["secure"], source["path"]) == (
        "clickhouse.example", 8443, True, "souk",
    )  # fmt: skip
    assert grafana.sources["souk-prometheus"]["url"] == "http://prometheus:9090"


def test_deploy_deletes_what_left_and_nothing_of_somebody_else(grafana: Grafana, souk: Souk) -> None:
    grafana.folders |= {uid: {"uid": uid, "title": uid} for uid in ("souk", "theirs")}
    for uid, folder, tags in (
        ("souk-old", "souk", ["souk"]),
        ("souk-copy", "theirs", ["souk"]),
        ("my-board", "souk", ["souk"]),
        ("souk-notes", "souk", ["mine"]),
    ):
        grafana.dashboards[uid] = {"uid": uid, "title": uid, "folderUid": folder, "tags": tags, "version": 1}
    for _ in range(2):
        done = souk("deploy", "--url", grafana.url)
        assert done.returncode == 0, done.stderr

    assert set(grafana.dashboards) == {*DASHBOARDS, "souk-copy", "my-board", "souk-notes"}


@pytest.mark.nightly
def test_an_unknown_token_and_one_that_may_not_write_are_explained(grafana: Grafana, souk: Souk) -> None:
    done = souk("deploy", "--url", grafana.url, token="another")
    assert (done.returncode, done.stdout) == (2, "")
    assert "does not accept this token" in done.stderr
    grafana.lets_write = False
    done = souk("deploy", "--url", grafana.url)
    assert done.returncode == 2
    assert "role Admin" in done.stderr
    assert TOKEN not in done.stderr


@pytest.mark.nightly
def test_a_missing_plugin_is_named_before_anything_is_changed(grafana: Grafana, souk: Souk) -> None:
    grafana.plugins.remove("grafana-clickhouse-datasource")
    done = souk("deploy", "--url", grafana.url)
    assert done.returncode == 2
    assert "grafana cli plugins install grafana-clickhouse-datasource" in done.stderr
    assert not grafana.sources
    assert not grafana.dashboards


def test_a_missing_grafana_is_reported_in_one_line(souk: Souk) -> None:
    nowhere = f"http://127.0.0.1:{3000 + free_offset()}"
    for url in (nowhere, "localhost:3000", "http://"):
        done = souk("deploy", "--url", url)
        assert done.returncode == 2
        assert done.stderr.startswith("souk: ")
        assert done.stderr.count("\n") == 1
