"""The page of experiments with real commerce services: define, stop, and what is refused."""

from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from common.configuration.definitions import EXPERIMENTS
from tests.integration.serving.conftest import Office
from tests.integration.serving.visits import ADMIN

FORM = {
    "form": "define",
    "name": "blend_home",
    "surface": "home",
    "strategy": "live",
    "share": "50",
    "max_loss": "5",
    "start": "",
    "stop": "",
    "reason": "What does the trained model add?",
}
REASON = {"form": "stop", "reason": "Enough is known."}


@pytest.fixture
def http(office: Office) -> Iterator[httpx.Client]:
    """A client of an administrator. There is no experiment before and after."""
    with office.http(ADMIN) as http:
        _clear(http)
        yield http
        _clear(http)


def _clear(http: httpx.Client) -> None:
    body = {"value": "[]", "reason": "A test."}
    http.put(f"/v1/settings/{EXPERIMENTS.name}", json=body).raise_for_status()


def setting(http: httpx.Client) -> dict[str, Any]:
    found: list[dict[str, Any]] = http.get("/v1/settings").raise_for_status().json()
    return next(each for each in found if each["name"] == EXPERIMENTS.name)


def defined(http: httpx.Client) -> list[dict[str, Any]]:
    experiments: list[dict[str, Any]] = orjson.loads(setting(http)["value"])
    return experiments


def test_an_experiment_is_defined_with_author_and_reason(http: httpx.Client) -> None:
    answer = http.post("/admin/experiments", data=FORM)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/admin/experiments?done=experiment_defined",
    )
    (experiment,) = defined(http)
    assert [(arm["strategy"], arm["share"]) for arm in experiment["arms"]] == [
        ("blend", 0.25),
        ("live", 0.25),
    ]
    assert {each["metric"]: each["max_loss"] for each in experiment["guardrails"]} == {
        "conversion": 0.05,
        "revenue": 0.05,
    }
    newest = setting(http)
    assert (newest["author"], newest["reason"]) == (ADMIN.subject, FORM["reason"])
    page = http.get("/admin/experiments").text
    assert "blend_home" in page
    assert "Running" in page


def test_an_experiment_and_an_arm_are_stopped(http: httpx.Client) -> None:
    http.post("/admin/experiments", data=FORM)
    arm = http.post("/admin/experiments/blend_home/arms/live/stop", data=REASON)
    assert arm.status_code == 303
    assert [each["stopped_at"] is None for each in defined(http)[0]["arms"]] == [True, False]
    whole = http.post("/admin/experiments/blend_home/stop", data=REASON)
    assert whole.status_code == 303
    assert defined(http)[0]["stop"] is not None
    again = http.post("/admin/experiments/blend_home/stop", data=REASON)
    assert again.status_code == 422
    assert "has stopped already" in again.text


def test_a_later_experiment_starts_now_or_is_removed(http: httpx.Client) -> None:
    later = FORM | {"start": "2099-01-01"}
    http.post("/admin/experiments", data=later)
    assert "Scheduled" in http.get("/admin/experiments").text
    assert http.post("/admin/experiments/blend_home/start", data=REASON).status_code == 303
    assert defined(http)[0]["start"] < "2099"
    http.post("/admin/experiments", data=later | {"name": "other", "surface": "cart"})
    http.post("/admin/experiments/other/stop", data=REASON)
    assert [each["name"] for each in defined(http)] == ["blend_home"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": "120"}, "must be a percentage above 0 and up to 100"),
        ({"share": "half"}, "must be a number"),
        ({"name": "Blend Home"}, "lower-case letters"),
        ({"strategy": "best"}, "must be one of live, trained, blend, popular"),
        ({"stop": "2001-01-01"}, "it stops at"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_form_that_can_not_be_used_is_shown_again_with_the_reason(
    http: httpx.Client, changes: dict[str, str], message: str
) -> None:
    answer = http.post("/admin/experiments", data=FORM | changes)
    assert answer.status_code == 422
    assert message in answer.text
    assert defined(http) == []


def test_a_second_experiment_on_the_same_page_is_refused(http: httpx.Client) -> None:
    http.post("/admin/experiments", data=FORM)
    answer = http.post("/admin/experiments", data=FORM | {"name": "second"})
    assert answer.status_code == 422
    assert "would run on one surface at the same time" in answer.text
    assert len(defined(http)) == 1
