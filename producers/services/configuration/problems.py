"""Error responses of the settings endpoints."""

from collections.abc import Mapping
from typing import Any

from common.configuration.definitions import DEFINITIONS
from common.configuration.setting import InvalidValue
from common.problems import Problem


class UnknownSetting(Problem):
    """There is no such setting."""

    status, kind, title = 404, "unknown-setting", "Unknown setting"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no setting {name!r}. The settings are: {', '.join(sorted(DEFINITIONS))}.")


class UnknownVersion(Problem):
    """The setting has no such version."""

    status, kind, title = 404, "unknown-version", "Unknown version"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(
            f"Setting {name} has no version {version}. GET /v1/settings/{name}/history lists its versions; "
            "version 0 is the default. Nothing was changed."
        )


class BadValue(Problem):
    """The setting does not take this value."""

    status, kind, title = 422, "bad-value", "The setting does not take this value"

    def __init__(self, error: InvalidValue) -> None:
        super().__init__(f"{error}. Send such a value. Nothing was changed.")


class ChangedMeanwhile(Problem):
    """The setting has another version than the request expects."""

    status, kind, title = 409, "changed-meanwhile", "The setting was changed meanwhile"

    def __init__(self, name: str, expected: int, current: int) -> None:
        self._current = current
        super().__init__(
            f"Setting {name} has version {current}, not {expected}: somebody has changed it. Read it again "
            f"with GET /v1/settings, and send the change with `version`: {current} if it is still right. "
            "Nothing was changed."
        )

    @property
    def extensions(self) -> Mapping[str, Any]:
        """The current version."""
        return {"current_version": self._current}
