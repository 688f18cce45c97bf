"""Trainings from before the table `trainings` are taken over from their cards, once."""

from datetime import UTC, datetime

import orjson

from clickhouse.client import connect
from clickhouse.migrate import split_statements
from clickhouse.migration_state import FOLDER
from common.settings import Settings
from tests.integration.metric_tables import emptied

TRAINED_AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
DATA = {"events": 600, "first_at": "2026-11-01T00:00:00+00:00", "last_at": "2026-11-20T05:00:00+00:00"}


def test_a_card_becomes_a_training_with_its_data(migrated_database: Settings) -> None:
    settings = emptied(migrated_database)
    card = orjson.dumps({"data": DATA, "peak_memory_mb": 80.5})
    rows = [
        ("v1", TRAINED_AT, "ridge", True, "it was better", card),
        ("v2", TRAINED_AT, "als", False, "it was worse", b"{}"),
    ]  # fmt: skip
    columns = ("version", "trained_at", "model", "published", "reason", "card")
    [migration] = FOLDER.glob("*_trainings.sql")
    _, taken_over = split_statements(migration.read_text(encoding="utf-8"))
    with connect(settings, admin=True) as admin:
        admin.insert("model_cards", rows, column_names=columns)
        for _ in range(2):
            admin.command(taken_over)
        found = admin.query(
            "SELECT version, outcome, trigger, model, events, toString(last_event_at), peak_memory_mb "
            "FROM trainings ORDER BY version"
        ).result_rows

    assert found == [
        ("v1", "published", "not_recorded", "ridge", 600, "2026-11-20 05:00:00.000", 80.5),
        ("v2", "kept", "not_recorded", "als", None, None, None),
    ]
