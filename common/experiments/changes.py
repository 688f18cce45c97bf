"""Starts and stops experiments and arms. Pure: each function returns the changed experiments."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from common.experiments.definition import Experiment
from common.experiments.reading import BadExperiment

Experiments = tuple[Experiment, ...]


def started(experiments: Sequence[Experiment], name: str, now: datetime) -> Experiments:
    """Return the experiments with one that starts now instead of later.

    Raises:
        BadExperiment: there is no such experiment, or it has started already.
    """

    def start(experiment: Experiment) -> Experiment:
        if experiment.start <= now:
            raise BadExperiment(f"experiment {name} has started already")
        return replace(experiment, start=now)

    return _changed(experiments, name, start)


def stopped(experiments: Sequence[Experiment], name: str, now: datetime) -> Experiments:
    """Return the experiments with one that stops now. One that has not started yet is removed.

    Raises:
        BadExperiment: there is no such experiment, or it has stopped already.
    """
    if any(each.name == name and each.start >= now for each in experiments):
        return tuple(each for each in experiments if each.name != name)

    def stop(experiment: Experiment) -> Experiment:
        if not experiment.is_running(now):
            raise BadExperiment(f"experiment {name} has stopped already")
        return replace(experiment, stop=now)

    return _changed(experiments, name, stop)


def arm_stopped(experiments: Sequence[Experiment], name: str, arm_name: str, now: datetime) -> Experiments:
    """Return the experiments with an arm that stops now: its visitors get the default strategy.

    Raises:
        BadExperiment: there is no such running experiment or arm, it is the control, or it has stopped
            already.
    """

    def stop(experiment: Experiment) -> Experiment:
        arm = next((arm for arm in experiment.arms if arm.name == arm_name), None)
        if arm is None or not experiment.is_running(now):
            raise BadExperiment(f"experiment {name} has no running arm {arm_name}")
        if arm == experiment.control:
            raise BadExperiment(f"arm {arm_name} is the control of {name}: stop the experiment instead")
        if not arm.is_live(now):
            raise BadExperiment(f"arm {arm_name} of {name} has stopped already")
        changed = replace(arm, stopped_at=now)
        return replace(experiment, arms=tuple(changed if each == arm else each for each in experiment.arms))

    return _changed(experiments, name, stop)


def _changed(
    experiments: Sequence[Experiment], name: str, change: Callable[[Experiment], Experiment]
) -> Experiments:
    if all(each.name != name for each in experiments):
        raise BadExperiment(f"there is no experiment {name}")
    return tuple(change(each) if each.name == name else each for each in experiments)
