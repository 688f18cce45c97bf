"""Definitions of experiments: what is read, and what is refused with which words."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from common.experiments.reading import BadExperiment, read_experiments, write_experiments

MOMENT = datetime(2026, 12, 1, tzinfo=UTC)


def definition(**changes: Any) -> dict[str, Any]:
    return {
        "name": "blend_home",
        "surface": "home",
        "unit": "visitor",
        "salt": "1",
        "start": "2026-12-01T00:00:00Z",
        "stop": None,
        "arms": [
            {"name": "live", "strategy": "live", "share": 0.5},
            {"name": "blend", "strategy": "blend", "share": 0.5},
        ],
        "guardrails": [{"metric": "conversion", "max_loss": 0.1}],
    } | changes


def read(*definitions: dict[str, Any]) -> Any:
    return read_experiments(orjson.dumps(definitions).decode())


def test_a_definition_is_read_whole() -> None:
    (experiment,) = read(definition())
    assert (experiment.name, experiment.start, experiment.stop) == ("blend_home", MOMENT, None)
    assert [(arm.name, arm.strategy, arm.share) for arm in experiment.arms] == [
        ("live", "live", 0.5),
        ("blend", "blend", 0.5),
    ]
    assert experiment.control.name == "live"
    assert experiment.guardrails[0].max_loss == 0.1


def test_what_is_written_reads_the_same() -> None:
    experiments = read(
        definition(),
        definition(name="cart", surface="cart", start="2026-12-01T01:00:00+01:00", guardrails=[]),
    )
    text = write_experiments(experiments)
    assert read_experiments(text) == experiments
    assert write_experiments(read_experiments(text)) == text


def test_experiments_may_follow_each_other_on_a_surface() -> None:
    first = definition(stop="2026-12-08T00:00:00Z")
    assert len(read(first, definition(name="next", start="2026-12-08T00:00:00Z"))) == 2


ARM = {"name": "live", "strategy": "live", "share": 0.5}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": [ARM, {**ARM, "name": "b", "share": 0.6}]}, "add up to 1.1; they may not exceed 1"),
        ({"arms": [ARM, {**ARM, "name": "b", "strategy": "best"}]}, "strategy must be one of live, trained"),
        ({"arms": [ARM, ARM]}, "arm live is defined twice"),
        ({"arms": [ARM]}, "needs two arms or more"),
        ({"arms": [ARM, {**ARM, "name": "b", "share": 0}]}, "share must be a number from 0.001 to 1"),
        ({"arms": [ARM, {**ARM, "name": "b", "share": float("nan")}]}, "share must be a number"),
        ({"arms": "both"}, "arms must be a JSON list"),
        ({"stop": "2026-11-30T00:00:00Z"}, "stops at 2026-11-30"),
        ({"start": "tomorrow"}, "start must be a time with its zone"),
        ({"start": "2026-12-01T00:00:00"}, "start must be a time with its zone"),
        ({"surface": "checkout"}, "surface must be one of home, product, cart, all"),
        ({"surface": ["home"]}, "surface must be one of"),
        ({"name": "Blend"}, "lower-case letters"),
        ({"name": "holdout"}, "permanent hold-out"),
        ({"salt": ""}, "salt must be a text"),
        ({"guardrails": [{"metric": "happiness", "max_loss": 0.1}]}, "metric of a guardrail must be one of"),
        ({"guardrails": [{"metric": "revenue", "max_loss": 2}]}, "max_loss of revenue must be a number"),
        ({"owner": "me"}, "unknown field owner"),
    ],
)
def test_a_bad_definition_is_refused_with_what_to_change(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadExperiment, match=message):
        read(definition(**changes))


@pytest.mark.parametrize("surface", ["home", "all"])
def test_two_experiments_of_a_surface_at_one_time_are_refused(surface: str) -> None:
    with pytest.raises(BadExperiment, match="blend_home and other would run on one surface at the same time"):
        read(definition(), definition(name="other", surface=surface, start="2027-01-01T00:00:00Z"))


@pytest.mark.parametrize("text", ["", "{}", "[1]", "[", '"[]"'])
def test_a_text_that_is_no_list_of_definitions_is_refused(text: str) -> None:
    with pytest.raises(BadExperiment):
        read_experiments(text)
