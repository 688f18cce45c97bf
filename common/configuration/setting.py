"""The types of settings that may change at run time. Each checks its values and describes what it takes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

T = TypeVar("T")

Kind = Literal["boolean", "number", "text", "rollout"]


class InvalidValue(ValueError):
    """The setting does not take this value. The message says which values it takes."""


@dataclass(frozen=True, slots=True)
class Setting(ABC, Generic[T]):
    """A setting: its name, its value until somebody changes it, what it does, and the unit of its value."""

    kind: ClassVar[Kind]

    name: str
    default: T
    description: str
    unit: str = ""

    @abstractmethod
    def expected(self) -> str:
        """Return which values the setting takes, as a noun phrase."""

    @abstractmethod
    def _convert(self, value: object) -> T | None:
        """Return a JSON value as the setting's type; None if the setting does not take it."""

    def parse(self, value: object) -> T:
        """Return a JSON value as the setting's type.

        Raises:
            InvalidValue: it has another type or is out of bounds.
        """
        converted = self._convert(value)
        if converted is None:
            raise InvalidValue(f"{self.name} takes {self.expected()}")
        return converted


@dataclass(frozen=True, slots=True)
class BooleanSetting(Setting[bool]):
    """A setting that is on or off."""

    kind: ClassVar[Kind] = "boolean"

    def expected(self) -> str:
        """Return which values the setting takes."""
        return "true or false"

    def _convert(self, value: object) -> bool | None:
        return value if isinstance(value, bool) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSetting(Setting[float]):
    """A number from `minimum` to `maximum`."""

    kind: ClassVar[Kind] = "number"

    minimum: float
    maximum: float

    def expected(self) -> str:
        """Return which values the setting takes."""
        return _described("a number", self.minimum, self.maximum, self.unit)

    def _convert(self, value: object) -> float | None:
        number = _number(value)
        return None if number is None or not self.minimum <= number <= self.maximum else float(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSetting(Setting[int]):
    """A whole number from `minimum` to `maximum`."""

    kind: ClassVar[Kind] = "number"

    minimum: int
    maximum: int

    def expected(self) -> str:
        """Return which values the setting takes."""
        return _described("a whole number", self.minimum, self.maximum, self.unit)

    def _convert(self, value: object) -> int | None:
        number = _number(value)
        if number is None or not self.minimum <= number <= self.maximum or number != int(number):
            return None
        return int(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSetting(Setting[str]):
    """A text of at most `max_chars` characters without control characters; it may be empty."""

    kind: ClassVar[Kind] = "text"

    max_chars: int

    def expected(self) -> str:
        """Return which values the setting takes."""
        return f"a text of at most {self.max_chars:,} characters, without line breaks"

    def _convert(self, value: object) -> str | None:
        fits = isinstance(value, str) and len(value) <= self.max_chars
        return value if fits and isinstance(value, str) and (not value or value.isprintable()) else None


@dataclass(frozen=True, slots=True)
class RolloutSetting(Setting[float]):
    """A feature that a percentage of visitors, orders or other units has; see `rollout.is_included`."""

    kind: ClassVar[Kind] = "rollout"

    def expected(self) -> str:
        """Return which values the setting takes."""
        return "a percentage from 0 to 100"

    def _convert(self, value: object) -> float | None:
        number = _number(value)
        return None if number is None or not 0 <= number <= 100 else float(number)


def _number(value: object) -> int | float | None:
    """Return a JSON number; None for all other values. In Python, `True` is an integer; in JSON it is not."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _described(noun: str, minimum: float, maximum: float, unit: str) -> str:
    return f"{noun} from {minimum:,} to {maximum:,}" + (f" ({unit})" if unit else "")
