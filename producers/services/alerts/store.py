"""The rules of sellers as they are stored, and how far they were evaluated."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from yarl import URL

from producers.kit.erasures import Erasure
from producers.kit.makers import Made
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.alerts.model import Condition, Progress, QuietHours
from producers.services.alerts.schemas import AlertRuleResponse, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(AlertRuleResponse):
    """A rule with what the API does not show. `alert_id` is that of the open alert."""

    seller_id: str
    maker: str | None
    made_at: datetime
    person_id: str | None
    """Who gets the mails."""
    url: str | None
    """Of the webhook, with the encrypted secret of its signatures."""
    sealed_secret: bytes | None
    state_count: int
    alert_id: str | None
    is_approved: bool | None = None
    """Whether the seller may sell now; None unless the rule was claimed."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Rule":
        """Return the rule of a row of the table `rules`."""
        columns = dict(row)
        start, end, url = columns["quiet_start"], columns["quiet_end"], columns["url"]
        columns |= {
            "window": columns["window_length"],
            "condition": Condition(**columns["condition"]),
            "quiet_hours": None if start is None else QuietHours(f"{start:%H:%M}", f"{end:%H:%M}"),
            "target": Target(columns["target"], columns["address_hint"], URL(url).host if url else None),
        }
        return cls(**{each.name: columns[each.name] for each in fields(cls) if each.name in columns})

    @property
    def made(self) -> Made:
        """Who made it, or changed or resumed it last."""
        return Made(self.maker, self.made_at, self.seller_id)

    @property
    def progress(self) -> Progress:
        """How far its alert is."""
        return Progress(self.state, self.state_count)


@statement("SELECT is_approved($seller_id::text) FROM lock_seller($seller_id::text)")
async def lock_seller(tx: Transaction, seller_id: str) -> bool:
    """Lock a seller, so that nobody else adds something of it; return whether it may sell now."""


@statement("SELECT forget_user($erased.user_id::uuid)")
async def forget_person(tx: Transaction, erased: Erasure) -> None:
    """Remove a person: nobody gets the mails of their rules and reports, and what they made stops."""


async def create_rule(tx: Transaction, row: Mapping[str, Any], limit: int) -> Rule | None:
    """Add a rule of a locked seller; return None if it has `limit` rules already.

    `row` has the columns that have no default. Its maker makes it now.
    """
    defaults = {"version": 1, "is_enabled": True, "state": "normal", "state_count": 0}
    return await _create_rule(tx, {"made_at": tx.now, **defaults, **row}, row["seller_id"], limit)


@statement("""
    INSERT INTO rules
    SELECT new_rule.*
    FROM jsonb_populate_record(NULL::rules, $row::jsonb) AS new_rule
    WHERE (SELECT count(*) FROM rules WHERE rules.seller_id = $seller_id::text) < $limit::integer
    RETURNING *
""")
async def _create_rule(tx: Transaction, row: Mapping[str, Any], seller_id: str, limit: int) -> Rule | None:
    """Insert a rule and return it; None if the seller has `limit` already."""


@statement("SELECT * FROM rules WHERE seller_id = $seller_id::text ORDER BY rule_id")
async def find_rules(sql: Any, seller_id: str) -> list[Rule]:
    """Return the rules of a seller, the oldest first."""


@statement("SELECT * FROM rules WHERE seller_id = $seller_id::text AND rule_id = $rule_id::uuid FOR UPDATE")
async def lock_rule(tx: Transaction, seller_id: str, rule_id: str) -> Rule | None:
    """Lock and return a rule of a seller; None if it has no such rule."""


@statement("DELETE FROM rules WHERE rule_id = $rule_id::uuid")
async def delete_rule(tx: Transaction, rule_id: str) -> None:
    """Delete a locked rule with its messages."""


@statement("""
    UPDATE rules
    SET
        name = changed.name,
        metric = changed.metric,
        product_id = changed.product_id,
        window_length = changed.window_length,
        condition = changed.condition,
        severity = changed.severity,
        fires_after = changed.fires_after,
        resolves_after = changed.resolves_after,
        distance_minutes = changed.distance_minutes,
        repeat_minutes = changed.repeat_minutes,
        quiet_start = changed.quiet_start,
        quiet_end = changed.quiet_end,
        timezone = changed.timezone,
        target = changed.target,
        person_id = changed.person_id,
        address_hint = changed.address_hint,
        url = changed.url,
        sealed_secret = changed.sealed_secret,
        version = rules.version + 1,
        state = 'normal',
        state_count = 0,
        alert_id = NULL,
        last_value = NULL,
        last_message_at = NULL,
        problem = NULL,
        maker = changed.maker,
        made_at = $tx.now::timestamptz,
        evaluate_at = $tx.now::timestamptz,
        evaluated_until = $tx.now
    FROM jsonb_populate_record(NULL::rules, $row::jsonb) AS changed
    WHERE rules.rule_id = $rule_id::uuid
    RETURNING rules.*
""")
async def change_rule(tx: Transaction, rule_id: str, row: Mapping[str, Any]) -> Rule:
    """Give a locked rule another content. It has no open alert then; what ends from now on is evaluated.

    `row` has the columns of the content, those of the target, and the person who changes it, its maker now.
    """


@statement("""
    UPDATE rules
    SET
        is_enabled = false,
        disabled_reason = $reason::text,
        version = version + 1,
        state = 'normal',
        state_count = 0,
        alert_id = NULL,
        problem = NULL
    WHERE rule_id = $rule_id::uuid
""")
async def pause_rule(tx: Transaction, rule_id: str, reason: str | None) -> None:
    """Stop a locked rule, which has no open alert afterwards. `reason` is given if no person paused it."""


@statement("""
    UPDATE rules
    SET
        is_enabled = true,
        disabled_reason = NULL,
        version = version + 1,
        evaluate_at = $tx.now::timestamptz,
        evaluated_until = $tx.now,
        maker = $maker::text,
        made_at = $tx.now
    WHERE rule_id = $rule_id::uuid
""")
async def resume_rule(tx: Transaction, rule_id: str, maker: str) -> None:
    """Evaluate a locked rule again: what ends from now on. Whoever resumes it is its maker now."""


@statement("""
    UPDATE rules
    SET evaluate_at = $now::timestamptz + $lease::interval
    WHERE rule_id IN (
        SELECT rule_id FROM rules
        WHERE is_enabled AND evaluate_at <= $now
        ORDER BY evaluate_at
        LIMIT $limit::integer
        FOR UPDATE SKIP LOCKED
    )
    RETURNING rules.*, is_approved(seller_id) AS is_approved
""")
async def claim_rules(sql: Any, now: datetime, lease: timedelta, limit: int) -> list[Rule]:
    """Return at most `limit` rules that are due. Nobody else gets them until `lease` has passed."""


@statement("""
    UPDATE rules
    SET
        state = $progress.state::text,
        state_count = $progress.count::integer,
        alert_id = $alert_id::uuid,
        last_value = $value::double precision,
        evaluated_until = $evaluated_until::timestamptz,
        evaluate_at = $evaluate_at::timestamptz,
        last_message_at = coalesce($message_at::timestamptz, last_message_at),
        problem = NULL
    WHERE rule_id = $rule.rule_id::uuid AND version = $rule.version::integer
        AND evaluated_until = $rule.evaluated_until::timestamptz
    RETURNING true
""")
async def save_evaluation(
    tx: Transaction,
    rule: Rule,
    progress: Progress,
    alert_id: str | None,
    value: float | None,
    evaluated_until: datetime,
    evaluate_at: datetime,
    message_at: datetime | None,
) -> bool:
    """Save what an evaluation found; return False if the rule was changed or evaluated meanwhile.

    `message_at` is None if it makes no message.
    """


@statement("""
    UPDATE rules SET evaluate_at = $evaluate_at::timestamptz, problem = $problem::text
        WHERE rule_id = $rule.rule_id::uuid AND version = $rule.version::integer
""")
async def postpone_evaluation(sql: Any, rule: Rule, evaluate_at: datetime, problem: str | None) -> None:
    """Evaluate a rule later; `problem` is why it could not be evaluated now."""


@statement("""
    INSERT INTO alert_steps (alert_id, status, occurred_at, seller_id, rule_id)
    VALUES ($alert_id::uuid, $status::text, $tx.now::timestamptz, $rule.seller_id::text, $rule.rule_id::uuid)
""")
async def add_step(tx: Transaction, rule: Rule, alert_id: str, status: str) -> None:
    """Record that an alert fires, or is resolved."""
