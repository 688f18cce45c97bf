"""The types of settings that may change at run time. Each checks its values and describes what it takes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")

Kind = Literal["boolean", "number", "text", "rollout", "list"]


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
        fits = isinstance(value, str) and len(value) <= self.max_chars and value.isprintable()
        return value if fits and isinstance(value, str) else None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSetting(Setting[list[Any]]):
    """A list whose entries have a schema. Its values are JSON, as every process and store has them.

    `schema` checks a whole list, and writes it in one form, such as times in UTC. Whether a value is valid
    must not depend on the clock: a process reads values that were set long ago.
    """

    kind: ClassVar[Kind] = "list"

    schema: TypeAdapter[Any]
    takes: str

    def expected(self) -> str:
        """Return which values the setting takes."""
        return self.takes

    def parse(self, value: object) -> list[Any]:
        """Return the list in its one form.

        Raises:
            InvalidValue: the message names the first entry and field that can't be used, and why.
        """
        try:
            entries = self.schema.validate_json(orjson.dumps(value), strict=True)
        except ValidationError as error:
            raise InvalidValue(f"{self.name} takes {self.takes}. {_first_fault(error)}") from error
        except TypeError as error:  # a number that JSON can't hold
            raise InvalidValue(f"{self.name} takes {self.takes}") from error
        return list(self.schema.dump_python(entries, mode="json", by_alias=True))

    def read(self, value: list[Any]) -> Any:
        """Return the entries of a valid value as the types of the schema."""
        return self.schema.validate_json(orjson.dumps(value), strict=True)

    def _convert(self, value: object) -> list[Any] | None:
        try:
            return self.parse(value)
        except InvalidValue:
            return None


def _first_fault(error: ValidationError) -> str:
    """Return the first fault as a sentence, such as `Entry 2, factor: Input should be greater than 0`."""
    fault = error.errors(include_url=False)[0]
    place = [f"entry {part + 1}" if isinstance(part, int) else str(part) for part in fault["loc"]]
    text = ", ".join(place) + (": " if place else "") + fault["msg"].removeprefix("Value error, ")
    return text[:1].upper() + text[1:]


def _number(value: object) -> int | float | None:
    """Return a JSON number; None for all other values. In Python, `True` is an integer; in JSON it is not."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _described(noun: str, minimum: float, maximum: float, unit: str) -> str:
    return f"{noun} from {minimum:,} to {maximum:,}" + (f" ({unit})" if unit else "")
