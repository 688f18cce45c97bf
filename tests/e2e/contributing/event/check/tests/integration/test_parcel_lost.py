"""A new event, copied by job `facts` in a real Flink into its table in a real ClickHouse."""

import json
from dataclasses import replace
from pathlib import Path

from clickhouse.client import connect
from clickhouse.migrate import migrate
from common.settings import Settings
from jobs.facts.logic import plan
from schemas.events import all_events
from tests.event_examples import EXAMPLES_DIR
from tests.integration.bounded import Row, run_bounded

EVENT = "parcel_lost"


def example(name: str) -> Row:
    fields = {field["name"]: None for field in all_events()[EVENT].fields}
    return fields | json.loads((EXAMPLES_DIR / EVENT / f"{name}.json").read_text())


def test_the_event_arrives_in_its_table(
    jvm: None,  # noqa: ARG001 (Flink's)
    clickhouse_server: Settings,
    tmp_path: Path,
) -> None:
    real = plan(Settings())
    (output,) = (output for output in real.outputs if output.table == EVENT)
    only = replace(real, outputs=(replace(output, table="copies"),))  # the folder EVENT is its topic
    events = [example("minimal"), example("typical")]
    settings = clickhouse_server.model_copy(update={"clickhouse_database": "parcels"})
    migrate(settings)

    rows = [change["after"] for change in run_bounded(only, [EVENT], {EVENT: events}, tmp_path)["copies"]]
    with connect(settings, admin=True) as client:
        client.raw_insert(
            EVENT,
            insert_block="\n".join(map(json.dumps, rows)),
            fmt="JSONEachRow",
            settings={"date_time_input_format": "best_effort"},
        )
        kept = client.query(f"SELECT order_id, carrier, insured_minor FROM {EVENT} FINAL").result_rows

    assert sorted(kept) == sorted((one["order_id"], one["carrier"], one["insured_minor"]) for one in events)
