"""What a process knows of settings without Kafka: the saved values, and events that it must ignore."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from common.configuration.definitions import BREAKER_WINDOW, MAINTENANCE_BANNER, SHEDDING_ENABLED
from common.configuration.setting import InvalidValue
from common.configuration.values import SettingValue
from common.settings import Settings
from schemas.configuration.saved_values import SavedValues
from schemas.configuration.watcher import read_change


def event(**changes: Any) -> dict[str, Any]:
    return {"name": "breaker_window", "scope": "platform", "new_value": "50", "version": 2, **changes}


@pytest.fixture
def saved(tmp_path: Path) -> SavedValues:
    return SavedValues(Settings(home=tmp_path))


def test_an_event_gives_the_setting_a_value_of_its_type() -> None:
    assert read_change(event()) == {"breaker_window": SettingValue(2, 50)}


def test_an_event_from_before_versions_counts_as_version_0() -> None:
    assert read_change(event(version=None)) == {"breaker_window": SettingValue(0, 50)}


def test_a_setting_of_one_seller_changes_nothing() -> None:
    assert read_change(event(scope="seller-1")) == {}


@pytest.mark.parametrize(
    "changes",
    [{"name": "gone"}, {"new_value": "5"}, {"new_value": '"x"'}, {"new_value": None}, {"new_value": "{"}],
)
def test_an_unknown_setting_or_an_invalid_value_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        read_change(event(**changes))


def test_saved_values_are_read_again(saved: SavedValues) -> None:
    values = {
        BREAKER_WINDOW.name: SettingValue(3, 50),
        SHEDDING_ENABLED.name: SettingValue(1, False),
        MAINTENANCE_BANNER.name: SettingValue(2, "Até já 🛒"),
    }

    saved.save(values)

    assert saved.load() == values
    assert saved.path.stat().st_mode & 0o077 == 0


def test_saving_one_setting_keeps_the_others_also_those_of_other_code(saved: SavedValues) -> None:
    saved.path.parent.mkdir()
    saved.path.write_bytes(orjson.dumps({"newer": {"version": 1, "value": 7}}))

    saved.save({"breaker_window": SettingValue(1, 50)})
    saved.save({"shedding_enabled": SettingValue(1, False)})

    assert set(orjson.loads(saved.path.read_bytes())) == {"newer", "breaker_window", "shedding_enabled"}
    assert set(saved.load()) == {"breaker_window", "shedding_enabled"}
    assert list(saved.path.parent.iterdir()) == [saved.path]


def test_without_a_file_nothing_is_known(saved: SavedValues) -> None:
    assert saved.load() == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"breaker_window": 5}', b'{"breaker_window": {"version": 1, "value": true}}'],
)
def test_a_damaged_file_is_ignored_and_replaced(saved: SavedValues, content: bytes) -> None:
    saved.path.parent.mkdir()
    saved.path.write_bytes(content)

    assert saved.load() == {}
    saved.save({"breaker_window": SettingValue(1, 50)})
    assert saved.load() == {"breaker_window": SettingValue(1, 50)}


def test_a_file_that_can_not_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where the folder should be")
    saved = SavedValues(Settings(home=tmp_path))

    saved.save({"breaker_window": SettingValue(1, 50)})

    assert saved.load() == {}
