"""Runs supervisord, which restarts a part that dies, with back-off; finds and stops this copy's processes."""

import contextlib
import http.client
import math
import os
import shlex
import signal
import socket
import sys
import time
import xmlrpc.client
from collections.abc import Collection
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

from supervisor.xmlrpc import Faults

from common.errors import PartUnavailable
from common.process_records import (
    process_record_path,
    read_process_record,
    read_process_records,
    recorded_parts,
)
from common.settings import Settings
from local.state_directory import StateDirectory
from local.supervision import launch, log_rotation
from local.supervision.launch import find_processes, started_ticks
from local.supervision.launch_file import LaunchSpec, write_launch_file

POLL_S = 0.05


def running_processes(run: Path, excluded: Collection[str] = ()) -> dict[int, str]:
    """Return the running processes of this copy: pid → name of the signal that stops it.

    The processes of `excluded` parts are left out. Processes are found by their records and by the marker in
    their environment. Both are needed, because PostgreSQL overwrites its environment.
    """
    signals = dict.fromkeys(_marked_processes(run, excluded), "TERM")
    signals.update(
        {
            record.pid: record.stop_signal
            for record in (record for record in read_process_records(run) if record.part not in excluded)
            if record.alive
        }
    )
    return {pid: sign for pid, sign in signals.items() if pid != os.getpid()}


def stop_all(run: Path, excluded: Collection[str] = (), timeout_s: float = 20.0) -> int:
    """Stop every process of this copy except those of `excluded` parts; after `timeout_s`, kill them.

    Returns the number of processes.
    """
    signals = running_processes(run, excluded)
    started = {pid: started_ticks(pid) for pid in signals}
    for pid, name in signals.items():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.Signals[f"SIG{name}"])
    if not wait_for_exit(started, timeout_s):
        for pid in [
            *(pid for pid in started if started_ticks(pid) == started[pid]),
            *_marked_processes(run, excluded),
        ]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for_exit(started, timeout_s)
    for part in recorded_parts(run):
        if part not in excluded:
            process_record_path(run, part).unlink(missing_ok=True)
    return len(signals)


def _marked_processes(run: Path, excluded: Collection[str]) -> set[int]:
    return set(find_processes(str(run))).difference(*(find_processes(str(run), part) for part in excluded))


def wait_for_exit(started: dict[int, int], timeout_s: float) -> bool:
    """Wait until these processes (pid → start ticks) have ended. Returns False after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while any(ticks and started_ticks(pid) == ticks for pid, ticks in started.items()):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


CALL_TIMEOUT_S = 5.0


class ProcessNotRunning(PartUnavailable):
    """The process that was to be stopped had already ended."""


def call(path: Path, method: str, *arguments: Any) -> Any:
    """Call one method, such as `supervisor.getState`, on a new connection to the socket at `path`.

    Raises:
        ProcessNotRunning: a process was to be stopped that had ended.
        PartUnavailable: supervisord does not answer, or returns an error.
    """
    namespace, name = method.split(".")
    try:
        with xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(path)) as server:
            return getattr(getattr(server, namespace), name)(*arguments)
    except xmlrpc.client.Fault as fault:
        kind = ProcessNotRunning if fault.faultCode == Faults.NOT_RUNNING else PartUnavailable
        raise kind(f"the supervisor refused {name}{arguments}: {fault.faultString}") from fault
    except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
        raise PartUnavailable(f"the supervisor does not answer ({error}): run `./souk up` again") from error


class _Transport(xmlrpc.client.Transport):
    """Connects to the unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ARG002 - the socket is the host
        """Return a connection; `ServerProxy` calls this."""
        return _Connection(self._path)


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket, with a timeout."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=CALL_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


NAME = "supervisor"
SIMULATOR = "simulator"
"""The child process of a demo. It is not a part: it tolerates missing parts, and `up` leaves it running."""

START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 30
"""Time for a part to stop before it is killed, unless the settings give its own processes more."""

LOG_LIMIT_MB = 20

STOPPED_STATES = ("STOPPED", "EXITED", "FATAL")
"""States in which supervisord has no process of a part and does not start one."""

HEADER = """\
[unix_http_server]
file = %(ENV_SOUK_SOCKET)s
chmod = 0700

[supervisord]
logfile = supervisord.log
logfile_maxbytes = 1MB
logfile_backups = 1
pidfile = supervisord.pid
nodaemon = true
silent = true
{user}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""

LOG_ROTATION = """
[eventlistener:log_rotation]
command = %(ENV_SOUK_ROTATE)s {limit_bytes}
events = TICK_5
stdout_logfile = NONE
stderr_logfile = NONE
"""

PROGRAM = """
[program:{name}]
command = %(ENV_SOUK_LAUNCH)s {name}
autostart = false
autorestart = true
startsecs = 5
startretries = 1000000
stopsignal = {stop_signal}
stopwaitsecs = {stop_s}
killasgroup = true
stdout_logfile = NONE
stderr_logfile = NONE
"""


def stop_timeout_s(settings: Settings) -> int:
    """Return the time for a part to stop: longer than our own processes take at most (`docs/health.md`)."""
    return max(STOP_TIMEOUT_S, math.ceil(settings.drain_s + 3 * settings.stop_timeout_s) + 5)


def render(
    stop_signals: dict[str, str], log_limit_mb: int = LOG_LIMIT_MB, stop_s: int = STOP_TIMEOUT_S
) -> str:
    """Return supervisord's configuration. It contains no paths, because `%` and `;` have a meaning in it."""
    rotation = LOG_ROTATION.format(limit_bytes=log_limit_mb * 1024 * 1024)
    user = "user = root\n" if os.geteuid() == 0 else ""
    programs = [
        PROGRAM.format(name=name, stop_signal=stop_signal, stop_s=stop_s)
        for name, stop_signal in sorted(stop_signals.items())
    ]
    return HEADER.format(user=user) + rotation + "".join(programs)


class Supervisor:
    """Controls the supervisord of one copy."""

    def __init__(self, home: StateDirectory, stop_s: int = STOP_TIMEOUT_S) -> None:
        """`stop_s` is the time for a part to stop."""
        self._home = home
        self._stop_s = stop_s
        self._socket = home.socket()

    def alive(self) -> bool:
        """Return whether supervisord answers."""
        try:
            return bool(call(self._socket, "supervisor.getState")["statename"] == "RUNNING")
        except PartUnavailable:
            return False

    def start(self, stop_signals: dict[str, str], log_limit_mb: int = LOG_LIMIT_MB) -> None:
        """Start supervisord with these programs (part → stop signal), unless it already runs with them.

        It rotates each log that exceeds the limit.

        If a previous supervisord died, its parts still run without supervision. They are stopped, keep their
        data, and are started again by the new one. A demo's simulator keeps running.

        Raises:
            PartUnavailable: supervisord does not start. The message names its log.
        """
        config, text = self._home.run / "supervisord.conf", render(stop_signals, log_limit_mb, self._stop_s)
        if config.exists() and config.read_text() == text and self.alive():
            return
        self.stop(excluded=(SIMULATOR,))
        config.write_text(text)
        self._home.make_socket_directory()
        self._socket.unlink(missing_ok=True)
        arguments = ["-IS", launch.__file__, str(self._home.run)]
        rotation = [sys.executable, "-IS", log_rotation.__file__]
        spec = LaunchSpec(
            argv=[sys.executable, "-m", "supervisor.supervisord", "-n", "-c", "supervisord.conf"],
            cwd=self._home.run,
            env={
                "SOUK_SOCKET": str(self._socket),
                "SOUK_LAUNCH": shlex.join([sys.executable, *arguments]),
                "SOUK_ROTATE": shlex.join([*rotation, str(self._home.logs)]),
            },
        )
        write_launch_file(self._home, NAME, spec)
        process = Popen(
            [sys.executable, *arguments, NAME],
            start_new_session=True, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.alive():
            if process.poll() is not None or time.monotonic() > deadline:
                raise PartUnavailable(f"the supervisor does not start: see {self._home.log(NAME)}")
            time.sleep(POLL_S)

    def stop(self, excluded: Collection[str] = ()) -> int:
        """Stop supervisord and all processes of this copy except `excluded` parts.

        Returns the number of processes that were still running after supervisord had ended.
        """
        record = read_process_record(self._home.run, NAME)
        if self.alive():
            call(self._socket, "supervisor.shutdown")
        elif record and record.alive:
            # supervisord hangs. After SIGTERM, it could still restart parts that are being stopped.
            os.kill(record.pid, signal.SIGKILL)
        if record:
            wait_for_exit({record.pid: record.started_ticks}, self._stop_s + 5)
        strays = stop_all(self._home.run, excluded)
        if self._socket.parent != self._home.run:
            self._socket.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._socket.parent.rmdir()
        return strays

    def states(self) -> dict[str, str]:
        """Return part → supervisord's state, such as RUNNING, BACKOFF or STOPPED."""
        return {
            str(info["name"]): str(info["statename"])
            for info in call(self._socket, "supervisor.getAllProcessInfo")
        }

    def is_running(self, name: str) -> bool:
        """Return whether the part's process is running."""
        record = read_process_record(self._home.run, name)
        return bool(record and record.alive) and self.states().get(name) in ("RUNNING", "STARTING")

    def run_part(self, name: str, digest: str) -> bool:
        """Start a part unless it already runs with the same launch file. Returns whether it was started."""
        record = read_process_record(self._home.run, name)
        if record and record.digest == digest and self.is_running(name):
            return False
        self.stop_parts([name])
        process_record_path(self._home.run, name).unlink(missing_ok=True)
        call(self._socket, "supervisor.startProcess", name, False)
        return True

    def stop_parts(self, names: Collection[str]) -> None:
        """Stop these parts in parallel and wait until they have ended.

        Raises:
            PartUnavailable: a part does not end, even after SIGKILL.
        """
        for name, state in self.states().items():
            if name in names and state not in STOPPED_STATES:
                with contextlib.suppress(ProcessNotRunning):  # it ended since its state was read
                    call(self._socket, "supervisor.stopProcess", name, False)
        deadline = time.monotonic() + self._stop_s + 10
        while left := [n for n, state in self.states().items() if n in names and state not in STOPPED_STATES]:
            if time.monotonic() > deadline:
                raise PartUnavailable(f"{', '.join(left)} did not stop within {self._stop_s + 10} s")
            time.sleep(POLL_S)
