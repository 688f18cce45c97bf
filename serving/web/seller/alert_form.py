"""Reads the forms of the page of alerts into the requests of the service. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from clickhouse.metric_catalogue.definition import Metric, read_catalogue
from common.money import minor_digits
from serving.web.forms import BadField, Form
from serving.web.service_calls import body_schema
from serving.web.translation import N_, gettext

RULES = "/v1/sellers/{seller_id}/alerts"
RULE = f"{RULES}/{{rule_id}}"
REPORTS = "/v1/sellers/{seller_id}/reports"

CONDITIONS: Mapping[str, str] = {
    "threshold above": N_("Above a value"),
    "threshold below": N_("Below a value"),
    "usual either": N_("Far from the usual of that hour and weekday"),
    "usual above": N_("Far above the usual"),
    "usual below": N_("Far below the usual"),
}

WINDOWS: Mapping[str, str] = {"hour": N_("Each hour"), "day": N_("Each day"), "week": N_("Each week")}

SEVERITIES: Mapping[str, str] = {"info": N_("Info"), "warning": N_("Warning"), "critical": N_("Critical")}

SEND_TO: Mapping[str, str] = {
    "unchanged": N_("As now"),
    "page": N_("Only this page"),
    "email": N_("An e-mail address"),
    "webhook": N_("A webhook"),
}
"""Where the messages of a changed alert go."""

REPORT_PERIODS: Mapping[str, str] = {
    "day": N_("Every day"),
    "week": N_("Every Monday"),
    "month": N_("Every month"),
}


def rule_body(form: Form, currency: str) -> dict[str, Any]:
    """Return the request of a rule. Values of metrics are entered in major units, or in percent.

    Raises:
        BadField: a field can't be read.
    """
    return form.body("POST", RULES, **_conditions(form, currency))


def _conditions(form: Form, currency: str, target: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the fields of a rule that the form has in other units, or in several fields."""
    metric = read_catalogue().get(form.text("metric"))
    if metric is None:
        raise BadField(gettext("Choose one of the metrics."))
    if form.text("condition") not in CONDITIONS:
        raise BadField(gettext("Choose when the alert fires."))
    kind, direction = form.text("condition").split()
    condition: dict[str, Any] = {"kind": kind, "direction": direction}
    if kind == "threshold":
        if not form.text("value"):
            raise BadField(gettext("Enter the value with which the metric is compared."))
        condition["value"] = metric_value(metric, form, "value", gettext("The value"), currency)
        if form.text("clear_value"):
            name = gettext("The value at which it is resolved")
            condition["clear_value"] = metric_value(metric, form, "clear_value", name, currency)
    else:
        if form.text("deviations"):
            condition["deviations"] = float(form.number("deviations", gettext("The number of deviations")))
        if form.text("value"):
            condition["minimum"] = metric_value(metric, form, "value", gettext("The value"), currency)
    quiet = {"start": form.text("quiet_start"), "end": form.text("quiet_end")}
    if bool(quiet["start"]) != bool(quiet["end"]):
        raise BadField(gettext("Enter both the start and the end of the quiet hours, or neither."))
    return {
        "condition": condition,
        "quiet_hours": quiet if quiet["start"] else None,
        "target": _target(form) if target is None else target,
    }


def changed_rule_body(form: Form, currency: str) -> dict[str, Any]:
    """Return the request that changes a rule.

    Raises:
        BadField: a field can't be read, or the address or the URL is missing.
    """
    version = form.whole("version", gettext("The version"))
    given = _conditions(form, currency, _changed_target(form))
    return form.body("PUT", RULE, version=version, **given)


def fields_of_rule(rule: Mapping[str, Any], currency: str) -> Form:
    """Return the form of a rule as it is: `changed_rule_body` of it changes nothing."""
    metric, condition, quiet = read_catalogue().get(rule["metric"]), rule["condition"], rule["quiet_hours"]

    def shown(value: float | None) -> str:
        return "" if value is None else _entered(metric, value, currency)

    is_threshold = condition["kind"] == "threshold"
    as_they_are = {name: rule[name] for name in body_schema("PUT", RULE) if name in rule}
    fields = as_they_are | {
        "form": "rule",
        "condition": f"{condition['kind']} {condition['direction']}",
        "value": shown(condition["value"] if is_threshold else condition["minimum"] or None),
        "clear_value": shown(condition["clear_value"]),
        "deviations": "" if condition["deviations"] is None else f"{condition['deviations']:g}",
        "quiet_start": quiet["start"] if quiet else "",
        "quiet_end": quiet["end"] if quiet else "",
        "send_to": "unchanged",
    }
    return Form({name: ["" if text is None else str(text)] for name, text in fields.items()})


def report_body(form: Form) -> dict[str, Any]:
    """Return the request of a report.

    Raises:
        BadField: no metric is chosen, or the hour is no number.
    """
    if not form.all("metric"):
        raise BadField(gettext("Tick at least one metric."))
    return form.body("POST", REPORTS, metrics=list(form.all("metric")))


def metric_value(metric: Metric, form: Form, name: str, what: str, currency: str) -> float:
    """Return a field as a value of a metric, in the unit of the API.

    Raises:
        BadField: the field is no such value.
    """
    if metric.unit == "money":
        return form.minor(name, what, currency) or 0
    number = form.number(name, what)
    return float(number / Decimal(100) if metric.unit == "share" else number)


def _entered(metric: Metric | None, value: float, currency: str) -> str:
    """Return a value of a metric as a person enters it: the inverse of `metric_value`."""
    number = Decimal(repr(value))
    if metric is not None and metric.unit == "money":
        number = number.scaleb(-minor_digits(currency))
    elif metric is not None and metric.unit == "share":
        number *= 100
    return f"{number.normalize():f}"


def _changed_target(form: Form) -> dict[str, str]:
    kind = form.text("send_to")
    if kind not in SEND_TO:
        raise BadField(gettext("Choose where the messages go."))
    if kind == "email":
        if not form.text("address"):
            raise BadField(gettext("Enter the e-mail address."))
        return {"kind": kind, "address": form.text("address")}
    if kind == "webhook":
        if not form.text("url"):
            raise BadField(gettext("Enter the URL of the webhook."))
        return {"kind": kind, "url": form.text("url")}
    return {"kind": kind}


def _target(form: Form) -> dict[str, str]:
    address, url = form.text("address"), form.text("url")
    if address and url:
        raise BadField(gettext("Enter an e-mail address or a URL, not both."))
    if address:
        return {"kind": "email", "address": address}
    return {"kind": "webhook", "url": url} if url else {"kind": "page"}
