"""Decides which arm of which experiment a visitor gets. Pure: the same visitor always gets the same arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from common.configuration.rollout import position
from common.experiments.definition import DEFAULT_STRATEGY, Arm, Experiment

HOLDOUT = "holdout"
"""The name of the permanent hold-out, of its arm, and of the experiment under which it is logged."""

HOLDOUT_STRATEGY = "popular"
"""What the hold-out gets: the same popular products for everybody, so that its net sales show what
personal recommendations add."""

_HOLDOUT_SALT = "1"


@dataclass(frozen=True, slots=True)
class Assignment:
    """The strategy that answers a visitor, and why.

    `experiment` and `arm` are None for a visitor who takes part in none. `propensity` is the probability
    with which a random visitor gets this assignment.
    """

    experiment: str | None
    arm: str | None
    strategy: str
    propensity: float


def unit_position(experiment: str, salt: str, unit: str) -> float:
    """Return the position of a unit in an experiment, from 0 to 1, by PlanOut's formula.

    It is `int(sha1(f"{experiment}.{salt}.{unit}").hexdigest()[:15], 16) / 0xFFFFFFFFFFFFFFF`.
    """
    return position(f"{experiment}.{salt}", unit)


def is_held_out(unit: str, holdout_share: float) -> bool:
    """Return whether a unit belongs to the permanent hold-out of this share (0 to 1).

    A higher share adds units and removes none.
    """
    return unit_position(HOLDOUT, _HOLDOUT_SALT, unit) < holdout_share


def arm_of(experiment: Experiment, unit: str) -> Arm | None:
    """Return the arm of a unit, stopped or not; None for a unit beyond the sum of the shares."""
    at = unit_position(experiment.name, experiment.salt, unit)
    ends = accumulate(arm.share for arm in experiment.arms)
    return next((arm for arm, end in zip(experiment.arms, ends, strict=True) if at < end), None)


def assign(
    experiments: Sequence[Experiment], holdout_share: float, unit: str, surface: str, now: datetime
) -> Assignment:
    """Return the assignment of a unit on a surface at a moment.

    The hold-out takes part in no experiment. At most one experiment runs on a surface at a time, which
    `read_experiments` has checked.
    """
    if is_held_out(unit, holdout_share):
        return Assignment(HOLDOUT, HOLDOUT, HOLDOUT_STRATEGY, holdout_share)
    eligible = 1.0 - holdout_share
    for experiment in experiments:
        if experiment.covers(surface) and experiment.is_running(now):
            arm = arm_of(experiment, unit)
            if arm is not None and arm.is_live(now):
                return Assignment(experiment.name, arm.name, arm.strategy, eligible * arm.share)
            taking_part = sum(each.share for each in experiment.arms if each.is_live(now))
            return Assignment(None, None, DEFAULT_STRATEGY, eligible * (1.0 - taking_part))
    return Assignment(None, None, DEFAULT_STRATEGY, eligible)
