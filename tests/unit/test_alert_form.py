"""The forms of the page of alerts: values in the units of the API, and what is missing."""

import pytest
from pydantic import TypeAdapter

from producers.alerts.schemas import ReportRequest, RuleRequest
from serving.web.forms import BadField, Form
from serving.web.seller.alert_form import report_body, rule_body

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
