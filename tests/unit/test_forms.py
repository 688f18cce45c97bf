"""The fields of the pages' forms, and what the administration makes of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from serving.web import forms
from serving.web.admin.commission import rule_states
from serving.web.admin.dead_letters import selected
from serving.web.admin.settings import read_value
from serving.web.forms import BadField, Form

NOW = datetime(2026, 11, 26, tzinfo=UTC)
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def form(**fields: str | list[str]) -> Form:
    return Form({name: [each] if isinstance(each, str) else each for name, each in fields.items()})


def test_blanks_around_a_text_and_carriage_returns_do_not_count() -> None:
    assert form(reason="  two\r\nlines ").text("reason") == "two\nlines"
    assert form(reason="  ").optional("reason") is None
    assert Form().text("reason") == ""


def test_fields_belong_to_the_form_into_which_they_were_entered() -> None:
    sent = form(form="refuse-1", reason="No.")
    assert sent.of("refuse-1").text("reason") == "No."
    assert sent.of("refuse-2").text("reason") == ""


@pytest.mark.parametrize(
    ("text", "points"), [("12.5", 1250), ("0", 0), ("100", 10_000), ("7.25", 725), ("", None)]
)
def test_a_percentage_becomes_basis_points(text: str, points: int | None) -> None:
    assert form(rate=text).basis_points("rate", "The rate") == points


@pytest.mark.parametrize("text", ["-1", "100.01", "1.234", "many", "nan", "inf", "1e999999", "1_0 %"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(BadField, match="The rate must be"):
        form(rate=text).basis_points("rate", "The rate")


def test_an_amount_becomes_minor_units_of_its_currency() -> None:
    assert form(least="1.50").minor("least", "The minimum", "BRL") == 150
    assert form(least="150").minor("least", "The minimum", "JPY") == 150
    with pytest.raises(BadField, match="an amount in BRL"):
        form(least="1.505").minor("least", "The minimum", "BRL")


def test_a_day_begins_at_midnight_of_the_shop() -> None:
    begin = form(day="2026-11-26").midnight("day", "The day", SAO_PAULO)
    assert begin == datetime(2026, 11, 26, 3, tzinfo=UTC)
    with pytest.raises(BadField, match="The day must be a day"):
        form(day="26.11.2026").midnight("day", "The day", SAO_PAULO)


PROFILE = ("PATCH", "/v1/sellers/{seller_id}/profile")
RULE = ("POST", "/v1/commission_rules")


def test_a_form_becomes_the_body_that_the_route_takes() -> None:
    sent = form(form="profile", city=" Recife ", phone="", country="Germany", unknown="1")
    assert sent.body(*PROFILE, name="Ana") == {
        "name": "Ana",
        "city": "Recife",
        "phone": None,
        "country": "DE",
    }


def test_an_empty_field_is_left_out_if_it_can_not_be_null() -> None:
    sent = form(category="", rate_bp="", reason="")
    assert sent.body(*RULE) == {"category": None, "reason": ""}


@pytest.mark.parametrize(("chosen", "value"), [("true", True), ("false", False), ("", None)])
def test_a_boolean_that_may_be_null_is_a_choice(
    chosen: str, value: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = {"type": "boolean", "nullable": True, "required": False}
    monkeypatch.setattr(forms, "body_schema", lambda *_: {"wanted": schema})
    assert form(wanted=chosen).body(*RULE) == {"wanted": value}


def test_a_field_that_is_no_whole_number_is_refused() -> None:
    assert form(version="3", reason="r").body("POST", "/v1/settings/{name}/rollback")["version"] == 3
    with pytest.raises(BadField, match="The version must be a whole number"):
        form(version="3.5").body("POST", "/v1/settings/{name}/rollback")


def test_a_checkbox_that_is_not_ticked_is_false() -> None:
    path = "/v1/me/recommendation_mails"
    assert form(wanted="on").body("PUT", path) == {"wanted": True}
    assert form().body("PUT", path) == {"wanted": False}


def test_a_route_that_no_service_has_is_an_error() -> None:
    with pytest.raises(LookupError):
        form().body("POST", "/v1/nothing")


def test_the_limits_of_a_field_are_those_of_the_route() -> None:
    entered = Form(routes={"profile": PROFILE, "add": RULE})
    email = entered.limits("profile", "contact_email")
    assert (email["required"], email["maxLength"]) == (False, 254)
    assert entered.limits("add", "reason")["required"]
    assert (entered.limits("add", "rate"), entered.limits("other", "reason")) == ({}, {})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("number", "12", 12),
        ("number", "0.5", 0.5),
        ("rollout", "100", 100),
        ("text", "12", "12"),
        ("text", "", ""),
    ],
)
def test_a_value_has_the_type_of_its_setting(kind: str, text: str, value: object) -> None:
    read = read_value(form(value=text), kind)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(("kind", "text"), [("boolean", "yes"), ("number", ""), ("rollout", "half")])
def test_a_value_of_another_type_is_refused(kind: str, text: str) -> None:
    with pytest.raises(BadField):
        read_value(form(value=text), kind)


def test_the_ticked_offsets_are_selected() -> None:
    assert selected(form(offset=["7", "12"])) == {7, 12}
    assert selected(form(all="1", offset=["7"])) is None


@pytest.mark.parametrize("offsets", [[], ["x"], ["-1"], ["7", "²"], ["9" * 40]])
def test_offsets_that_are_missing_or_no_numbers_are_refused(offsets: list[str]) -> None:
    with pytest.raises(BadField):
        selected(form(offset=offsets))


def rule(rule_id: str, days: int, seller_id: str | None = None) -> dict[str, Any]:
    valid_from = (NOW + timedelta(days=days)).isoformat()
    return {"rule_id": rule_id, "seller_id": seller_id, "category": None, "valid_from": valid_from}


def test_the_newest_valid_rule_of_each_scope_is_in_force() -> None:
    rules = [
        rule("later", 5),
        rule("back-dated", -9),
        rule("second", -1),
        rule("own", -3, "ana"),
        rule("first", -5),
    ]
    assert rule_states(rules, NOW) == {
        "later": "announced",
        "back-dated": "superseded",
        "second": "in force",
        "own": "in force",
        "first": "superseded",
    }


def test_of_two_rules_from_the_same_moment_the_one_added_later_is_in_force() -> None:
    assert rule_states([rule("later", -1), rule("earlier", -1)], NOW) == {
        "later": "in force",
        "earlier": "superseded",
    }
