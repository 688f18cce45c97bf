"""The users of the stack's ClickHouse server, run by the engine of the same version.

The engine of the tests has one user, `default`. Each test gives it the rights of one user of the stack.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from clickhouse.migrate import split_statements
from clickhouse.migration_state import FOLDER
from clickhouse.sql_guard.allowlists import SYSTEM_TABLES
from common.settings import ROOT

STACK = ROOT / "docker" / "clickhouse"

PROGRAM = """
import json, sys
import chdb
connection = chdb.connect(sys.argv[1])
for statement in json.load(sys.stdin):
    try:
        answer = str(connection.query(statement, "TSV"))
    except Exception as error:
        answer = "error: " + str(error)
    print(json.dumps(answer))
"""

TABLE = "(a Int32) ENGINE = MergeTree ORDER BY a"
DENIED, TOO_MUCH, READ_ONLY = "ACCESS_DENIED", "SETTING_CONSTRAINT_VIOLATION", "READONLY"
MISSING = "UNKNOWN_TABLE"
REFUSED = (DENIED, READ_ONLY, "There are no tables satisfied provided regexp")
"""The last one is the answer of `merge()` about tables that the user may not see."""


def write_config(user: str, folder: Path) -> Path:
    """Write the stack's configuration for an engine whose one user has the rights of `user`."""
    users = (STACK / "users.xml").read_text()
    users = users.replace('<default remove="remove"/>', "")
    users = re.sub(r'<password from_env="\w+"/>', "<password/>", users)
    users, count = re.subn(
        rf"<{user}>(\s*<password/>.*?)</{user}>", r"<default>\1</default>", users, flags=re.DOTALL
    )
    assert count == 1
    folder.mkdir()
    (folder / "users.xml").write_text(users)
    config = (STACK / "config.xml").read_text()
    config = re.sub(r'<(\w+) remove="remove"/>', "", config)  # nothing to remove: there is no other file
    for part in ("logger", "prometheus", "listen_host"):
        config, count = re.subn(rf"<{part}>.*?</{part}>", "", config, flags=re.DOTALL)
        assert count == 1
    path = folder / "config.xml"
    path.write_text(
        config.replace("</clickhouse>", f"<users_config>{folder}/users.xml</users_config></clickhouse>")
    )
    return path


MIGRATIONS = [
    statement for path in sorted(FOLDER.glob("*.sql")) for statement in split_statements(path.read_text())
]
PREPARATION = [
    *(f"CREATE DATABASE {name}" for name in ("souk", "souk_rows", "analytics", "private")),
    f"CREATE TABLE private.t {TABLE}",
    "USE souk",
    *MIGRATIONS,
    f"CREATE TABLE souk_rows.t {TABLE}",
    "INSERT INTO souk_rows.t VALUES (7)",
    "CREATE VIEW souk.metric AS SELECT a FROM souk_rows.t",
    "CREATE VIEW analytics.sales AS SELECT a FROM souk.metric",
    "CREATE TABLE souk.lock (nothing UInt8) ENGINE = Memory",
    "DROP TABLE souk.lock",
    "SELECT count() FROM souk.order_placed",
]
NOT_FOR_THE_ADMINISTRATOR = [
    "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1', 'private', 't')",
    "CREATE TABLE souk.f (x Int32) ENGINE = File(TSV)",
    "CREATE TABLE souk.u (x Int32) ENGINE = URL('http://127.0.0.1:1/', TSV)",
    "CREATE USER somebody",
    "GRANT ALL ON *.* TO default",
]
FOR_READERS = [
    "SELECT a FROM analytics.sales",
    "SELECT count() FROM souk.order_placed",
    "SELECT 1 SETTINGS max_threads = 1, max_execution_time = 5",
    *(f"SELECT 1 FROM system.{name} LIMIT 1" for name in sorted(SYSTEM_TABLES)),
]
NOT_FOR_READERS = [
    *NOT_FOR_THE_ADMINISTRATOR[:-2],
    "SELECT * FROM private.t",
    "SELECT * FROM merge('private', 't')",
    "SELECT * FROM loop(private, t)",
    "SELECT * FROM mergeTreeIndex(private, t)",
    "SELECT * FROM system.users",
    "SELECT * FROM system.row_policies",
    "INSERT INTO souk.order_placed SELECT * FROM souk.order_placed",
    "DROP TABLE souk.order_placed",
    "CREATE TABLE souk.mine (a Int32) ENGINE = Memory",
    "SET readonly = 0",
]
OVER_LIMITS = [
    "SELECT 1 SETTINGS max_execution_time = 0",
    "SELECT 1 SETTINGS max_execution_time = 61",
    "SELECT 1 SETTINGS max_memory_usage = 0",
    "SELECT 1 SETTINGS max_rows_to_read = 9000000000000",
    "SET max_threads = 64",
]


def run_as(user: str, folder: Path, *statements: str) -> Iterator[str]:
    """Run statements as a user of the stack on the data in `folder`, and yield the answers."""
    config = write_config(user, folder / user)
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, f"{folder / 'data'}?config-file={config}"],
        input=json.dumps(statements),
        capture_output=True,
        text=True,
        check=True,
    )
    return (json.loads(line).strip() for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder with the platform's tables, and the answers to `NOT_FOR_THE_ADMINISTRATOR`."""
    folder = tmp_path_factory.mktemp("stack")
    answers = run_as("admin", folder, *PREPARATION, *NOT_FOR_THE_ADMINISTRATOR)
    first = list(islice(answers, len(PREPARATION)))
    assert [answer for answer in first if answer.startswith("error")] == []
    assert first[-1] == "0"
    return folder, list(answers)


def test_the_administrator_applies_all_migrations_and_reaches_nothing_outside(
    prepared: tuple[Path, list[str]],
) -> None:
    _, refused = prepared
    assert [answer for answer in refused if DENIED not in answer] == []
    assert len(refused) == len(NOT_FOR_THE_ADMINISTRATOR)


@pytest.mark.parametrize(("user", "defaults"), [("analyst", "true\ttrue"), ("serving", "false\tfalse")])
def test_a_reader_reads_the_platforms_databases_within_limits_and_changes_nothing(
    prepared: tuple[Path, list[str]], user: str, defaults: str
) -> None:
    folder, _ = prepared
    default = "SELECT getSetting('final'), getSetting('join_use_nulls')"
    answers = run_as(user, folder, default, *FOR_READERS, *NOT_FOR_READERS, *OVER_LIMITS)
    assert next(answers) == defaults
    read = list(islice(answers, len(FOR_READERS)))
    assert read[:3] == ["7", "0", "1"]
    # This engine lacks some tables of the list.
    assert [answer for answer in read if answer.startswith("error") and MISSING not in answer] == []
    refused = list(islice(answers, len(NOT_FOR_READERS)))
    assert [answer for answer in refused if not any(reason in answer for reason in REFUSED)] == []
    over = list(answers)
    assert [answer for answer in over if TOO_MUCH not in answer] == []
    assert (len(refused), len(over)) == (len(NOT_FOR_READERS), len(OVER_LIMITS))
