from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import UserError
from common.settings import Settings
from jobs.facts import logic as facts
from jobs.fingerprint import sql_tokens
from jobs.plan import JobPlan, QueryFolder, SharedView, quoted
from jobs.rankings import logic as rankings
from jobs.rankings.logic import EVENTS as READ_BY_RANKINGS
from jobs.rankings.logic import QUERIES, VIEWS
from jobs.recommendations import logic as recommendations
from jobs.registry import JOBS, TOPICS_BY_JOB, VERSIONED_PLANS
from jobs.signals import logic as signals
from jobs.sinks import HISTORY_FLUSH, LIVE_FLUSH
from jobs.sources import flink_type, reader_schema, source_table
from jobs.submit import submission_config
from jobs.version_keys import output_keys
from jobs.versions import defined_version, store_defined_plan, stored_plan, stored_versions
from schemas.events import all_events
from schemas.topics import RANKINGS

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


def test_a_source_reads_its_topic_and_has_a_dead_letter_topic() -> None:
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
    plan = facts.plan(SETTINGS)

    assert [output.table for output in plan.outputs] == [*all_events(), "pipeline_progress"]
    assert all(output.key == () for output in plan.outputs)


def test_tables_on_live_pages_flush_sooner() -> None:
    flushes = {output.table: output.options["sink.flush.interval"] for output in facts.plan(SETTINGS).outputs}

    assert flushes["order_placed"] == LIVE_FLUSH
    assert flushes["payment_captured"] == LIVE_FLUSH
    assert flushes["product_viewed"] == HISTORY_FLUSH


def test_live_events_are_fetched_immediately_and_others_in_batches() -> None:
    sources = dict(zip(all_events(), facts.plan(SETTINGS).sources, strict=False))

    assert "fetch.min.bytes" not in sources["order_placed"]
    assert "'properties.fetch.min.bytes' = '1000000'" in sources["product_viewed"]
    assert all("fetch.min.bytes" not in ddl for ddl in rankings.plan(SETTINGS).sources)


def test_rankings_without_a_checkpoint_start_at_the_beginning() -> None:
    events = [ddl for ddl in rankings.plan(SETTINGS).sources if ddl.startswith("CREATE TABLE events.")]

    assert len(events) == len(READ_BY_RANKINGS)
    assert all("'scan.startup.mode' = 'earliest-offset'" in ddl for ddl in events)


def test_only_sinks_that_update_have_a_version() -> None:
    versioned = {o.table for o in facts.plan(SETTINGS).outputs if "sink.version-column" in o.options}

    assert versioned == {"pipeline_progress"}


def test_every_sql_file_is_a_listed_view_or_ranking() -> None:
    assert {path.stem for path in QUERIES.folder.glob("*.sql")} == set(RANKINGS)
    assert {path.stem for path in QUERIES.folder.glob("views/*.sql")} == set(VIEWS)


def test_every_sql_file_of_recommendations_is_a_listed_view_or_output() -> None:
    folder = recommendations.QUERIES.folder

    assert {path.stem for path in folder.glob("*.sql")} == {o.table for o in recommendations.OUTPUTS}
    assert {path.stem for path in folder.glob("views/*.sql")} == set(recommendations.VIEWS)


def windowed(tokens: list[str]) -> Iterable[tuple[str, str, str]]:
    """Return all runs of three consecutive tokens."""
    return zip(tokens, tokens[1:], tokens[2:], strict=False)


def test_a_job_has_a_source_for_each_event_that_its_queries_read_and_for_no_other(tmp_path: Path) -> None:
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "late.sql").write_text("SELECT 1 FROM (SELECT * FROM events.order_shipped)")
    (tmp_path / "one.sql").write_text("-- Not events.order_cancelled.\nSELECT * FROM events.order_placed\n")

    assert QueryFolder(tmp_path).events() == ("order_placed", "order_shipped")
    for job in (rankings, recommendations, signals):
        plan = job.plan(SETTINGS)
        known = {f"events.{name}" for name in all_events() if f"events.{name} " in " ".join(plan.sources)}
        read = {
            f"events.{name}"
            for query in (*plan.views, *plan.outputs)
            for database, dot, name in windowed(sql_tokens(query.query))
            if (database, dot) == ("events", ".")
        }
        assert read == known


def test_the_topics_by_job_are_those_that_the_jobs_read() -> None:
    assert TOPICS_BY_JOB.keys() == JOBS.keys()
    for name, build in JOBS.items():
        sources = " ".join(build(SETTINGS).sources)
        assert set(TOPICS_BY_JOB[name]) == {event for event in all_events() if f"events.{event} " in sources}
        assert f"'properties.group.id' = '{name}'" in sources


def test_versions_of_a_job_share_neither_keys_nor_names_nor_consumer_groups() -> None:
    for build in VERSIONED_PLANS.values():
        plans = [build(SETTINGS, version) for version in ("", "0a", "0b")]
        names = [plan.name for plan in plans]
        keys = [set(output_keys(plan)) for plan in plans]

        assert len(set(names)) == 3
        assert keys[1] == {f"0a:{key}" for key in keys[0]}
        assert keys[2] == {f"0b:{key}" for key in keys[0]}
        for plan in plans:
            assert plan.config["pipeline.name"] == plan.name
            assert all(f"'properties.group.id' = '{plan.name}'" in source for source in plan.sources)


def test_a_version_does_not_depend_on_the_addresses_of_servers() -> None:
    elsewhere = SETTINGS.model_copy(
        update={
            "kafka_bootstrap": "other:1",
            "registry_url": "http://other",
            "redis_url": "redis://other",
            "home": SETTINGS.home / "other",
        }
    )

    for job in VERSIONED_PLANS:
        assert defined_version(job, elsewhere) == defined_version(job, SETTINGS)
        assert JOBS[job](elsewhere).fingerprint() != JOBS[job](SETTINGS).fingerprint()


def test_a_stored_plan_is_the_plan(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"home": tmp_path, "redis_url": "redis://:secret@here"})
    for job in VERSIONED_PLANS:
        plan = VERSIONED_PLANS[job](settings, store_defined_plan(job, settings))

        assert stored_plan(settings, plan.name) == plan
        assert stored_versions(settings, job) == {defined_version(job, settings)}
        assert "secret" not in Path(tmp_path, "flink", "plans", f"{plan.name}.json").read_text()
        moved = settings.model_copy(
            update={"redis_url": "redis://there", "kafka_bootstrap": "there:9", "job_parallelism": 3}
        )
        assert stored_plan(moved, plan.name) == VERSIONED_PLANS[job](moved, defined_version(job, moved))

    assert stored_plan(settings, "rankings@00000000") is None


def test_the_topics_of_a_plan_are_those_of_its_sources() -> None:
    for job, build in JOBS.items():
        assert set(TOPICS_BY_JOB[job]) <= set(build(SETTINGS).topics)
    assert rankings.plan(SETTINGS).topics == TOPICS_BY_JOB["rankings"]


def test_a_password_or_a_flush_interval_does_not_change_the_fingerprint() -> None:
    plan = rankings.plan(SETTINGS)
    changed = Settings(
        kafka_bootstrap="kafka:9092",
        registry_url="http://souk:p%40ss@schemas",
        clickhouse_url="http://ch",
        clickhouse_admin_password="secret",
        redis_password="p@ss/word",
        job_parallelism=4,
    )

    assert rankings.plan(changed).fingerprint() == plan.fingerprint()


def test_other_sql_or_another_target_changes_the_fingerprint() -> None:
    plan = rankings.plan(SETTINGS)
    first = plan.outputs[0]
    other_sql = replace(plan, outputs=(replace(first, query=first.query + " WHERE TRUE"), *plan.outputs[1:]))
    other_target = rankings.plan(SETTINGS.model_copy(update={"redis_url": "redis://other:6379"}))

    assert len({plan.fingerprint(), other_sql.fingerprint(), other_target.fingerprint()}) == 3


def with_sql(plan: JobPlan, query: str) -> JobPlan:
    """The plan with `query` as its first view and as the query of its first output."""
    return replace(
        plan,
        views=(SharedView("view", query), *plan.views[1:]),
        outputs=(replace(plan.outputs[0], query=query), *plan.outputs[1:]),
    )


@pytest.mark.parametrize(
    "same",
    [
        "-- Another comment, with a quote: it's.\nSELECT `a -- b`, 'c  -- d', 1.5 FROM t",
        "SELECT /* between /* words */ `a -- b`,\n  'c  -- d',\t1.5\n\nFROM t -- at the end",
        "  SELECT `a -- b` , 'c  -- d' ,1.5 FROM t  ",
    ],
)
def test_comments_and_white_space_do_not_change_the_fingerprint(same: str) -> None:
    plan = rankings.plan(SETTINGS)
    query = "SELECT `a -- b`, 'c  -- d', 1.5 FROM t"

    assert with_sql(plan, same).fingerprint() == with_sql(plan, query).fingerprint()


@pytest.mark.parametrize(
    "other",
    [
        "SELECT a, 'c -- d', 1 FROM t",
        "SELECT a, 'c  -- D', 1 FROM t",
        "SELECT a, 'c  -- d', 11 FROM t",
        "SELECT /*+ STATE_TTL('t' = '1 d') */ a, 'c  -- d', 1 FROM t",
    ],
)
def test_literals_numbers_and_hints_change_the_fingerprint(other: str) -> None:
    plan = rankings.plan(SETTINGS)
    query = "SELECT a, 'c  -- d', 1 FROM t"

    assert with_sql(plan, other).fingerprint() != with_sql(plan, query).fingerprint()


def test_other_code_of_a_java_function_changes_the_fingerprint() -> None:
    plan = rankings.plan(SETTINGS)

    assert plan.function_code
    assert replace(plan, function_code="other code").fingerprint() != plan.fingerprint()


def test_a_comment_in_every_sql_file_of_a_job_does_not_change_its_fingerprint() -> None:
    for build in JOBS.values():
        plan = build(SETTINGS)
        commented = replace(
            plan,
            views=tuple(replace(view, query=f"-- New.\n{view.query}") for view in plan.views),
            outputs=tuple(replace(o, query=f"{o.query}\n-- New.") for o in plan.outputs),
        )
        assert commented.fingerprint() == plan.fingerprint()


def test_a_source_refuses_events_from_more_than_a_day_ahead() -> None:
    assert all(
        "'value.souk-avro.event-time' = 'occurred_at'" in ddl and "'value.souk-avro.max-ahead' = '1 d'" in ddl
        for plan in (facts.plan(SETTINGS), rankings.plan(SETTINGS))
        for ddl in plan.sources
        if ddl.startswith("CREATE TABLE events.")
    )


def test_a_submission_has_the_id_of_its_installation_and_the_chosen_job_id() -> None:
    plan = facts.plan(SETTINGS)
    other = SETTINGS.model_copy(update={"home": SETTINGS.home / "other"})
    parameters = {
        submission_config(settings, plan, None)["pipeline.global-job-parameters"]
        for settings in (SETTINGS, other)
    }

    assert len(parameters) == 2
    assert submission_config(SETTINGS, plan, None, "0" * 32)["$internal.pipeline.job-id"] == "0" * 32
    assert "$internal.pipeline.job-id" not in submission_config(SETTINGS, plan, None)
