"""The values of settings that a process knows now."""

from dataclasses import dataclass
from typing import Any, TypeVar

from common.configuration.rollout import is_included
from common.configuration.setting import RolloutSetting, Setting

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A value of a setting, and its version: 1 for the first change."""

    version: int
    value: Any


class SettingValues:
    """Settings and their values. Reading one is a look-up in a dictionary, from any thread.

    `schemas.configuration.watcher` keeps the values of a process up to date.
    """

    def __init__(self) -> None:
        self._values: dict[str, SettingValue] = {}

    def get(self, setting: Setting[T]) -> T:
        """Return the value of a setting; its default if nobody has changed it."""
        known = self._values.get(setting.name)
        value: T = setting.default if known is None else known.value
        return value

    def is_on(self, feature: RolloutSetting, unit: str) -> bool:
        """Return whether a unit, such as a visitor's id, has a feature that is rolled out by percentage."""
        return is_included(feature.name, unit, self.get(feature))

    def version(self, setting: Setting[Any]) -> int:
        """Return the version of the value; 0 for the default."""
        known = self._values.get(setting.name)
        return 0 if known is None else known.version

    def update(self, values: dict[str, SettingValue]) -> None:
        """Replace the values of these settings. The values were returned by `Setting.parse`."""
        self._values = self._values | values
