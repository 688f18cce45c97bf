"""Reads experiments from JSON, and refuses those that can't be run or analysed; the setting of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from itertools import combinations
from typing import Any, ClassVar

import orjson

from common.configuration.setting import InvalidValue, Kind, Setting
from common.experiments.assignment import HOLDOUT
from common.experiments.definition import (
    GUARDRAIL_METRICS,
    STRATEGIES,
    SURFACES,
    UNITS,
    Arm,
    Experiment,
    Guardrail,
)

MAX_CHARS = 10_000
"""The largest number of characters of the setting, about twenty experiments."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_ROUNDING = 1e-9


class BadExperiment(ValueError):
    """A definition can't be used. The message names the experiment and says what to change."""


def read_experiments(text: str) -> tuple[Experiment, ...]:
    """Return the experiments of a JSON list.

    Raises:
        BadExperiment: it is not such a list; a field is missing, unknown or out of bounds; shares exceed 1;
            an arm has an unknown strategy; an experiment stops before it starts; two experiments have the
            same name, or run on one surface at one time.
    """
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadExperiment(f"the experiments are not JSON: {error}") from error
    if not isinstance(content, list):
        raise BadExperiment("the experiments must be a JSON list of objects; [] for none")
    found = tuple(_experiment(each, number) for number, each in enumerate(content, 1))
    _check_together(found)
    return found


def write_experiments(experiments: Sequence[Experiment]) -> str:
    """Return the JSON list that `read_experiments` reads, always the same text for the same experiments."""
    return orjson.dumps(list(experiments), option=orjson.OPT_UTC_Z).decode()


def _experiment(sent: object, number: int) -> Experiment:
    where = f"experiment {number}"
    fields = _object(sent, Experiment, where)
    name = _name(fields.get("name"), f"{where}: name")
    if name == HOLDOUT:
        raise BadExperiment(f"{where}: {HOLDOUT} is the name of the permanent hold-out; choose another one")
    where = f"experiment {name}"
    experiment = Experiment(
        name,
        _choice(fields.get("surface"), SURFACES, f"{where}: surface"),
        _choice(fields.get("unit", "visitor"), UNITS, f"{where}: unit"),
        _salt(fields.get("salt"), where),
        _moment(fields.get("start"), f"{where}: start"),
        None if fields.get("stop") is None else _moment(fields["stop"], f"{where}: stop"),
        tuple(_arm(each, where) for each in _list(fields.get("arms"), f"{where}: arms")),
        tuple(
            _guardrail(each, where) for each in _list(fields.get("guardrails", []), f"{where}: guardrails")
        ),
    )
    _check(experiment, where)
    return experiment


def _check(experiment: Experiment, where: str) -> None:
    if experiment.stop is not None and experiment.stop <= experiment.start:
        raise BadExperiment(f"{where}: it stops at {experiment.stop} and starts at {experiment.start}")
    if len(experiment.arms) < 2:
        raise BadExperiment(f"{where}: it needs two arms or more; the first is the control")
    _check_unique([arm.name for arm in experiment.arms], f"{where}: arm")
    _check_unique([each.metric for each in experiment.guardrails], f"{where}: guardrail")
    total = sum(arm.share for arm in experiment.arms)
    if total > 1 + _ROUNDING:
        raise BadExperiment(f"{where}: the shares of its arms add up to {total:g}; they may not exceed 1")


def _check_together(experiments: Sequence[Experiment]) -> None:
    _check_unique([each.name for each in experiments], "experiment")
    for one, other in combinations(experiments, 2):
        if one.overlaps(other):
            raise BadExperiment(
                f"experiments {one.name} and {other.name} would run on one surface at the same time: "
                "stop one before the other starts"
            )


def _arm(sent: object, where: str) -> Arm:
    fields = _object(sent, Arm, f"{where}: arm")
    name = _name(fields.get("name"), f"{where}: name of an arm")
    where = f"{where}: arm {name}"
    stopped_at = fields.get("stopped_at")
    return Arm(
        name,
        _choice(fields.get("strategy"), STRATEGIES, f"{where}: strategy"),
        _number(fields.get("share"), f"{where}: share", 0.001, 1.0),
        None if stopped_at is None else _moment(stopped_at, f"{where}: stopped_at"),
    )


def _guardrail(sent: object, where: str) -> Guardrail:
    fields = _object(sent, Guardrail, f"{where}: guardrail")
    metric = _choice(fields.get("metric"), tuple(GUARDRAIL_METRICS), f"{where}: metric of a guardrail")
    return Guardrail(metric, _number(fields.get("max_loss"), f"{where}: max_loss of {metric}", 0.0, 1.0))


def _object(sent: object, kind: type[Experiment | Arm | Guardrail], where: str) -> Mapping[str, Any]:
    """Return a JSON object, whose fields are those of a dataclass, or some of them."""
    if not isinstance(sent, dict):
        raise BadExperiment(f"{where} must be a JSON object")
    known = {field.name for field in fields_of(kind)}
    if unknown := sorted(set(sent) - known):
        raise BadExperiment(f"{where}: unknown field {unknown[0]}; the fields are {', '.join(sorted(known))}")
    return sent


def _list(sent: object, where: str) -> list[Any]:
    if not isinstance(sent, list):
        raise BadExperiment(f"{where} must be a JSON list")
    return sent


def _name(sent: object, where: str) -> str:
    if not isinstance(sent, str) or not _NAME.fullmatch(sent):
        raise BadExperiment(f"{where} must be 1 to 60 lower-case letters, digits and underscores")
    return sent


def _salt(sent: object, where: str) -> str:
    if not isinstance(sent, str) or not 1 <= len(sent) <= 60 or not sent.isprintable():
        raise BadExperiment(f"{where}: salt must be a text of 1 to 60 characters")
    return sent


def _choice(sent: object, choices: Sequence[Any], where: str) -> Any:
    if sent not in choices:
        raise BadExperiment(f"{where} must be one of {', '.join(choices)}, not {str(sent)[:60]!r}")
    return sent


def _number(sent: object, where: str, minimum: float, maximum: float) -> float:
    if not isinstance(sent, int | float) or isinstance(sent, bool) or not minimum <= sent <= maximum:
        raise BadExperiment(f"{where} must be a number from {minimum:g} to {maximum:g}")
    return float(sent)


def _moment(sent: object, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(sent) if isinstance(sent, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadExperiment(f"{where} must be a time with its zone, such as 2026-01-31T12:00:00Z")
    return moment.astimezone(UTC)


def _check_unique(names: Sequence[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise BadExperiment(f"{what} {name} is defined twice")


@dataclass(frozen=True, slots=True)
class ExperimentsSetting(Setting[str]):
    """Experiments as a JSON list, always written the same way."""

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
