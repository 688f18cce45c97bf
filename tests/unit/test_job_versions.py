"""The transitions of a job's versions, and which versions get slots."""

from dataclasses import replace

import pytest

from common.errors import UserError
from jobs.version_controller import Allocation, allocate
from jobs.versions import (
    UNVERSIONED,
    VersionState,
    deleted,
    discarded,
    dropped_orphans,
    measured,
    proposed,
    proposed_by_checkout,
    restarted,
    started,
    switched,
    switched_if_due,
    went_back,
    with_problem,
    without_before,
)

LIVE = VersionState(live="one")
BUILDING = proposed_by_checkout(LIVE, "two")


def complete(state: VersionState) -> VersionState:
    return measured(state, state.next, 0, is_complete=True)


def test_the_first_version_of_a_new_platform_is_live_at_once() -> None:
    assert started(VersionState(), "one").live == "one"
    assert started(LIVE, "two").live == "one"


def test_a_new_version_is_built_beside_the_live_one_and_switched_to_when_it_is_complete() -> None:
    assert (BUILDING.live, BUILDING.next) == ("one", "two")
    assert switched_if_due(BUILDING) == BUILDING
    with pytest.raises(UserError, match="not complete"):
        switched(BUILDING, "two")

    state = switched_if_due(complete(BUILDING))

    assert (state.live, state.next, state.before, dict(state.dropped)) == ("two", "", "one", {})


def test_a_version_that_was_requested_is_switched_to_by_hand_only() -> None:
    state = complete(proposed(LIVE, "two"))

    assert switched_if_due(state) == state
    assert switched(state, "two").live == "two"


def test_a_complete_version_that_does_not_run_is_not_switched_to() -> None:
    state = with_problem(complete(BUILDING), "two", "no slot")

    assert switched_if_due(state) == state
    with pytest.raises(UserError, match="not complete"):
        switched(state, "two")


@pytest.mark.parametrize("version", ["one", "before"])
def test_a_requested_version_that_is_fed_is_not_built_again(version: str) -> None:
    state = replace(LIVE, before="before")

    assert proposed(state, version) == state


def test_starting_the_checkout_of_the_version_before_switches_to_it_at_once() -> None:
    state = proposed_by_checkout(replace(LIVE, before="before"), "before")

    assert (state.live, state.before) == ("before", "one")


def test_starting_the_checkout_of_the_live_version_gives_up_an_automatic_build() -> None:
    assert proposed_by_checkout(BUILDING, "one").next == ""
    assert list(proposed_by_checkout(BUILDING, "one").dropped) == ["two"]

    requested = proposed(LIVE, "two")
    assert proposed_by_checkout(requested, "one") == requested


def test_a_build_that_somebody_watched_is_automatic_again_after_the_next_start() -> None:
    assert proposed_by_checkout(proposed(BUILDING, "two"), "two") == BUILDING


def test_a_switch_drops_the_version_before_the_one_that_was_live() -> None:
    state = switched(replace(LIVE, before="zero", next="two", is_complete=True), "two")

    assert (state.live, state.before, list(state.dropped)) == ("two", "one", ["zero"])


@pytest.mark.parametrize("go_back", [went_back, lambda state: switched(state, "one")])
def test_going_back_keeps_both_versions_and_is_not_undone_by_a_start(go_back) -> None:  # type: ignore[no-untyped-def]
    state = go_back(VersionState(live="two", before="one"))
    assert (state.live, state.before, state.abandoned) == ("one", "two", ("two",))
    assert proposed_by_checkout(state, "two") == state

    later = deleted(without_before(state, "two"), "two")
    assert proposed_by_checkout(later, "two") == later
    assert proposed(later, "two").next == "two"

    again = switched(state, "two")
    assert (again.live, again.before, again.abandoned) == ("two", "one", ("one",))


def test_without_a_version_before_there_is_no_way_back() -> None:
    with pytest.raises(UserError, match="no version before"):
        went_back(LIVE)


def test_an_unknown_version_is_not_switched_to() -> None:
    with pytest.raises(UserError, match="no version other"):
        switched(LIVE, "other")


def test_a_second_proposal_replaces_the_first() -> None:
    state = proposed(BUILDING, "three")

    assert (state.next, state.is_automatic, list(state.dropped)) == ("three", False, ["two"])


def test_a_version_that_is_proposed_again_keeps_its_progress() -> None:
    state = measured(BUILDING, "two", 7, is_complete=False)

    assert proposed_by_checkout(state, "two") == state


def test_a_build_that_starts_over_is_deleted_first() -> None:
    state = restarted(complete(BUILDING), "two")

    assert (state.next, state.is_complete, state.behind, list(state.dropped)) == ("two", False, None, ["two"])
    assert restarted(BUILDING, "other") == BUILDING


def test_a_discarded_build_is_dropped() -> None:
    state = discarded(complete(BUILDING))

    assert (state.live, state.next, state.is_complete, list(state.dropped)) == ("one", "", False, ["two"])


def test_keys_without_a_prefix_are_dropped_by_the_first_switch() -> None:
    state = switched_if_due(complete(proposed_by_checkout(VersionState(), "one")))
    assert (state.live, state.before, list(state.dropped)) == ("one", "", [UNVERSIONED])

    assert deleted(state, UNVERSIONED).dropped == {}


def test_changes_of_a_version_that_was_replaced_meanwhile_are_ignored() -> None:
    state = proposed(BUILDING, "three")

    assert measured(state, "two", 0, is_complete=True) == state
    assert with_problem(state, "two", "no slot") == state
    assert without_before(replace(state, before="zero"), "other").before == "zero"


def test_stored_versions_that_the_state_does_not_know_are_dropped() -> None:
    state = dropped_orphans(replace(BUILDING, before="zero"), {"zero", "one", "two", "lost"})

    assert list(state.dropped) == ["lost"]


def test_versions_that_are_built_get_slots_before_those_that_were_live() -> None:
    fed = replace(LIVE, before="zero", switched_at=1)
    newer = replace(fed, switched_at=2)

    assert allocate({"a": BUILDING, "b": fed}, free=2) == Allocation(("a",), ("b",))
    assert allocate({"a": BUILDING, "b": fed}, free=1) == Allocation(("a",), ())
    assert allocate({"a": fed, "b": newer}, free=1) == Allocation((), ("b",))
    assert allocate({"a": BUILDING, "b": BUILDING}, free=1) == Allocation(("a",), ())
    assert allocate({"a": BUILDING, "b": fed}, free=-1) == Allocation((), ())
