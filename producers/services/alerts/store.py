"""Reads and writes the rules; each statement is a file in `queries/`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries
from producers.services.alerts.model import Progress
from producers.services.alerts.rules import Rule, rule_of

SQL = load_queries(__file__)


async def lock_seller(tx: Transaction, seller_id: str) -> bool:
    """Let nobody else add something of a seller; return whether the seller may sell now."""
    approved: bool = await tx.sql.fetchval(SQL["lock_seller"], seller_id)
    return approved


async def forget_person(tx: Transaction, user_id: str) -> None:
    """Remove a person: nobody gets the mails of their rules and reports, and what they made stops."""
    await tx.sql.execute("SELECT forget_user($1::uuid)", user_id)


async def create_rule(tx: Transaction, row: Mapping[str, Any], limit: int) -> Rule | None:
    """Add a rule of a locked seller; return None if it has `limit` rules already.

    `row` has the columns that have no default. Its maker makes it now.
    """
    defaults = {"version": 1, "is_enabled": True, "state": "normal", "state_count": 0}
    content = {"made_at": tx.now, **defaults, **row}
    created = await tx.sql.fetchrow(SQL["create_rule"], content, row["seller_id"], limit)
    return None if created is None else rule_of(created)


async def find_rules(sql: Any, seller_id: str) -> list[Rule]:
    """Return the rules of a seller, the oldest first."""
    return [rule_of(row) for row in await sql.fetch(SQL["find_rules"], seller_id)]


async def lock_rule(tx: Transaction, seller_id: str, rule_id: str) -> Rule | None:
    """Lock and return a rule of a seller; None if it has no such rule."""
    row = await tx.sql.fetchrow(SQL["lock_rule"], seller_id, rule_id)
    return None if row is None else rule_of(row)


async def delete_rule(tx: Transaction, rule_id: str) -> None:
    """Delete a locked rule with its messages."""
    await tx.sql.execute(SQL["delete_rule"], rule_id)


async def change_rule(tx: Transaction, rule_id: str, row: Mapping[str, Any]) -> Rule:
    """Give a locked rule another content. It has no open alert then; what ends from now on is evaluated.

    `row` has the columns of the content, those of the target, and the person who changes it, its maker now.
    """
    changed = await tx.sql.fetchrow(SQL["change_rule"], rule_id, row, tx.now)
    return rule_of(changed)


async def pause_rule(tx: Transaction, rule_id: str, reason: str | None) -> None:
    """Stop a locked rule, which has no open alert afterwards. `reason` is given if no person paused it."""
    await tx.sql.execute(SQL["pause_rule"], rule_id, reason)


async def resume_rule(tx: Transaction, rule_id: str, maker: str) -> None:
    """Evaluate a locked rule again: what ends from now on. Whoever resumes it is its maker now."""
    await tx.sql.execute(SQL["resume_rule"], rule_id, tx.now, maker)


async def claim_rules(sql: Any, now: datetime, lease: timedelta, limit: int) -> list[tuple[Rule, bool]]:
    """Return at most `limit` rules that are due, each with whether its seller may sell now.

    Nobody else gets them until `lease` has passed.
    """
    rows = await sql.fetch(SQL["claim_rules"], now, lease, limit)
    return [(rule_of(row), row["is_approved"]) for row in rows]


async def save_evaluation(
    tx: Transaction,
    rule: Rule,
    progress: Progress,
    alert_id: str | None,
    value: float | None,
    evaluated_until: datetime,
    evaluate_at: datetime,
    is_message: bool,
) -> bool:
    """Save what an evaluation found; return False if the rule was changed or evaluated meanwhile."""
    saved = await tx.sql.fetchval(
        SQL["save_evaluation"],
        rule.rule_id,
        rule.version,
        rule.evaluated_until,
        progress.state,
        progress.count,
        alert_id,
        value,
        evaluated_until,
        evaluate_at,
        tx.now if is_message else None,
    )
    return saved is not None


async def postpone_evaluation(sql: Any, rule: Rule, evaluate_at: datetime, problem: str | None) -> None:
    """Evaluate a rule later; `problem` is why it could not be evaluated now."""
    await sql.execute(SQL["postpone_evaluation"], rule.rule_id, rule.version, evaluate_at, problem)


async def add_step(tx: Transaction, rule: Rule, alert_id: str, status: str) -> None:
    """Record that an alert fires, or is resolved."""
    await tx.sql.execute(SQL["add_step"], alert_id, status, tx.now, rule.seller_id, rule.rule_id)
