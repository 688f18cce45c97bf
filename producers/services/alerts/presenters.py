"""Shapes rules into the API's responses. Pure."""

from datetime import timedelta

from yarl import URL

from producers.services.alerts.quiet_hours import QuietHours
from producers.services.alerts.rules import Rule
from producers.services.alerts.schemas import AlertRuleResponse, QuietHoursResponse


def present_rule(rule: Rule) -> AlertRuleResponse:
    """Return a rule as the API shows it: without the secret, and without the path of a webhook's URL."""
    condition, quiet, repeat = rule.condition, rule.quiet, rule.repeat_after
    return {
        "rule_id": rule.rule_id,
        "version": rule.version,
        "name": rule.name,
        "metric": rule.metric,
        "product_id": rule.product_id,
        "window": rule.window,
        "condition": {
            "kind": condition.kind,
            "direction": condition.direction,
            "value": condition.value,
            "clear_value": condition.clear_value,
            "deviations": condition.deviations,
            "minimum": condition.minimum,
        },
        "severity": rule.severity,
        "fires_after": rule.fires_after,
        "resolves_after": rule.resolves_after,
        "distance_minutes": _minutes(rule.distance),
        "repeat_minutes": None if repeat is None else _minutes(repeat),
        "quiet_hours": None if quiet is None else _quiet_hours(quiet),
        "timezone": rule.timezone,
        "target": {
            "kind": rule.target.kind,
            "address_hint": rule.target.address_hint,
            "host": URL(rule.target.url).host if rule.target.url else None,
        },
        "is_enabled": rule.is_enabled,
        "disabled_reason": rule.disabled_reason,
        "created_at": rule.created_at,
        "state": rule.progress.state,
        "last_value": rule.last_value,
        "evaluated_until": rule.evaluated_until,
        "last_message_at": rule.last_message_at,
        "problem": rule.problem,
    }


def _quiet_hours(quiet: QuietHours) -> QuietHoursResponse:
    return {"start": f"{quiet.start:%H:%M}", "end": f"{quiet.end:%H:%M}"}


def _minutes(duration: timedelta) -> int:
    return duration // timedelta(minutes=1)
