"""The `souk-clickhouse` sink in a real Flink, against the real HTTP server of ClickHouse."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest
from py4j.protocol import Py4JJavaError

NEVER = {"sink.flush.interval": "1 h", "sink.flush.rows": "1000000"}
"""Neither the timer nor the number of rows flushes."""


@pytest.fixture
def table() -> str:
    return f"t{uuid4().hex[:12]}"


def sequence(rows: int, per_second: int) -> str:
    return (
        "CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', "
        f"'fields.id.start' = '1', 'fields.id.end' = '{rows}', 'rows-per-second' = '{per_second}')"
    )


def test_every_type_is_stored_without_a_change(flink: Any, clickhouse: Any, table: str) -> None:
    clickhouse.query(
        f"""CREATE TABLE {table} (
          yes Bool, tiny Int8, small UInt16, int Int32, big UInt64, f Float32, d Float64,
          s String, code LowCardinality(String), nothing Nullable(String),
          something LowCardinality(Nullable(String)),
          ts DateTime64(3, 'UTC'), second DateTime('UTC'), micro Nullable(DateTime64(6, 'UTC')),
          early DateTime64(3, 'UTC'),
          day Date, ancient Date32, price Decimal(18, 4), wide Decimal(38, 2),
          lines Array(Tuple(product_id String, quantity UInt32, at Nullable(DateTime64(3, 'UTC')))),
          labels Map(String, Int64), place Tuple(city String, zip Nullable(Int32)),
          status SimpleAggregateFunction(max, Enum8('new' = 1, 'gone' = -2)), wider Enum16('far' = 300),
          ingested_at DateTime64(3, 'UTC') DEFAULT now64(3)
        ) ENGINE = MergeTree ORDER BY big"""
    )
    flink.run(
        f"""CREATE TABLE {table} (
          `lines` ARRAY<ROW<product_id STRING, quantity INT, `at` TIMESTAMP_LTZ(3)>>,
          labels MAP<STRING, BIGINT>, place ROW<city STRING, zip INT>,
          yes BOOLEAN, tiny TINYINT, small SMALLINT, `int` INT, big BIGINT, f FLOAT, d DOUBLE,
          s STRING, code CHAR(3), nothing STRING, something STRING,
          ts TIMESTAMP(3), `second` TIMESTAMP_LTZ(3), micro TIMESTAMP(6), early TIMESTAMP(3),
          `day` DATE, ancient DATE,
          price DECIMAL(10, 2), wide DECIMAL(30, 2), status STRING, wider CHAR(3)
        ) {clickhouse.sink()}""",
        f"""INSERT INTO {table} VALUES (
          ARRAY[ROW('p', 2, TO_TIMESTAMP_LTZ(1500000000123, 3)), ROW('ø', 3, CAST(NULL AS TIMESTAMP_LTZ(3)))],
          MAP['a', CAST(-5 AS BIGINT)], ROW('São Paulo', CAST(NULL AS INT)),
          TRUE, CAST(-8 AS TINYINT), CAST(16 AS SMALLINT), -32, 9223372036854775807,
          CAST(0.5 AS FLOAT), 2.5E0,
          '{"long é " * 40}', 'BRL', CAST(NULL AS STRING), '',
          TIMESTAMP '2018-01-02 03:04:05.678', TO_TIMESTAMP_LTZ(1500000000999, 3),
          TIMESTAMP '2018-01-02 03:04:05.678901', TIMESTAMP '1969-12-31 23:59:59.999',
          DATE '2018-01-02', DATE '1950-06-07',
          -12.34, CAST('1234567890123456789012345678.90' AS DECIMAL(30, 2)), 'gone', 'far')""",
    ).wait()

    row = json.loads(
        clickhouse.query(
            f"SELECT * EXCEPT ingested_at FROM {table} FORMAT JSONEachRow "
            "SETTINGS output_format_json_quote_64bit_integers = 0, output_format_json_quote_decimals = 1"
        )
    )

    assert row == {
        "yes": True, "tiny": -8, "small": 16, "int": -32, "big": 9223372036854775807, "f": 0.5, "d": 2.5,
        "s": "long é " * 40, "code": "BRL", "nothing": None, "something": "",
        "ts": "2018-01-02 03:04:05.678", "second": "2017-07-14 02:40:00",
        "micro": "2018-01-02 03:04:05.678901",
        "early": "1969-12-31 23:59:59.999", "day": "2018-01-02", "ancient": "1950-06-07",
        "price": "-12.34", "wide": "1234567890123456789012345678.9",
        "lines": [
            {"product_id": "p", "quantity": 2, "at": "2017-07-14 02:40:00.123"},
            {"product_id": "ø", "quantity": 3, "at": None},
        ],
        "labels": {"a": -5}, "place": {"city": "São Paulo", "zip": None},
        "status": "gone", "wider": "far",
    }  # fmt: skip


def test_an_upsert_stores_the_last_row_of_a_key_with_a_higher_version(
    flink: Any, clickhouse: Any, table: str
) -> None:
    clickhouse.query(
        f"CREATE TABLE {table} (k Int64, n Int64, version UInt64) ENGINE = MergeTree ORDER BY version"
    )
    statements = (
        sequence(100, 10_000),
        f"CREATE TABLE {table} (k BIGINT, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) "
        + clickhouse.sink({"sink.version-column": "version", "sink.flush.rows": "7"}),
        f"INSERT INTO {table} SELECT id - id / 10 * 10, COUNT(*) FROM numbers GROUP BY id - id / 10 * 10",
    )
    flink.run(*statements).wait()
    first = int(clickhouse.query(f"SELECT max(version) FROM {table}"))
    flink.run(*statements).wait()

    assert clickhouse.query(f"SELECT k, argMax(n, version) FROM {table} GROUP BY k ORDER BY k") == "\n".join(
        f"{k}\t10" for k in range(10)
    )
    assert int(clickhouse.query(f"SELECT countIf(version > {first}) FROM {table}")) >= 10
    assert clickhouse.query(f"SELECT count() - uniqExact(version) FROM {table}") == "0"


def test_the_timer_flushes_rows_while_the_job_runs(
    flink: Any, clickhouse: Any, table: str, wait_until: Any
) -> None:
    clickhouse.query(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    flink.run(
        sequence(1_000_000, 20),
        f"CREATE TABLE {table} (id BIGINT) {clickhouse.sink({'sink.flush.interval': '50 ms'})}",
        f"INSERT INTO {table} SELECT * FROM numbers",
    )
    wait_until(lambda: int(clickhouse.query(f"SELECT count() FROM {table}")) > 20)


def test_a_number_of_rows_or_bytes_flushes_the_buffer(
    flink: Any, clickhouse: Any, table: str, wait_until: Any
) -> None:
    clickhouse.query(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    for limit in ({"sink.flush.rows": "10"}, {"sink.buffer.bytes": "160"}):
        clickhouse.query(f"TRUNCATE TABLE {table}")
        flink.run(
            sequence(1_000_000, 100),
            f"CREATE TABLE {table} (id BIGINT) {clickhouse.sink({**NEVER, **limit})}",
            f"INSERT INTO {table} SELECT * FROM numbers",
        )
        rows = wait_until(lambda: int(clickhouse.query(f"SELECT count() FROM {table}")))
        assert rows % 10 == 0
        flink.end()


@pytest.mark.nightly
def test_a_table_takes_fewer_and_larger_inserts_while_rows_come_as_fast_as_in_a_backlog(
    flink: Any, clickhouse: Any, table: str, wait_until: Any
) -> None:
    inserts = []
    for busy in ({}, {"sink.flush.busy-interval": "3 s"}):
        clickhouse.query(f"CREATE OR REPLACE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
        clickhouse.query(f"SYSTEM STOP MERGES {table}")
        options = {"sink.flush.interval": "10 ms", "sink.flush.rows": "1000000", **busy}
        flink.run(
            sequence(120_000, 20_000),  # a burst each second
            f"CREATE TABLE {table} (id BIGINT) {clickhouse.sink(options)}",
            f"INSERT INTO {table} SELECT * FROM numbers",
        )
        wait_until(lambda: int(clickhouse.query(f"SELECT count() FROM {table}")) == 120_000)
        inserts.append(int(clickhouse.query(f"SELECT uniqExact(_part) FROM {table}")))
        flink.end()

    usual, in_a_backlog = inserts
    assert usual >= 6
    assert in_a_backlog <= 4


def test_a_checkpoint_completes_only_when_its_rows_are_written(
    flink: Any, clickhouse: Any, table: str, wait_until: Any
) -> None:
    clickhouse.query(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    flink.run(
        sequence(1_000_000, 100),
        f"CREATE TABLE {table} (id BIGINT) {clickhouse.sink(NEVER)}",
        f"INSERT INTO {table} SELECT * FROM numbers",
        config={
            "execution.checkpointing.interval": "200 ms",
            # As in our jobs: a checkpoint that is declined on a busy machine would fail the job.
            "execution.checkpointing.tolerable-failed-checkpoints": "1000000",
        },
    )
    wait_until(lambda: int(clickhouse.query(f"SELECT count() FROM {table}")) > 50)


def test_no_row_is_lost_when_the_server_is_killed_and_started_again(
    flink: Any, clickhouse: Any, table: str, wait_until: Any
) -> None:
    clickhouse.query(f"CREATE TABLE {table} (id Int64) ENGINE = ReplacingMergeTree ORDER BY id")
    running = flink.run(
        sequence(6_000, 2_000),
        f"CREATE TABLE {table} (id BIGINT) {clickhouse.sink()}",
        f"INSERT INTO {table} SELECT * FROM numbers",
    )
    wait_until(lambda: int(clickhouse.query(f"SELECT count() FROM {table}")) > 500)
    clickhouse.kill()
    clickhouse.start()
    running.wait()
    assert clickhouse.query(f"SELECT count(), sum(id) FROM {table} FINAL") == f"6000\t{6000 * 6001 // 2}"


@pytest.mark.nightly
def test_a_job_that_starts_before_the_server_waits_for_it(flink: Any, clickhouse: Any, table: str) -> None:
    clickhouse.query(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    clickhouse.kill()
    running = flink.run(
        sequence(10, 1_000),
        f"CREATE TABLE {table} (id BIGINT) {clickhouse.sink()}",
        f"INSERT INTO {table} SELECT * FROM numbers",
    )
    clickhouse.start()
    running.wait()
    assert clickhouse.query(f"SELECT count() FROM {table}") == "10"


def test_a_null_map_is_stored_as_an_empty_map(flink: Any, clickhouse: Any, table: str) -> None:
    clickhouse.query(f"CREATE TABLE {table} (id Int64, by Map(String, Int64)) ENGINE = MergeTree ORDER BY id")
    flink.run(
        sequence(2, 1_000),
        f"CREATE TABLE {table} (id BIGINT, `by` MAP<STRING, BIGINT>) {clickhouse.sink()}",
        f"INSERT INTO {table} SELECT id, CASE id WHEN 2 THEN MAP['ann', id] END FROM numbers",
    ).wait()
    assert clickhouse.query(f"SELECT id, by FROM {table} ORDER BY id") == "1\t{}\n2\t{'ann':2}"


def test_rejected_rows_become_dead_letters_and_all_others_are_stored(
    flink: Any, clickhouse: Any, kafka: Any, table: str
) -> None:
    clickhouse.query(
        f"""CREATE TABLE {table} (id Int64, price UInt8, at DateTime('UTC'), status Enum8('sold' = 1),
        CONSTRAINT positive CHECK id != 77) ENGINE = MergeTree ORDER BY id"""
    )
    topic = kafka.topic()
    flink.run(
        sequence(1_000, 100_000),
        f"CREATE TABLE {table} (id BIGINT, price BIGINT, `at` TIMESTAMP(3), status STRING, "
        "PRIMARY KEY (id) NOT ENFORCED) "
        + clickhouse.sink({"sink.dlq.bootstrap": kafka.bootstrap, "sink.dlq.topic": topic}),
        f"""INSERT INTO {table} SELECT id,
        CASE id WHEN 5 THEN 300 WHEN 6 THEN CAST(NULL AS BIGINT) ELSE COUNT(*) END,
        TIMESTAMP '2018-01-02 03:04:05', CASE id WHEN 7 THEN 'lost' ELSE 'sold' END
        FROM numbers GROUP BY id""",
    ).wait()

    letters = {json.loads(letter.value())["id"]: letter for letter in kafka.records(topic, 4)}
    reasons = {id: dict(letter.headers())["reason"].decode() for id, letter in letters.items()}
    assert kafka.count(topic) == 4
    assert "300, which does not fit UInt8" in reasons[5]
    assert "price is null" in reasons[6]
    assert "status is 'lost'" in reasons[7]
    assert "positive" in reasons[77]
    assert json.loads(letters[77].value()) == {
        "id": 77, "price": 1, "at": "2018-01-02T03:04:05", "status": "sold",
    }  # fmt: skip
    assert letters[77].key() == b"77"
    assert dict(letters[77].headers())["stage"] == b"clickhouse"
    assert dict(letters[77].headers())["content_type"] == b"application/json"
    assert clickhouse.query(f"SELECT count() FROM {table}") == "996"


class FaultyProxy(ThreadingHTTPServer):
    """Forwards requests to ClickHouse, but answers the next `failures` INSERTs with the error `code`.

    INSERTs into `exempt_table` are always forwarded. `inserts` and `bodies` are the URLs and the data of all
    INSERTs; `failed` is their number when the last one failed.
    """

    def __init__(self, upstream: str, code: str, failures: int) -> None:
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.upstream = upstream
        self.code = code
        self.failures = failures
        self.exempt_table = ""
        self.failed = 0
        self.inserts: list[str] = []
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class ProxyHandler(BaseHTTPRequestHandler):
    server: FaultyProxy
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "INSERT" in self.path:
            self.server.bodies.append(body)
            self.server.inserts.append(self.path)
            if self.server.failures and not (
                self.server.exempt_table and self.server.exempt_table in self.path
            ):
                self.server.failures -= 1
                self.server.failed = len(self.server.inserts)
                message = f"Code: {self.server.code}. DB::Exception: An error of the test."
                self._respond(500, message.encode(), self.server.code)
                return
        names = ("X-ClickHouse-User", "X-ClickHouse-Key")
        headers = {name: self.headers[name] for name in names}
        answer = httpx.post(self.server.upstream + self.path, content=body, headers=headers, trust_env=False)
        self._respond(answer.status_code, answer.content, answer.headers.get("X-ClickHouse-Exception-Code"))

    def _respond(self, status: int, body: bytes, code: str | None) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def faulty_proxy(clickhouse: Any, code: str, failures: int = 0) -> Iterator[FaultyProxy]:
    with FaultyProxy(clickhouse.part.url, code, failures) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()


def test_an_error_that_no_row_caused_is_retried_without_dead_letters(
    flink: Any, clickhouse: Any, kafka: Any, table: str
) -> None:
    clickhouse.query(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    topic = kafka.topic()
    with faulty_proxy(
        clickhouse, code="75", failures=3
    ) as proxy:  # a file can't be written: the disk is full
        letters = {"sink.dlq.bootstrap": kafka.bootstrap, "sink.dlq.topic": topic}
        flink.run(
            sequence(100, 100_000),
            f"CREATE TABLE {table} (id BIGINT) {clickhouse.sink({**letters, 'url': proxy.url})}",
            f"INSERT INTO {table} SELECT * FROM numbers",
        ).wait()

    assert proxy.failures == 0
    assert clickhouse.query(f"SELECT count() FROM {table}") == "100"
    assert kafka.count(topic) == 0


def test_a_batch_over_too_many_partitions_is_split(flink: Any, clickhouse: Any, table: str) -> None:
    clickhouse.query(
        f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id PARTITION BY id "
        "SETTINGS max_parts_in_total = 1000"
    )
    flink.run(
        sequence(250, 100_000),
        f"CREATE TABLE {table} (id BIGINT) {clickhouse.sink(NEVER)}",
        f"INSERT INTO {table} SELECT * FROM numbers",
    ).wait()
    assert clickhouse.query(f"SELECT count() FROM {table}") == "250"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (None, "run the migrations"),
        ("other Int64", "has no column id"),
        ("id String", "id: Flink's BIGINT can't go into ClickHouse's String"),
    ],
)
def test_a_table_without_matching_columns_fails_the_job_with_the_reason(
    flink: Any, clickhouse: Any, table: str, columns: str | None, message: str
) -> None:
    if columns:
        clickhouse.query(f"CREATE TABLE {table} ({columns}) ENGINE = MergeTree ORDER BY tuple()")
    running = flink.run(
        sequence(10, 1_000),
        f"CREATE TABLE {table} (id BIGINT) {clickhouse.sink()}",
        f"INSERT INTO {table} SELECT * FROM numbers",
    )
    with pytest.raises(Py4JJavaError, match=message):
        running.wait()


def test_a_table_that_is_dropped_while_the_job_runs_fails_it_without_dead_letters(
    flink: Any, clickhouse: Any, kafka: Any, table: str, wait_until: Any
) -> None:
    clickhouse.query(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    topic = kafka.topic()
    running = flink.run(
        sequence(1_000_000, 100),
        f"CREATE TABLE {table} (id BIGINT) "
        + clickhouse.sink({"sink.dlq.bootstrap": kafka.bootstrap, "sink.dlq.topic": topic}),
        f"INSERT INTO {table} SELECT * FROM numbers",
    )
    wait_until(lambda: int(clickhouse.query(f"SELECT count() FROM {table}")))
    clickhouse.query(f"DROP TABLE {table}")
    with pytest.raises(Py4JJavaError, match=table):
        running.wait()
    assert kafka.count(topic) == 0


def test_a_column_that_changes_while_the_job_runs_fails_it_and_no_row_is_read_wrongly(
    flink: Any, clickhouse: Any, kafka: Any, table: str, wait_until: Any
) -> None:
    clickhouse.query(
        f"CREATE TABLE {table} (lines Array(Tuple(n Int64, m Int64))) ENGINE = MergeTree ORDER BY ()"
    )
    topic = kafka.topic()
    running = flink.run(
        sequence(1_000_000, 100),
        f"CREATE TABLE {table} (`lines` ARRAY<ROW<n BIGINT, m BIGINT>>) "
        + clickhouse.sink({"sink.dlq.bootstrap": kafka.bootstrap, "sink.dlq.topic": topic}),
        f"INSERT INTO {table} SELECT ARRAY[ROW(id, id)] FROM numbers",
    )
    wait_until(lambda: int(clickhouse.query(f"SELECT count() FROM {table}")))
    clickhouse.query(
        f"ALTER TABLE {table} MODIFY COLUMN lines Array(Tuple(n Int64, m Int64, more Nullable(Int64)))"
    )
    with pytest.raises(Py4JJavaError, match="have changed since the job started"):
        running.wait()
    wrong = "length(lines) != 1 OR lines[1].n != lines[1].m OR lines[1].more IS NOT NULL"
    assert clickhouse.query(f"SELECT count() FROM {table} WHERE {wrong}") == "0"
    assert kafka.count(topic) == 0


DELETING = """SELECT n, COUNT(*) FROM
(SELECT MOD(id, 2) AS k, COUNT(*) AS n FROM numbers GROUP BY MOD(id, 2)) GROUP BY n"""
"""The number of keys for each count n. A key moves from each n to the next, which deletes rows."""


def test_the_planner_rejects_a_query_that_deletes(flink: Any, clickhouse: Any, table: str) -> None:
    with pytest.raises(Py4JJavaError, match=r"sink\.deleted-column"):
        flink.run(
            sequence(20, 1_000),
            f"CREATE TABLE {table} (n BIGINT, ks BIGINT, PRIMARY KEY (n) NOT ENFORCED) {clickhouse.sink()}",
            f"INSERT INTO {table} {DELETING}",
        )


def test_deletions_are_written_to_the_deleted_column(flink: Any, clickhouse: Any, table: str) -> None:
    clickhouse.query(
        f"CREATE TABLE {table} (n Int64, ks Int64, version UInt64, is_deleted UInt8) "
        "ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY n"
    )
    flink.run(
        sequence(13, 1_000),
        f"CREATE TABLE {table} (n BIGINT, ks BIGINT, PRIMARY KEY (n) NOT ENFORCED) "
        + clickhouse.sink(
            {"sink.version-column": "version", "sink.deleted-column": "is_deleted", "sink.flush.rows": "1"}
        ),
        f"INSERT INTO {table} {DELETING}",
    ).wait()
    assert clickhouse.query(f"SELECT n, ks FROM {table} FINAL ORDER BY n") == "6\t1\n7\t1"


def progress_table(clickhouse: Any, table: str) -> str:
    """Create a progress table for `table`; returns its name."""
    clickhouse.query(
        f"""CREATE TABLE {table}_progress (table_name String, subtask UInt16, parallelism UInt16,
        watermark DateTime64(3, 'UTC'), version UInt64) ENGINE = MergeTree ORDER BY version"""
    )
    return f"{table}_progress"


TICKS = (
    "CREATE TABLE numbers (id BIGINT, `at` AS TO_TIMESTAMP_LTZ(1500000000000 + id * 1000, 3), "
    "WATERMARK FOR `at` AS `at`) WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', "
    "'fields.id.start' = '1', 'fields.id.end' = '10000', 'rows-per-second' = '50')"
)
"""One row for each second of event time, 50 rows a second."""


def test_the_reported_watermark_never_exceeds_the_written_rows(
    flink: Any, clickhouse: Any, table: str, wait_until: Any
) -> None:
    clickhouse.query(
        f"CREATE TABLE {table} (id Int64, at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id"
    )
    progress_table(clickhouse, table)
    flink.run(
        TICKS,
        f"CREATE TABLE {table} (id BIGINT, `at` TIMESTAMP_LTZ(3)) "
        + clickhouse.sink({"sink.progress.table": f"{table}_progress"}),
        f"INSERT INTO {table} SELECT * FROM numbers",
        config={"pipeline.auto-watermark-interval": "50 ms"},
    )

    def progress() -> list[str]:
        return str(
            clickhouse.query(
                f"SELECT watermark, (SELECT max(at) FROM {table}) >= watermark, table_name, subtask, "
                f"parallelism FROM {table}_progress ORDER BY version"
            )
        ).splitlines()

    lines = wait_until(lambda: [line for line in [progress()] if len(line) >= 3])[0]
    assert lines == sorted(lines)
    assert all(line.split("\t")[1:] == ["1", table, "0", "1"] for line in lines)


def test_the_sinks_of_a_process_report_their_watermarks_in_one_insert(
    flink: Any, clickhouse: Any, table: str, wait_until: Any
) -> None:
    progress = progress_table(clickhouse, table)
    with faulty_proxy(clickhouse, code="60") as proxy:
        options = {"sink.progress.table": progress, "url": proxy.url}
        sinks = [f"{table}_{n}" for n in range(2)]
        for name in sinks:
            clickhouse.query(f"CREATE TABLE {name} (id Int64, at DateTime64(3, 'UTC')) ENGINE = Null")
        flink.run(
            TICKS,
            *(
                f"CREATE TABLE {name} (id BIGINT, `at` TIMESTAMP_LTZ(3)) {clickhouse.sink(options)}"
                for name in sinks
            ),
            "EXECUTE STATEMENT SET BEGIN "
            + "".join(f"INSERT INTO {name} SELECT * FROM numbers; " for name in sinks)
            + "END",
            config={"pipeline.auto-watermark-interval": "50 ms"},
        )
        told = (
            f"SELECT countIf(table_name = '{sinks[0]}'), countIf(table_name = '{sinks[1]}') FROM {progress}"
        )
        wait_until(lambda: min(map(int, clickhouse.query(told).split())) >= 3)
        inserts = sum(progress in url for url in proxy.inserts)

    assert inserts < int(clickhouse.query(f"SELECT count() FROM {progress}"))


def test_a_restarted_sink_reports_its_checkpoints_watermark_before_it_writes_a_row(
    flink: Any, clickhouse: Any, table: str, wait_until: Any
) -> None:
    clickhouse.query(
        f"CREATE TABLE {table} (id Int64, at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id"
    )
    progress = progress_table(clickhouse, table)
    version = "(toUnixTimestamp64Milli(now64(3)) + 3600000) * 1048576"
    clickhouse.query(f"INSERT INTO {progress} SELECT '{table}', 0, 1, 0, {version}")  # the clock was set back

    def told() -> list[str]:
        return str(clickhouse.query(f"SELECT watermark FROM {progress} ORDER BY version")).splitlines()[1:]

    with faulty_proxy(clickhouse, code="60") as proxy:
        flink.run(
            TICKS,
            f"CREATE TABLE {table} (id BIGINT, `at` TIMESTAMP_LTZ(3)) "
            + clickhouse.sink({"sink.progress.table": progress, "url": proxy.url}),
            f"INSERT INTO {table} SELECT * FROM numbers",
            config={
                "pipeline.auto-watermark-interval": "50 ms",
                "execution.checkpointing.interval": "3 s",
                "restart-strategy.type": "fixed-delay",
                "restart-strategy.fixed-delay.attempts": "10",
                "restart-strategy.fixed-delay.delay": "100 ms",
            },
        )
        wait_until(lambda: len(told()) >= 8)
        proxy.exempt_table = progress
        proxy.failures = 1
        wait_until(lambda: proxy.failed)
        of_rows = wait_until(
            lambda: [n for n, url in enumerate(proxy.inserts) if n >= proxy.failed and progress not in url]
        )[0]
        reached = json.loads(proxy.bodies[of_rows - 1])["watermark"]
        rows = proxy.bodies[of_rows].partition(b"DateTime64(3, 'UTC')")[2]  # the header ends with it
        first = datetime.fromtimestamp(int.from_bytes(rows[8:16], "little") / 1000, UTC)

    assert progress in proxy.inserts[of_rows - 1]
    assert reached < f"{first:%Y-%m-%d %H:%M:%S}"
