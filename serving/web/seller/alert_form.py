"""Reads the forms of the page of alerts into the requests of the service. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from clickhouse.metric_catalogue.definition import Metric, read_catalogue
from common.money import minor_digits
from serving.web.forms import BadField, Form
from serving.web.translation import N_, gettext

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
        "name": form.text("name"),
        "metric": metric.name,
        "product_id": form.optional("product_id"),
        "window": form.text("window"),
        "condition": condition,
        "severity": form.text("severity"),
        "fires_after": _whole(form, "fires_after", gettext("How many times in a row")),
        "resolves_after": _whole(
            form, "resolves_after", gettext("How many times in a row until it is resolved")
        ),
        "distance_minutes": _whole(form, "distance_minutes", gettext("The time between messages")),
        "quiet_hours": quiet if quiet["start"] else None,
        "timezone": form.optional("timezone"),
        "target": _target(form),
    }


def changed_rule_body(form: Form, currency: str) -> dict[str, Any]:
    """Return the request that changes a rule.

    Raises:
        BadField: a field can't be read, or the address or the URL is missing.
    """
    repeat = (
        _whole(form, "repeat_minutes", gettext("The time until it is sent again"))
        if form.text("repeat_minutes")
        else None
    )
    return rule_body(form, currency) | {
        "repeat_minutes": repeat,
        "target": _changed_target(form),
        "version": _whole(form, "version", gettext("The version")),
    }


def fields_of_rule(rule: Mapping[str, Any], currency: str) -> Form:
    """Return the form of a rule as it is: `changed_rule_body` of it changes nothing."""
    metric, condition, quiet = read_catalogue().get(rule["metric"]), rule["condition"], rule["quiet_hours"]

    def shown(value: float | None) -> str:
        return "" if value is None else _entered(metric, value, currency)

    is_threshold = condition["kind"] == "threshold"
    fields = {
        "form": "rule",
        "version": rule["version"],
        "name": rule["name"],
        "metric": rule["metric"],
        "window": rule["window"],
        "condition": f"{condition['kind']} {condition['direction']}",
        "value": shown(condition["value"] if is_threshold else condition["minimum"] or None),
        "clear_value": shown(condition["clear_value"]),
        "deviations": "" if condition["deviations"] is None else f"{condition['deviations']:g}",
        "severity": rule["severity"],
        "fires_after": rule["fires_after"],
        "resolves_after": rule["resolves_after"],
        "distance_minutes": rule["distance_minutes"],
        "repeat_minutes": rule["repeat_minutes"] or "",
        "product_id": rule["product_id"] or "",
        "quiet_start": quiet["start"] if quiet else "",
        "quiet_end": quiet["end"] if quiet else "",
        "timezone": rule["timezone"],
        "send_to": "unchanged",
    }
    return Form({name: [str(text)] for name, text in fields.items()})


def report_body(form: Form) -> dict[str, Any]:
    """Return the request of a report.

    Raises:
        BadField: no metric is chosen, or the hour is no number.
    """
    if not form.all("metric"):
        raise BadField(gettext("Tick at least one metric."))
    return {
        "name": form.text("name"),
        "period": form.text("period"),
        "metrics": list(form.all("metric")),
        "hour": _whole(form, "hour", gettext("The hour")),
        "timezone": form.optional("timezone"),
        "address": form.text("address"),
    }


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


def _whole(form: Form, name: str, what: str) -> int:
    number = form.number(name, what)
    if number != int(number):
        raise BadField(gettext("%(what)s must be a whole number.", what=what))
    return int(number)
