"""The columns of a rule that a request names: its content, and where its messages go."""

from typing import Any

from producers.kit.encryption import seal
from producers.services.alerts.checks import find_mail_target
from producers.services.alerts.context import AlertsContext
from producers.services.alerts.problems import NoRecipient
from producers.services.alerts.rules import Target
from producers.services.alerts.schemas import EmailTarget, RuleRequest, WebhookTarget
from producers.services.alerts.webhook_signature import new_webhook_secret


def new_secret(body: RuleRequest) -> str | None:
    """Return a secret if a request names a new webhook; else None."""
    return new_webhook_secret() if isinstance(body.target, WebhookTarget) else None


async def new_target(
    context: AlertsContext, seller_id: str, rule_id: str, body: RuleRequest, secret: str | None
) -> dict[str, Any]:
    """Return the columns of a new target. `secret` is that of a webhook, which is encrypted.

    Raises: as `find_mail_target`.
    """
    columns: dict[str, Any] = {"target": body.target.kind}
    if isinstance(body.target, EmailTarget):
        return columns | await find_mail_target(context.peers, body.target.address, seller_id)
    if isinstance(body.target, WebhookTarget) and secret is not None:
        sealed = seal(context.secret_key, secret.encode(), rule_id)
        return columns | {"url": body.target.url, "sealed_secret": _bytea(sealed)}
    return columns


def same_target(target: Target) -> dict[str, Any]:
    """Return the columns of a target that stays as it is.

    Raises:
        NoRecipient: the person who got the mails has left.
    """
    if target.kind == "email" and target.person_id is None:
        raise NoRecipient
    sealed = target.sealed_secret
    return {
        "target": target.kind,
        "person_id": target.person_id,
        "address_hint": target.address_hint,
        "url": target.url,
        "sealed_secret": None if sealed is None else _bytea(sealed),
    }


def _bytea(content: bytes) -> str:
    return f"\\x{content.hex()}"


def content(body: RuleRequest, timezone: str) -> dict[str, Any]:
    """Return the columns of a rule that a person chooses, without those of its target."""
    quiet = body.quiet_hours
    return {
        "name": body.name,
        "metric": body.metric,
        "product_id": body.product_id,
        "window_length": body.window,
        "condition": body.condition.model_dump(),
        "severity": body.severity,
        "fires_after": body.fires_after,
        "resolves_after": body.resolves_after,
        "distance_minutes": body.distance_minutes,
        "repeat_minutes": body.repeat_minutes,
        "quiet_start": None if quiet is None else quiet.start,
        "quiet_end": None if quiet is None else quiet.end,
        "timezone": body.timezone or timezone,
    }
