"""Rules of the local stack that need no server."""

import os
import signal
import socket
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cli.status import lag_lines
from common.errors import UserError
from common.process_records import ProcessRecord, read_process_record
from common.settings import ROOT, Settings
from local import stack
from local.parts import flink, kafka, part, postgres, redis, registry
from local.parts.part import NotReady
from local.parts.processes import PROCESSES
from local.parts.resolve import parse_version
from local.passwords import ensure
from local.stack import Step, require_free, run_steps
from local.state_directory import SOCKET_PATH_LIMIT, SOCKET_SUFFIX_ROOM, StateDirectory, settings_environment
from local.status import Lag
from local.supervision.launch import PROCESS_MARKER, boot_id, started_ticks
from local.supervision.launch_file import write_launch_file
from local.supervision.supervisor import STOP_TIMEOUT_S, render, running_processes, stop_all, stop_timeout_s
from local.table import duration


def program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def listener() -> socket.socket:
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server


def sleeper(run: Path, part: str = "kafka") -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-S", "-c", "import time; print(1, flush=True); time.sleep(60)"],
        env={PROCESS_MARKER: f"{part}@{run}"}, stdout=subprocess.PIPE,
    )  # fmt: skip


def record_of(pid: int, **changed: object) -> ProcessRecord:
    values = {
        "part": "kafka", "pid": pid, "started_ticks": started_ticks(pid), "boot_id": boot_id(),
        "digest": "", "stop_signal": "TERM", "starts": 1,
    }  # fmt: skip
    return ProcessRecord(**{**values, **changed})  # type: ignore[arg-type]  # one dict for fields of two types


def test_a_url_in_the_settings_comes_before_everything_and_is_never_started(tmp_path):
    settings = Settings(home=tmp_path, redis_url="redis://:secret@cache:6380/2")

    part = redis.part(settings)

    assert part.launch is None
    assert (part.resolution.source, part.resolution.location) == ("url", "redis://cache:6380/2")


def test_no_address_that_is_shown_contains_the_password_of_redis(tmp_path):
    settings = Settings(home=tmp_path, port_offset=4, redis_password="p@ss/word")

    assert settings.redis == "redis://:p%40ss%2Fword@127.0.0.1:6383/0"
    assert redis.part(settings).url == "redis://127.0.0.1:6383/0"


def test_a_program_on_path_comes_before_the_bundled_one(tmp_path, monkeypatch):
    mine = program(tmp_path / "bin", "redis-server", "Redis server v=7.4.1 sha=0")
    monkeypatch.setenv("PATH", f"{mine.parent}:/usr/bin:/bin")

    found = redis.find(Settings(home=tmp_path))[1]

    assert (found.source, found.version, found.location) == ("path", "7.4.1", str(mine))


def test_a_program_on_path_that_is_too_old_is_not_used(tmp_path, monkeypatch):
    old = program(tmp_path / "bin", "postgres", "postgres (PostgreSQL) 15.13")
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")

    found = postgres.find(Settings(home=tmp_path), tmp_path / "data")[1]

    assert found.source == "bundled"
    assert parse_version(found.version)[0] >= postgres.MIN_VERSION


def test_a_program_of_the_installation_itself_counts_as_bundled(tmp_path, monkeypatch):
    program(tmp_path / "venv" / "bin", "redis-server", "Redis server v=9.9.9")
    monkeypatch.setenv("PATH", f"{tmp_path / 'venv' / 'bin'}:/bin")

    assert redis.find(Settings(home=tmp_path, install=tmp_path / "venv"))[1].source == "bundled"


def test_a_data_directory_of_another_release_is_refused(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("12\n")

    with pytest.raises(Exception, match="written by PostgreSQL 12"):
        postgres.find(Settings(home=tmp_path), data)


def test_flinks_configuration_is_yaml_and_names_only_loopback_addresses(tmp_path):
    home = tmp_path / 'a "home" with: odd # signs'

    options = yaml.safe_load(flink.render(flink.options(Settings(home=home), home)))

    addresses = {v for name, v in options.items() if name.endswith(("host", "address", "bind-host"))}
    assert addresses == {"127.0.0.1"}
    assert options["execution.checkpointing.dir"] == f"file://{home}/checkpoints"


def test_the_taskmanagers_jvm_gets_the_sizes_of_its_configuration(tmp_path):
    options = flink.options(Settings(home=tmp_path), tmp_path)

    heap = sum(
        int(options[f"taskmanager.memory.{name}.heap.size"].removesuffix("m"))
        for name in ("framework", "task")
    )

    assert f"-Xmx{heap}m" in flink.taskmanager_flags()


def test_flink_and_the_reconciler_of_its_jobs_restart_when_the_connectors_change(tmp_path):
    settings = Settings(home=tmp_path, install=tmp_path)
    mark = tmp_path / "share" / "souk" / "connectors" / "digest"
    mark.parent.mkdir(parents=True)

    def digests(connectors: str) -> list[str]:
        mark.write_text(connectors)
        home = StateDirectory(tmp_path)
        home.run.mkdir(exist_ok=True)
        return [
            write_launch_file(home, part.name, part.launch)
            for part in (*flink.parts(settings), PROCESSES["jobs"].part(settings))
        ]

    before = digests("one")

    assert digests("one") == before
    assert all(new != old for new, old in zip(digests("other"), before, strict=True))


def test_kafka_listens_on_loopback_and_stores_old_events():
    text = kafka.CONFIG.format(host="127.0.0.1", port=1, controller=2, session=3)
    config = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))

    assert config["listeners"] == "BROKER://127.0.0.1:1,CONTROLLER://127.0.0.1:2"
    assert config["advertised.listeners"] == "BROKER://127.0.0.1:1"
    assert config["log.retention.ms"] == "-1"


def test_the_registry_stores_its_schemas_in_the_postgresql_of_the_settings():
    options = registry.storage_options("postgresql://me:p%40ss@db:5433/shop")

    assert options["apicurio.datasource.url"] == "jdbc:postgresql://db:5433/shop?currentSchema=registry"
    assert options["apicurio.datasource.password"] == "p@ss"


def test_the_supervisors_configuration_contains_no_path():
    assert "/" not in render({"kafka": "TERM", "postgres": "INT"})


def test_a_process_that_is_started_reads_the_same_settings(tmp_path, monkeypatch):
    settings = Settings(home=tmp_path, port_offset=7, clickhouse_admin_password="s3cret")

    for name, value in settings_environment(settings).items():
        monkeypatch.setenv(name, value)

    assert Settings() == settings


def test_passwords_are_readable_only_by_their_owner_and_do_not_change(tmp_path):
    path = tmp_path / "secrets.toml"
    path.write_text('clickhouse_admin_password = "old"\n')

    settings = ensure(Settings(home=tmp_path))

    assert path.stat().st_mode & 0o777 == 0o600
    kept = tomllib.loads(path.read_text())
    assert kept["clickhouse_admin_password"] == "old"
    assert (
        settings.clickhouse_serving_password.get_secret_value() == kept["clickhouse_serving_password"] != ""
    )
    assert ensure(Settings(home=tmp_path)) == settings


@given(st.integers(min_value=1, max_value=300))
def test_the_supervisors_socket_fits_with_a_long_state_directory(length):
    socket_path = StateDirectory(Path("/", *["d" * 50] * (length // 50), "e" * (length % 50 + 1))).socket()

    assert len(os.fsencode(socket_path)) + SOCKET_SUFFIX_ROOM <= SOCKET_PATH_LIMIT


def test_a_used_port_is_reported_in_one_line_with_part_port_process_and_advice():
    with listener() as server:
        port = server.getsockname()[1]
        with pytest.raises(UserError) as raised:
            require_free("kafka", {"kafka": port}, 0)

    message = str(raised.value)
    assert "\n" not in message
    for said in ("kafka", str(port), f"pid {os.getpid()}", "SOUK_PORT_OFFSET"):
        assert said in message


def test_a_free_port_is_accepted():
    with listener() as server:
        port = server.getsockname()[1]

    require_free("kafka", {"kafka": port}, 0)


def test_stop_all_ends_the_processes_of_this_copy_and_no_others(tmp_path):
    mine, other = sleeper(tmp_path / "mine"), sleeper(tmp_path / "other")
    (tmp_path / "mine").mkdir()
    try:
        for process in (mine, other):
            assert process.stdout
            process.stdout.readline()

        assert stop_all(tmp_path / "mine") == 1

        assert mine.wait(10) == -signal.SIGTERM
        assert other.poll() is None
    finally:
        for process in (mine, other):
            process.kill()
            process.communicate()


def test_a_reused_pid_is_not_a_process_of_this_copy():
    me = os.getpid()

    assert record_of(me).alive
    assert not record_of(me, started_ticks=started_ticks(me) - 1).alive
    assert not record_of(me, boot_id="another boot").alive


def test_a_truncated_record_counts_as_none(tmp_path):
    (tmp_path / "kafka.pid.json").write_text('{"pid": 1')

    assert read_process_record(tmp_path, "kafka") is None
    assert running_processes(tmp_path) == {}


class NotYet(BaseHTTPRequestHandler):
    """Responds to every path with 503 and the text `said`."""

    said = ""

    def do_GET(self) -> None:
        self.send_response(503)
        self.end_headers()
        self.wfile.write(self.said.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('{"ready": false, "missing": {"stopping": "told to stop"}}', "shop: stopping: told to stop"),
        (
            '{"missing": {"orders": "no books", "inventory": "no books", "payments": "no Kafka"}}',
            "shop: orders, inventory: no books; payments: no Kafka",
        ),
        ("<html>a proxy</html>", "shop: <html>a proxy</html>"),
    ],
)
def test_the_reason_why_a_process_is_not_ready_is_a_sentence(said, told):
    handler = type("Handler", (NotYet,), {"said": said})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.handle_request).start()
        with pytest.raises(NotReady) as raised:
            part.check_process("shop", f"http://127.0.0.1:{server.server_port}")

    assert str(raised.value) == told


def test_steps_run_after_what_they_need():
    done: list[str] = []
    steps = [
        Step("c", lambda: None, ("b", "not a step")),
        Step("b", lambda: None, ("a",)),
        Step("a", lambda: None),
    ]

    run_steps(steps, done.append)

    assert done == ["a", "b", "c"]


def test_a_step_may_return_what_is_left_to_do_once_its_own_needs_are_done():
    done: list[str] = []
    rest = Step("rest", lambda: done.append("the rest"), ("topics",))
    steps = [
        Step("tables", lambda: rest),
        Step("serving", lambda: None, ("tables",)),
        Step("topics", lambda: None, ("kafka",)),
        Step("kafka", lambda: None),
    ]

    run_steps(steps, done.append)

    assert done == ["kafka", "topics", "the rest", "tables", "serving"]


def test_the_pages_start_before_kafka_flink_and_the_jobs(tmp_path: Path):
    settings = Settings(home=tmp_path)
    needs = {part.name: part.needs for part in stack.all_parts(settings)}
    needs |= {step.name: step.needs for step in stack.set_up(settings)}

    waited_for, pending = set(), ["serving"]
    while pending:
        waited_for |= set(new := needs[pending.pop()])
        pending += new

    assert waited_for == {"tables", "migrations", "clickhouse", "redis", "postgres"}
    assert "serving" not in {*needs["jobs"], *needs["commerce"]}


def test_a_failed_step_stops_those_that_need_it():
    ran: list[str] = []

    def fails() -> None:
        raise UserError("no")

    with pytest.raises(UserError):
        run_steps([Step("a", fails), Step("b", lambda: ran.append("b"), ("a",))], ran.append)

    assert ran == []


def test_a_failed_step_cancels_the_running_steps():
    given_up = threading.Event()

    def fails() -> None:
        raise UserError("no")

    with pytest.raises(UserError):
        run_steps([Step("waits", lambda: given_up.wait(60)), Step("fails", fails)], print, given_up.set)

    assert given_up.is_set()


ENDLESS = """
import signal
import sys
from functools import partial
from cli.status import lag_lines
from local.status import Lag
from common.settings import Settings
from local.stack import Step, run_steps
from schemas.setup import register

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts the tests may ignore it
mute = sys.argv[1]
settings = Settings(kafka_bootstrap=mute, registry_url=f"http://{mute}")
run_steps([Step("topics", partial(register, settings))], print)
"""


def test_ctrl_c_does_not_wait_for_running_steps():
    with listener() as mute:
        mute.settimeout(60)
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        command = [sys.executable, "-c", ENDLESS, address]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as up:
            try:
                mute.accept()  # accepts the connection and never responds
                up.send_signal(signal.SIGINT)
                said = up.communicate(timeout=8)[1]  # the registry's timeout is 10 s, Kafka's 20 s
            finally:
                up.kill()

    assert said.endswith("KeyboardInterrupt\n")
    assert up.returncode in (-signal.SIGINT, 1)  # 1 if another thread is compiling at this moment


def test_steps_whose_needs_form_a_cycle_are_refused():
    with pytest.raises(ValueError, match="form a cycle"):
        run_steps([Step("a", lambda: None, ("b",)), Step("b", lambda: None, ("a",))], print)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(4.4, "4s"), (60, "1m"), (11_100, "3h05m"), (187_200, "2d4h")]
)
def test_durations_are_short_text(seconds, shown):
    assert duration(seconds) == shown


def test_a_removed_setting_in_souk_toml_does_not_stop_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "souk.toml").write_text("real_time = false\nport_offset = 7\n")
    monkeypatch.setattr("common.settings.ROOT", tmp_path)

    assert Settings.load().port_offset == 7


def test_status_prints_how_far_each_job_and_service_is_behind():
    lag = Lag({"facts": 0, "rankings": 1_234}, {"orders": 5, "payments": 0})

    assert lag_lines(lag) == [
        "messages behind, jobs: facts 0, rankings 1,234",
        "messages behind, services: orders 5, payments 0",
    ]


def test_a_home_that_others_could_enter_is_closed(tmp_path):
    home = tmp_path / "home"
    (home / "kafka").mkdir(parents=True)
    (home / "run").mkdir()
    files = [home / "secrets.toml", home / "run" / "kafka.launch.json"]
    for file in files:
        file.touch()
        file.chmod(0o644)
    for folder in (home, home / "kafka", home / "run"):
        folder.chmod(0o755)
    (home / "elsewhere").symlink_to(tmp_path)
    tmp_path.chmod(0o755)

    StateDirectory(home).make()

    assert {path.stat().st_mode & 0o777 for path in (home, home / "kafka", home / "run", home / "logs")} == {
        0o700
    }
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert tmp_path.stat().st_mode & 0o777 == 0o755, "a link is not followed"


def test_a_part_has_longer_to_stop_than_its_own_limits_allow():
    assert stop_timeout_s(Settings(drain_s=1, stop_timeout_s=2)) == STOP_TIMEOUT_S
    patient = Settings(drain_s=30, stop_timeout_s=20)
    assert stop_timeout_s(patient) > 30 + 3 * 20
    assert f"stopwaitsecs = {stop_timeout_s(patient)}" in render(
        {"kafka": "TERM"}, 20, stop_timeout_s(patient)
    )
