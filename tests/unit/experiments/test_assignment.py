"""Which arm a unit gets: stable, salted, in the promised shares, and with a permanent hold-out."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.experiments.assignment import arm_of, assign, is_held_out, unit_position
from common.experiments.definition import DEFAULT_STRATEGY, Arm, Experiment

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
START = NOW - timedelta(days=1)
EXPERIMENT = Experiment(
    "blend_home", "home", "visitor", "1", START, None, (Arm("a", "live", 0.2), Arm("b", "popular", 0.3))
)
UNITS = [f"visitor-{number}" for number in range(20_000)]


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_position_is_that_of_planout(salt: str, unit: str) -> None:
    digest = sha1(f"blend_home.{salt}.{unit}".encode()).hexdigest()
    assert unit_position("blend_home", salt, unit) == int(digest[:15], 16) / 0xFFFFFFFFFFFFFFF


def test_arms_have_their_shares_and_the_rest_takes_no_part() -> None:
    arms = [arm_of(EXPERIMENT, unit) for unit in UNITS]
    shares = {name: sum(arm is not None and arm.name == name for arm in arms) / len(UNITS) for name in "ab"}
    assert shares["a"] == pytest.approx(0.2, abs=0.01)
    assert shares["b"] == pytest.approx(0.3, abs=0.01)
    assert sum(arm is None for arm in arms) / len(UNITS) == pytest.approx(0.5, abs=0.012)


def test_another_salt_assigns_anew_and_independently() -> None:
    other = replace(EXPERIMENT, salt="2")
    in_a = [unit for unit in UNITS if (arm := arm_of(EXPERIMENT, unit)) and arm.name == "a"]
    again = sum((arm := arm_of(other, unit)) is not None and arm.name == "a" for unit in in_a)
    assert again / len(in_a) == pytest.approx(0.2, abs=0.025)


def test_the_hold_out_is_permanent_and_takes_part_in_no_experiment() -> None:
    held_out = [unit for unit in UNITS if is_held_out(unit, 0.02)]
    assert len(held_out) / len(UNITS) == pytest.approx(0.02, abs=0.003)
    for experiments in ((), (EXPERIMENT,)):
        for surface in ("home", "cart"):
            found = {assign(experiments, 0.02, unit, surface, NOW).strategy for unit in held_out}
            assert found == {"popular"}


def test_a_larger_hold_out_includes_the_smaller_one() -> None:
    small, large = ({unit for unit in UNITS if is_held_out(unit, share)} for share in (0.02, 0.05))
    assert small < large


def test_units_are_assigned_only_on_the_surface_and_while_it_runs() -> None:
    unit = next(unit for unit in UNITS if (arm := arm_of(EXPERIMENT, unit)) and arm.name == "b")
    running = assign([EXPERIMENT], 0.0, unit, "home", NOW)
    assert (running.experiment, running.arm, running.strategy) == ("blend_home", "b", "popular")
    assert running.propensity == pytest.approx(0.3)
    assert assign([EXPERIMENT], 0.0, unit, "cart", NOW).experiment is None
    assert assign([EXPERIMENT], 0.0, unit, "home", START - timedelta(seconds=1)).experiment is None
    stopped = replace(EXPERIMENT, stop=NOW)
    assert assign([stopped], 0.0, unit, "home", NOW).experiment is None
    assert assign([replace(EXPERIMENT, surface="all")], 0.0, unit, "cart", NOW).arm == "b"


def test_a_stopped_arm_moves_its_own_units_only() -> None:
    stopped = replace(EXPERIMENT, arms=(replace(EXPERIMENT.arms[0], stopped_at=NOW), EXPERIMENT.arms[1]))
    for unit in UNITS[:2_000]:
        before, after = (assign([each], 0.0, unit, "home", NOW) for each in (EXPERIMENT, stopped))
        if before.arm == "a":
            assert (after.experiment, after.strategy) == (None, DEFAULT_STRATEGY)
        else:
            assert (after.experiment, after.arm, after.strategy) == (
                before.experiment,
                before.arm,
                before.strategy,
            )


def test_every_assignment_has_the_share_of_the_units_that_get_it() -> None:
    """Of the units outside the hold-out, half are in no arm; once arm `a` is stopped, seven tenths are."""
    stopped = replace(EXPERIMENT, arms=(replace(EXPERIMENT.arms[0], stopped_at=NOW), EXPERIMENT.arms[1]))
    for experiment in (EXPERIMENT, stopped):
        found = Counter(assign([experiment], 0.1, unit, "home", NOW) for unit in UNITS)
        assert sum(assignment.propensity for assignment in found) == pytest.approx(1.0)
        for assignment, count in found.items():
            assert count / len(UNITS) == pytest.approx(assignment.propensity, abs=0.012), assignment
