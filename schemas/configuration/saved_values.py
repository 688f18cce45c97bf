"""The last known values of settings in a file, for processes that start while Kafka is unavailable."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson
import structlog

from common.configuration.definitions import DEFINITIONS
from common.configuration.setting import InvalidValue
from common.configuration.values import SettingValue
from common.file_replacement import replace_file
from common.settings import Settings

log = structlog.get_logger()


class SavedValues:
    """The file `run/configuration.json` in the home of a copy, which its processes share.

    Each process replaces it in one step after each change that it has read. The file is therefore complete at
    any time, and the last process that reads a change leaves the newest values.
    """

    def __init__(self, settings: Settings) -> None:
        self.path = settings.home / "run" / "configuration.json"

    def load(self) -> dict[str, SettingValue]:
        """Return the valid values in the file by setting; empty if the file is missing or damaged."""
        found = {}
        for name, saved in self._read().items():
            with suppress(InvalidValue, KeyError, TypeError, ValueError):
                found[name] = SettingValue(int(saved["version"]), DEFINITIONS[name].parse(saved["value"]))
        return found

    def save(self, values: Mapping[str, SettingValue]) -> None:
        """Write these values into the file; the values of other settings stay in it.

        If the file can't be written, a warning is logged.
        """
        before = self._read()
        after = {
            **before,
            **{name: {"version": known.version, "value": known.value} for name, known in values.items()},
        }
        if after == before:
            return
        try:
            replace_file(self.path, orjson.dumps(after, option=orjson.OPT_INDENT_2), 0o600)
        except OSError as error:
            log.warning("settings are not saved", path=str(self.path), error=str(error))

    def _read(self) -> dict[str, Any]:
        try:
            saved = orjson.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("saved settings can't be read", path=str(self.path), error=str(error))
            return {}
        return saved if isinstance(saved, dict) else {}
