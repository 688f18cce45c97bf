from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import UserError
from common.settings import Settings
from jobs.facts import job as facts
from jobs.metrics import job as metrics
from jobs.metrics.logic import QUERIES, VIEWS
from jobs.plan import quoted
from jobs.queries import Queries
from jobs.recommendations import job as recommendations_job
from jobs.recommendations import logic as recommendations
from jobs.registry import JOBS, READS
from jobs.sinks import HISTORY, LIVE
from jobs.sources import flink_type, reader_schema, source_table
from jobs.submit import submission_config
from schemas.events import all_events
from schemas.metrics import METRICS

SETTINGS = Settings(kafka_bootstrap="kafka:9092", registry_url="http://schemas", clickhouse_url="http://ch")


def test_avro_types_become_flink_types() -> None:
    record = {"type": "record", "name": "r", "fields": [{"name": "n", "type": "int"}]}

    assert flink_type("long") == "BIGINT NOT NULL"
    assert flink_type(["null", "string"]) == "STRING"
    assert flink_type({"type": "long", "logicalType": "timestamp-millis"}) == "TIMESTAMP_LTZ(3) NOT NULL"
    assert flink_type({"type": "enum", "name": "e", "symbols": ["a"]}) == "STRING NOT NULL"
    assert flink_type({"type": "array", "items": record}) == "ARRAY<ROW<`n` INT NOT NULL> NOT NULL> NOT NULL"
    assert flink_type({"type": "map", "values": "string"}) == "MAP<STRING NOT NULL, STRING NOT NULL> NOT NULL"


def test_an_avro_type_that_events_do_not_use_is_refused() -> None:
    with pytest.raises(UserError, match="bytes"):
        flink_type("bytes")


def test_a_source_reads_its_topic_and_dead_letters_what_it_cannot_decode() -> None:
    ddl = source_table(all_events()["order_confirmed"], SETTINGS, group="facts", start="committed")

    assert ddl.startswith("CREATE TABLE events.order_confirmed (\n  `event_id` STRING NOT NULL,")
    assert "'topic' = 'order_confirmed'" in ddl
    assert "'scan.startup.mode' = 'group-offsets'" in ddl
    assert "'properties.auto.offset.reset' = 'earliest'" in ddl
    assert "'value.souk-avro.dlq.topic' = 'order_confirmed_dlq'" in ddl


def test_rewording_a_description_does_not_change_a_job() -> None:
    event = all_events()["order_placed"]
    reworded = replace(event, schema={**event.schema, "doc": "Other words."})

    assert reader_schema(reworded) == reader_schema(event)
    assert "doc" not in reader_schema(event)


def test_literals_are_quoted() -> None:
    assert quoted("it's") == "'it''s'"


def test_facts_copy_every_event() -> None:
    plan = facts.build(SETTINGS)

    assert [output.table for output in plan.outputs] == list(all_events())
    assert all(output.key == () for output in plan.outputs)


def test_watched_tables_flush_sooner() -> None:
    flushes = {
        output.table: output.options["sink.flush.interval"] for output in facts.build(SETTINGS).outputs
    }

    assert flushes["order_placed"] == LIVE
    assert flushes["payment_captured"] == HISTORY


def test_what_is_watched_is_fetched_at_once_and_history_is_gathered() -> None:
    sources = dict(zip(all_events(), facts.build(SETTINGS).sources, strict=True))

    assert "fetch.min.bytes" not in sources["order_placed"]
    assert "'properties.fetch.min.bytes' = '1000000'" in sources["product_viewed"]
    assert all("fetch.min.bytes" not in ddl for ddl in metrics.build(SETTINGS).sources)


def test_metrics_without_a_checkpoint_start_at_the_beginning() -> None:
    assert all("'scan.startup.mode' = 'earliest-offset'" in ddl for ddl in metrics.build(SETTINGS).sources)


def test_only_sinks_that_update_have_a_version() -> None:
    versioned = {o.table for o in metrics.build(SETTINGS).outputs if "sink.version-column" in o.options}

    assert versioned == {m.table for m in METRICS if not m.appended and not m.in_redis}


def test_every_sql_file_is_a_listed_view_or_metric() -> None:
    assert {path.stem for path in QUERIES.folder.glob("*.sql")} == {metric.table for metric in METRICS}
    assert {path.stem for path in QUERIES.folder.glob("views/*.sql")} == set(VIEWS)


def test_every_sql_file_of_recommendations_is_a_listed_view_or_output() -> None:
    folder = recommendations.QUERIES.folder

    assert {path.stem for path in folder.glob("*.sql")} == {o.table for o in recommendations.OUTPUTS}
    assert {path.stem for path in folder.glob("views/*.sql")} == set(recommendations.VIEWS)


def test_a_job_has_a_source_for_each_event_that_its_queries_read_and_for_no_other(tmp_path: Path) -> None:
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "late.sql").write_text("SELECT 1 FROM (SELECT * FROM events.order_shipped)")
    (tmp_path / "one.sql").write_text("-- Not events.order_cancelled.\nSELECT * FROM events.order_placed\n")

    assert Queries(tmp_path).events() == ("order_placed", "order_shipped")
    for job in (metrics, recommendations_job):
        plan = job.build(SETTINGS)
        known = {f"events.{name}" for name in all_events() if f"events.{name} " in " ".join(plan.sources)}
        read = {
            word.rstrip(")")
            for query in (*plan.views, *plan.outputs)
            for word in query.query.split()
            if word.startswith("events.")
        }
        assert read == known


def test_who_waits_for_the_jobs_knows_what_they_read() -> None:
    assert READS.keys() == JOBS.keys()
    for name, build in JOBS.items():
        sources = " ".join(build(SETTINGS).sources)
        assert set(READS[name]) == {event for event in all_events() if f"events.{event} " in sources}
        assert f"'properties.group.id' = '{name}'" in sources


def test_a_password_or_a_flush_interval_does_not_change_the_fingerprint() -> None:
    plan = metrics.build(SETTINGS)
    changed = Settings(
        kafka_bootstrap="kafka:9092",
        registry_url="http://schemas",
        clickhouse_url="http://ch",
        clickhouse_admin_password="secret",
        job_parallelism=4,
    )

    assert metrics.build(changed).fingerprint() == plan.fingerprint()


def test_other_sql_or_another_target_changes_the_fingerprint() -> None:
    plan = metrics.build(SETTINGS)
    first = plan.outputs[0]
    other_sql = replace(plan, outputs=(replace(first, query=first.query + " WHERE TRUE"), *plan.outputs[1:]))
    other_target = metrics.build(SETTINGS.model_copy(update={"clickhouse_url": "http://other"}))

    assert len({plan.fingerprint(), other_sql.fingerprint(), other_target.fingerprint()}) == 3


def test_a_source_refuses_events_from_more_than_a_day_ahead() -> None:
    assert all(
        "'value.souk-avro.event-time' = 'occurred_at'" in ddl and "'value.souk-avro.max-ahead' = '1 d'" in ddl
        for plan in (facts.build(SETTINGS), metrics.build(SETTINGS))
        for ddl in plan.sources
    )


def test_a_submission_names_its_copy_and_the_id_that_was_chosen_for_it() -> None:
    plan = facts.build(SETTINGS)
    other = SETTINGS.model_copy(update={"home": SETTINGS.home / "other"})
    parameters = {
        submission_config(settings, plan, None)["pipeline.global-job-parameters"]
        for settings in (SETTINGS, other)
    }

    assert len(parameters) == 2
    assert submission_config(SETTINGS, plan, None, "0" * 32)["$internal.pipeline.job-id"] == "0" * 32
    assert "$internal.pipeline.job-id" not in submission_config(SETTINGS, plan, None)
