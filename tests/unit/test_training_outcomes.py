"""What is recorded of a training that an error ended, and of how a training began."""

from datetime import UTC, datetime

import pytest

from common.errors import PartUnavailable, UserError
from common.training_runs import TrainingOutcome
from recommenders.training.child import start_of
from recommenders.training.limits import NoRoom
from recommenders.training.run import outcome_of
from recommenders.training.training_log import TrainingStart
from schemas.published_model.keys import RollBack

AT = datetime(2026, 11, 27, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (UserError("too few events"), "too_little"),
        (NoRoom("Redis is full"), "no_room"),
        (PartUnavailable("ClickHouse is away"), "failed"),
        (MemoryError(), "failed"),
        (ValueError("a bug"), "failed"),
        (KeyboardInterrupt(), "stopped"),
    ],
)
def test_an_error_has_its_outcome(error: BaseException, outcome: TrainingOutcome) -> None:
    assert outcome_of(error) == outcome


def test_a_training_is_passed_to_its_process_whole_and_without_one_a_person_started_it() -> None:
    start = TrainingStart("training-1", AT, "drift", "products: PSI 0.4")

    assert start_of([start.pack()]) == start
    assert start_of([]).trigger == "requested"


def test_a_roll_back_is_read_as_it_was_written_and_a_damaged_one_is_none() -> None:
    made = RollBack("v1", AT, "ana", "It sells less.")

    assert RollBack.unpack(made.pack()) == made
    for damaged in (b"", b"{}", b"[]", b"no JSON", made.pack()[:-5]):
        assert RollBack.unpack(damaged) is None
