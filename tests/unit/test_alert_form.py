"""The forms of the page of alerts: values in the units of the API, and what is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from producers.services.alerts.schemas import ReportRequest, RuleChange, RuleRequest
from serving.web.forms import BadField, Form
from serving.web.seller.alert_form import changed_rule_body, fields_of_rule, report_body, rule_body

FIELDS = {
    "name": "Few", "metric": "net_sales", "window": "hour", "condition": "threshold below", "value": "12.50",
    "severity": "warning", "fires_after": "1", "resolves_after": "2", "distance_minutes": "60",
    "timezone": "America/Sao_Paulo",
}  # fmt: skip


def form(**changes):
    return Form({name: [text] for name, text in (FIELDS | changes).items()})


@pytest.mark.parametrize(
    ("metric", "entered", "value"),
    [
        ("net_sales", "12.50", 1250),
        ("return_rate", "5", 0.05),
        ("orders", "7", 7),
        ("review_score", "4.5", 4.5),
    ],
)
def test_a_value_is_entered_in_the_unit_that_people_read(metric, entered, value):
    body = rule_body(form(metric=metric, value=entered), "BRL")

    assert body["condition"] == {"kind": "threshold", "direction": "below", "value": value}
    TypeAdapter(RuleRequest).validate_python(body)


def test_the_value_of_a_change_against_the_usual_is_its_minimum():
    body = rule_body(form(condition="usual either", deviations="4", value="100"), "BRL")

    assert body["condition"] == {
        "kind": "usual", "direction": "either", "deviations": 4.0, "minimum": 10_000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({}, {"kind": "page"}),
        ({"address": "ana@shop.example"}, {"kind": "email", "address": "ana@shop.example"}),
        ({"url": "https://shop.example/"}, {"kind": "webhook", "url": "https://shop.example/"}),
    ],
)
def test_messages_go_where_the_form_says(fields, target):
    assert rule_body(form(**fields), "BRL")["target"] == target


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"metric": "profits"}, "metrics"),
        ({"condition": "sometimes"}, "fires"),
        ({"value": ""}, "Enter the value"),
        ({"value": "much"}, "The value"),
        ({"fires_after": "1.5"}, "whole number"),
        ({"quiet_start": "22:00"}, "both the start and the end"),
        ({"address": "a@b.example", "url": "https://b.example/"}, "not both"),
    ],
)
def test_what_can_not_be_read_is_said(changes, says):
    with pytest.raises(BadField, match=says):
        rule_body(form(**changes), "BRL")


def test_a_report_has_the_ticked_metrics():
    fields = {
        "name": ["M"],
        "period": ["day"],
        "hour": ["7"],
        "address": ["a@b.example"],
        "timezone": ["UTC"],
    }

    body = report_body(Form(fields | {"metric": ["orders", "units"]}))

    assert TypeAdapter(ReportRequest).validate_python(body).metrics == ["orders", "units"]
    with pytest.raises(BadField, match="at least one"):
        report_body(Form(fields))


def in_steps(metric, number):
    """Return a value of a metric that a person can enter: whole cents, hundredths of a percent, or tenths."""
    return {"net_sales": number, "return_rate": number / 10_000, "review_score": number / 10}[metric]


@given(
    metric=st.sampled_from(["net_sales", "return_rate", "review_score"]),
    value=st.integers(0, 10**9),
    clear=st.none() | st.integers(0, 10**9),
    is_usual=st.booleans(),
    repeat=st.none() | st.integers(60, 10_000),
    has_quiet_hours=st.booleans(),
)
def test_the_form_of_a_rule_that_is_sent_as_it_is_changes_nothing(
    metric, value, clear, is_usual, repeat, has_quiet_hours
):
    threshold = {
        "kind": "threshold", "direction": "below", "value": in_steps(metric, value),
        "clear_value": None if clear is None else in_steps(metric, value + clear), "deviations": None,
        "minimum": 0.0,
    }  # fmt: skip
    usual = {
        "kind": "usual", "direction": "either", "value": None, "clear_value": None, "deviations": 3.5,
        "minimum": in_steps(metric, value),
    }  # fmt: skip
    quiet = {"start": "22:00", "end": "07:00"} if has_quiet_hours else None
    rule = {
        "version": 7, "name": "Few", "metric": metric, "window": "day", "severity": "critical",
        "condition": usual if is_usual else threshold, "fires_after": 2, "resolves_after": 3,
        "distance_minutes": 60, "repeat_minutes": repeat, "product_id": None, "quiet_hours": quiet,
        "timezone": "America/Sao_Paulo",
    }  # fmt: skip

    body = changed_rule_body(fields_of_rule(rule, "BRL"), "BRL")

    change = TypeAdapter(RuleChange).validate_python(body)
    sent = change.model_dump(exclude={"target"})
    condition = {name: rule["condition"][name] for name in sent.pop("condition")}
    assert change.condition.model_dump() == pytest.approx(condition)
    assert sent == {name: rule[name] for name in sent}
    assert body["target"] == {"kind": "unchanged"}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"send_to": "email"}, "e-mail address"),
        ({"send_to": "webhook"}, "URL"),
        ({"send_to": "pigeon"}, "Choose where"),
        ({"send_to": "page", "version": "one"}, "version"),
    ],
)
def test_a_change_without_a_target_is_refused(fields, says):
    with pytest.raises(BadField, match=says):
        changed_rule_body(form(**({"version": "1"} | fields)), "BRL")
