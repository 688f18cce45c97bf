"""The setting that holds the definitions of all experiments."""

from dataclasses import dataclass
from typing import ClassVar

from common.configuration.setting import InvalidValue, Kind, Setting
from common.experiments.reading import BadExperiment, read_experiments, write_experiments

MAX_CHARS = 10_000
"""The largest number of characters, about twenty experiments."""


@dataclass(frozen=True, slots=True)
class ExperimentsSetting(Setting[str]):
    """Experiments as a JSON list (`common.experiments.reading`), always written the same way."""

    kind: ClassVar[Kind] = "text"

    def expected(self) -> str:
        """Return which values the setting takes."""
        return f"a list of experiments of at most {MAX_CHARS:,} characters (docs/experiments.md)"

    def _convert(self, value: object) -> str | None:
        if not isinstance(value, str) or len(value) > MAX_CHARS:
            return None
        try:
            written = write_experiments(read_experiments(value))
        except BadExperiment as error:
            raise InvalidValue(f"{self.name} takes {self.expected()}: {error}") from error
        return written if len(written) <= MAX_CHARS else None
