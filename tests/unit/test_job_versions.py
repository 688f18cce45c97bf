"""The transitions of a job's versions, and which versions get slots."""

from dataclasses import replace

import pytest

from common.errors import UserError
from jobs.version_controller import allocate
from jobs.versions import (
    UNVERSIONED,
    VersionState,
    deleted,
    measured,
    proposed,
    started,
    switched,
    went_back,
    without_before,
)

LIVE = VersionState(live="one")


def complete(state: VersionState) -> VersionState:
    return measured(state, state.next, 0, is_complete=True)


def test_the_first_version_of_a_new_platform_is_live_at_once() -> None:
    assert started(VersionState(), "one").live == "one"
    assert started(LIVE, "two").live == "one"


def test_a_new_version_is_built_beside_the_live_one_and_switched_to_when_it_is_complete() -> None:
    state = proposed(LIVE, "two", is_automatic=True)
    assert (state.live, state.next, state.is_automatic) == ("one", "two", True)

    with pytest.raises(UserError, match="not complete"):
        switched(state, "two")

    state = switched(complete(state), "two")
    assert (state.live, state.next, state.before, dict(state.dropped)) == ("two", "", "one", {})


@pytest.mark.parametrize("version", ["one", "before"])
def test_a_version_that_is_fed_is_not_built_again(version: str) -> None:
    state = replace(LIVE, before="before")

    assert proposed(state, version, is_automatic=True) == state
    assert proposed(state, version, is_automatic=False) == state


def test_a_switch_drops_the_version_before_the_one_that_was_live() -> None:
    state = replace(LIVE, before="zero", next="two", is_complete=True)

    state = switched(state, "two")

    assert (state.live, state.before, list(state.dropped)) == ("two", "one", ["zero"])


def test_going_back_keeps_both_versions_and_is_not_undone_by_the_next_start() -> None:
    state = went_back(VersionState(live="two", before="one"))
    assert (state.live, state.before, state.left) == ("one", "two", ("two",))

    later = without_before(state)
    assert proposed(later, "two", is_automatic=True) == later
    assert proposed(later, "two", is_automatic=False).next == "two"

    again = switched(state, "two")
    assert (again.live, again.before, again.left) == ("two", "one", ())


def test_without_a_version_before_there_is_no_way_back() -> None:
    with pytest.raises(UserError, match="no version before"):
        went_back(LIVE)


def test_an_unknown_version_is_not_switched_to() -> None:
    with pytest.raises(UserError, match="no version other"):
        switched(LIVE, "other")


def test_a_second_proposal_replaces_the_first() -> None:
    state = proposed(proposed(LIVE, "two", is_automatic=True), "three", is_automatic=False)

    assert (state.next, state.is_automatic, list(state.dropped)) == ("three", False, ["two"])


def test_a_version_that_is_proposed_again_keeps_its_keys_and_its_progress() -> None:
    state = measured(proposed(LIVE, "two", is_automatic=True), "two", 7, is_complete=False)

    assert proposed(state, "two", is_automatic=True) == state
    assert not proposed(state, "two", is_automatic=False).is_automatic


def test_keys_without_a_prefix_are_dropped_by_the_first_switch() -> None:
    state = switched(complete(proposed(VersionState(), "one", is_automatic=True)), "one")
    assert (state.live, state.before, list(state.dropped)) == ("one", "", [UNVERSIONED])

    assert deleted(state, UNVERSIONED).dropped == {}


def test_a_measurement_of_a_replaced_version_is_ignored() -> None:
    state = proposed(LIVE, "three", is_automatic=True)

    assert measured(state, "two", 0, is_complete=True) == state


def test_versions_that_are_built_get_slots_before_those_that_were_live() -> None:
    building, fed = replace(LIVE, next="two"), replace(LIVE, before="zero", switched_at=1)
    newer = replace(fed, switched_at=2)

    assert allocate({"a": building, "b": fed}, free=2) == allocate({"b": fed, "a": building}, free=2)
    assert allocate({"a": building, "b": fed}, free=1).befores == ()
    assert allocate({"a": fed, "b": newer}, free=1).befores == ("b",)
    assert allocate({"a": building, "b": building}, free=1).nexts == ("a",)
    assert allocate({"a": building, "b": fed}, free=-1).nexts == ()
