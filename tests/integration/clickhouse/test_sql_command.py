import io
import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest

from cli.__main__ import main
from common.settings import ROOT


@pytest.fixture
def souk_sql(clickhouse_server, monkeypatch, capsys):
    """Runs `souk sql` with arguments and standard input, in this process; returns exit code and output."""
    environment = {
        "SOUK_HOME": str(clickhouse_server.home),
        "SOUK_PORT_OFFSET": str(clickhouse_server.port_offset),
        "SOUK_CLICKHOUSE_ADMIN_PASSWORD": clickhouse_server.clickhouse_admin_password.get_secret_value(),
        "SOUK_CLICKHOUSE_ANALYST_PASSWORD": clickhouse_server.clickhouse_analyst_password.get_secret_value(),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["souk", "sql", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = main()
        return (code, *capsys.readouterr())

    return run


def test_a_query_comes_from_the_argument_a_file_or_standard_input(souk_sql, tmp_path):
    (tmp_path / "query.sql").write_text("SELECT 1 AS a")

    assert souk_sql("SELECT 1 AS a") == (0, "a\n1\n", "")
    assert souk_sql("--file", str(tmp_path / "query.sql")) == (0, "a\n1\n", "")
    assert souk_sql(stdin="SELECT 1 AS a") == (0, "a\n1\n", "")


def test_parameters_and_formats_are_those_of_clickhouse(souk_sql):
    query = "SELECT {name:String} AS name, {n:UInt8} AS n"

    ran = souk_sql("--format", "JSONEachRow", "--param", "name=it's\t\\x", "--param", "n=3", query)

    assert ran == (0, '{"name":"it\'s\\t\\\\x","n":3}\n', "")


def test_data_for_an_insert_come_from_standard_input(souk_sql):
    assert souk_sql("--admin", "CREATE TABLE IF NOT EXISTS sql_rows (a UInt8, b String) ORDER BY a")[0] == 0
    assert souk_sql("--admin", "INSERT INTO sql_rows FORMAT CSV", stdin='1,"x"\n2,"y"\n') == (0, "", "")
    assert souk_sql("SELECT b FROM sql_rows ORDER BY a") == (0, "b\nx\ny\n", "")


OF_ALL_MEMORY = "SELECT uniqExact(number) FROM numbers(10000000) SETTINGS max_memory_usage = 1000000"


@pytest.mark.parametrize(
    "statement", ["DROP TABLE x", "INSERT INTO x VALUES (1)", "CREATE TABLE x (a UInt8)"]
)
def test_a_refused_write_of_the_analyst_names_the_admin_option(souk_sql, statement):
    exit_code, _, error = souk_sql(statement)

    assert exit_code == 2
    assert error.endswith("; the analyst can only read, --admin can write\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["SELEC 1"], 2, "souk: Code: 62. DB::Exception: Syntax error"),
        (["SELECT * FROM nope"], 2, "souk: Code: 60. DB::Exception: Unknown table"),
        (["SELECT throwIf(number = 3000000) FROM numbers(4000000)"], 2, "souk: Code: 395."),
        (["--admin", "SELECT 1 SETTINGS max_result_rows = 'x'"], 2, "souk: Code: 27."),
        (["--admin", "INSERT INTO x FROM INFILE 'x'"], 2, "souk: Code: 48. DB::Exception: FROM INFILE"),
        ([OF_ALL_MEMORY], 1, "souk: Code: 241."),
        (["--param", "x", "SELECT 1"], 2, "souk: --param x: give it as name=value"),
        (["--file", "/nope", "SELECT 1"], 2, "souk: give a query or --file"),
        (["--file", "/nope"], 2, "souk: /nope can't be read"),
    ],
)
def test_an_error_is_one_line(souk_sql, arguments, code, message):
    exit_code, _, error = souk_sql(*arguments)

    assert exit_code == code
    assert error.startswith(message)
    assert error.count("\n") == 1


def test_without_a_platform_it_says_how_to_start_one():
    environment = os.environ | {"SOUK_CLICKHOUSE_URL": "http://127.0.0.1:1"}
    command = [sys.executable, "-m", "cli", "sql", "SELECT 1"]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert ran.returncode == 1
    assert "start it with ./souk up" in ran.stderr


def test_without_a_query_a_terminal_gets_a_prompt_with_completion_and_history(migrated_database, tmp_path):
    environment = os.environ | {
        "SOUK_HOME": str(tmp_path),
        "SOUK_CLICKHOUSE_URL": migrated_database.clickhouse,
        "SOUK_CLICKHOUSE_DATABASE": migrated_database.clickhouse_database,
        "SOUK_CLICKHOUSE_ANALYST_PASSWORD": migrated_database.clickhouse_analyst_password.get_secret_value(),
        "TERM": "dumb",
    }
    ours, theirs = pty.openpty()
    command = [sys.executable, "-P", "-m", "cli", "sql"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, b"SELECT 40 +\n2 AS answer;\n\\d orders\nDROP TABLE x;\n")
    os.write(ours, b"SELECT count() FROM migrated_analytics.order_l\t;\nexit\n")  # Tab completes the name
    shown = b""
    with suppress(OSError):  # the end of the terminal
        while chunk := os.read(ours, 4096):
            shown += chunk
    os.close(ours)

    assert process.wait(60) == 0
    text = shown.decode(errors="replace")
    assert "answer" in text
    assert "42" in text
    assert "cancellation_reason" in text
    assert "Not enough privileges" in text or "readonly" in text
    assert "migrated_analytics.order_lines" in text
    assert "2 AS answer;" in (tmp_path / "sql_history").read_text()
    assert (tmp_path / "sql_history").stat().st_mode & 0o777 == 0o600
