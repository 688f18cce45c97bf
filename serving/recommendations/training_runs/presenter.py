"""Makes responses about trainings from rows of ClickHouse, and the cursor of their pages. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from common.clock import from_millis, to_millis
from common.cursor import BadCursor, decode_cursor, encode_cursor, moment_of
from serving.kit import training_runs as schemas
from serving.kit.clickhouse import Row
from serving.kit.response_types import ConfidenceInterval
from serving.recommendations.training_runs.model_switch import ServedVersions

LONGEST = timedelta(days=1)
"""A training that has run for longer was killed, and nothing recorded its end."""


def training_cursor(last: schemas.Training) -> str:
    """Return the cursor of the page that follows this training."""
    return encode_cursor(to_millis(last["started_at"]), last["training_id"])


def read_training_cursor(cursor: str) -> tuple[datetime, str]:
    """Return when the last training of the previous page began, and its id.

    Raises:
        BadCursor: the text is not a cursor of this list.
    """
    millis, training_id = decode_cursor(cursor, (int, str))
    if not training_id:
        raise BadCursor
    return moment_of(millis), str(training_id)


def live_model(versions: ServedVersions) -> schemas.LiveModel:
    """Return the names of the versions as in responses."""
    found = versions.rolled_back
    rolled_back: schemas.RollBack | None = (
        None if found is None else {"at": found.at, "by": found.by, "reason": found.reason}
    )
    return {"version": versions.in_use, "previous": versions.previous, "rolled_back": rolled_back}


def training(row: Row, live: schemas.LiveModel | None, now: datetime) -> schemas.Training:
    """Return a training from its row of the query `trainings` or `training`."""
    started_at, ended_at = from_millis(int(row["started_ms"])), _moment(row["ended_ms"])
    card = card_of(row) or {}
    is_lost = row["outcome"] == "running" and now - started_at > LONGEST
    version = row["version"]
    kept = () if live is None else (live["version"], live["previous"])
    return {
        "training_id": row["training_id"],
        "trigger": row["trigger"],
        "trigger_details": row["trigger_details"],
        "outcome": "interrupted" if is_lost else row["outcome"],
        "reason": row["reason"],
        "started_at": started_at,
        "ended_at": ended_at,
        "duration_s": None if ended_at is None else (ended_at - started_at).total_seconds(),
        "peak_memory_mb": row["peak_memory_mb"],
        "version": version,
        "model": row["model"],
        "is_live": live is not None and version is not None and version == live["version"],
        "is_kept": version is not None and version in kept,
        "events": None if row["events"] is None else int(row["events"]),
        "first_event_at": _moment(row["first_event_ms"]),
        "last_event_at": _moment(row["last_event_ms"]),
        "figures": _figures(card),
        "compared": _compared(card),
        "off_policy": _off_policy(card.get("off_policy")),
        "blend_weights": card.get("blend_weights"),
    }


def card_of(row: Row) -> dict[str, Any] | None:
    """Return the model card of a row; None without a card."""
    return orjson.loads(row["card"]) if row["card"] else None


def _moment(millis: str | int | None) -> datetime | None:
    return None if millis is None else from_millis(int(millis))


def _figures(card: Mapping[str, Any]) -> list[schemas.OfflineFigure]:
    if not card.get("judged"):
        return []
    figures = card["judged"][0]["figures"]["all"]
    return [
        {"metric": metric, "value": _interval(found)}
        for metric, found in figures.items()
        if found["mean"] is not None
    ]


def _compared(card: Mapping[str, Any]) -> list[schemas.OfflineComparison]:
    return [
        {
            "model": other.partition("(")[0].strip(),
            "metric": metric,
            "difference": _interval(found["interval"]),
            "p": found["p_value"],
        }
        for other, metrics in (card.get("differences") or {}).items()
        for metric, found in metrics.items()
        if found["interval"]["mean"] is not None
    ]


def _off_policy(judged: Mapping[str, Any] | None) -> schemas.OffPolicyJudgement | None:
    if judged is None:
        return None
    return {
        "champion": judged["champion"],
        "places": judged["places"],
        "strategies": [
            {
                "strategy": name,
                "click_rate": found["doubly_robust"]["interval"],
                "difference": found["difference"],
                "winner": found["winner"],
                "effective_places": found["doubly_robust"]["effective_sample_size"],
            }
            for name, found in judged["strategies"].items()
        ],
    }


def _interval(found: Mapping[str, float]) -> ConfidenceInterval:
    return {"estimate": found["mean"], "low": found["low"], "high": found["high"]}
