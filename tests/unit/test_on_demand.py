"""The parts that `./souk up --with NAME` starts."""

from pathlib import Path

import pytest

from common.errors import UserError
from common.settings import Settings
from local.parts import on_demand
from local.parts.resolve import find_on_path
from local.state_directory import StateDirectory


def test_an_unknown_part_on_demand_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(UserError, match="'grafana': choose from prometheus, alertmanager, zipkin"):
        on_demand.change(Settings(home=home), ["grafana"], [])
    assert not home.exists()


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_program_that_is_not_installed_is_named_with_how_to_install_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=f"{name} is not on PATH: install it .*package prometheus"):
        on_demand.parts(Settings(home=tmp_path), [name])


def test_prometheus_sends_alerts_only_to_an_alertmanager_that_runs(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, port_offset=300)
    if (
        find_on_path(settings, "prometheus") is None
        or find_on_path(settings, "prometheus-alertmanager") is None
    ):
        pytest.skip("prometheus or alertmanager is not on PATH")
    texts = []
    for names in (["prometheus"], ["prometheus", "alertmanager"]):
        prometheus = on_demand.parts(settings, names)[0]
        folder = tmp_path / "prometheus"
        folder.mkdir(exist_ok=True)
        prometheus.prepare()
        texts.append((folder / "prometheus.yml").read_text())
    assert "127.0.0.1:9394" not in texts[0]
    assert "127.0.0.1:9394" in texts[1]
    assert "127.0.0.1:8300" in texts[0]


def test_no_part_on_demand_runs_in_a_new_copy(tmp_path: Path) -> None:
    home = StateDirectory(tmp_path / "home")
    home.make()
    assert on_demand.running(home) == set()


def test_a_copy_wants_a_part_from_with_until_without(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    assert on_demand.wanted(on_demand.apply(settings)) == set()
    on_demand.change(settings, ["zipkin"], [])
    assert on_demand.apply(settings).zipkin
    assert on_demand.wanted(on_demand.apply(settings)) == {"zipkin"}
    on_demand.change(settings, [], ["zipkin"])
    assert on_demand.wanted(on_demand.apply(settings)) == set()
