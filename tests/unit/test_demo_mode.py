"""Who turns demo mode on, and what overrides it."""

from pathlib import Path

import pytest

from common.demo_mode import is_demo, mode_file
from common.settings import Settings
from local.demo_mode import set_demo


def test_demo_mode_is_off_until_a_command_turns_it_on(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")

    assert not is_demo(settings)
    set_demo(settings)
    assert is_demo(settings)
    mode_file(settings).unlink()
    assert not is_demo(settings)


@pytest.mark.parametrize("demo", [True, False])
def test_the_setting_overrides_the_file(tmp_path: Path, demo: bool) -> None:
    settings = Settings(home=tmp_path, demo=demo)

    assert is_demo(settings) is demo
    set_demo(settings)
    assert is_demo(settings) is demo


def test_the_home_that_demo_mode_creates_is_private(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    set_demo(settings)

    assert settings.home.stat().st_mode & 0o077 == 0
