"""supervisord, which restarts a part that dies, with back-off."""

import contextlib
import os
import shlex
import signal
import sys
import time
from collections.abc import Collection
from subprocess import DEVNULL, Popen

from common.errors import PartUnavailable
from local.home import Home
from local.supervision import launch
from local.supervision.launch_file import Launch, write_launch
from local.supervision.processes import POLL_S, read_record, record_path, sweep, wait_gone
from local.supervision.rpc import call

NAME = "supervisor"
SIMULATOR = "simulator"
"""A demo's child, which is no part: it bears that parts are away, and `up` lets it be."""

START_S = 15.0
STOP_S = 25
"""How long a part may take to stop before it is killed."""

AT_REST = ("STOPPED", "EXITED", "FATAL")
"""States in which supervisord has no process of a part and will not start one by itself."""

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


def render(stop_signals: dict[str, str]) -> str:
    """supervisord's configuration: no paths in it, since a path may hold characters it reads."""
    user = "user = root\n" if os.geteuid() == 0 else ""
    programs = [
        PROGRAM.format(name=name, stop_signal=stop_signal, stop_s=STOP_S)
        for name, stop_signal in sorted(stop_signals.items())
    ]
    return HEADER.format(user=user) + "".join(programs)


class Supervisor:
    """The supervisord of one copy."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._socket = home.socket()

    def alive(self) -> bool:
        """Whether supervisord answers."""
        try:
            return bool(call(self._socket, "supervisor.getState")["statename"] == "RUNNING")
        except PartUnavailable:
            return False

    def start(self, stop_signals: dict[str, str]) -> None:
        """Make sure that supervisord runs with these programs (part → stop signal), nothing stray beside it.

        A supervisord that died leaves its parts running; nobody would restart them, so they are stopped
        (they keep their data) and started again by the new one. A demo's simulator goes on meanwhile.

        Raises:
            PartUnavailable: it does not start; the message names its log.
        """
        config, text = self._home.run / "supervisord.conf", render(stop_signals)
        if config.exists() and config.read_text() == text and self.alive():
            return
        self.stop(spared=(SIMULATOR,))
        config.write_text(text)
        self._home.make_socket_folder()
        self._socket.unlink(missing_ok=True)
        arguments = ["-IS", launch.__file__, str(self._home.run)]
        spec = Launch(
            argv=[sys.executable, "-m", "supervisor.supervisord", "-n", "-c", "supervisord.conf"],
            cwd=self._home.run,
            env={"SOUK_SOCKET": str(self._socket), "SOUK_LAUNCH": shlex.join([sys.executable, *arguments])},
        )
        write_launch(self._home, NAME, spec)
        process = Popen(
            [sys.executable, *arguments, NAME],
            start_new_session=True, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + START_S
        while not self.alive():
            if process.poll() is not None or time.monotonic() > deadline:
                raise PartUnavailable(f"the supervisor does not start: see {self._home.log(NAME)}")
            time.sleep(POLL_S)

    def stop(self, spared: Collection[str] = ()) -> int:
        """End supervisord and every process of this copy but the `spared`. Returns how many outlived it."""
        record = read_record(self._home.run, NAME)
        if self.alive():
            call(self._socket, "supervisor.shutdown")
        elif record and record.alive:
            os.kill(
                record.pid, signal.SIGKILL
            )  # it hangs: were it asked politely, it might restart what we stop
        if record:
            wait_gone({record.pid: record.started_ticks}, STOP_S + 5)
        strays = sweep(self._home.run, spared)
        if self._socket.parent != self._home.run:
            self._socket.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._socket.parent.rmdir()
        return strays

    def states(self) -> dict[str, str]:
        """supervisord's word for the state of each part it knows, such as RUNNING, BACKOFF or STOPPED."""
        infos = call(self._socket, "supervisor.getAllProcessInfo")
        return {str(info["name"]): str(info["statename"]) for info in infos}

    def runs(self, name: str) -> bool:
        """Whether the part's process is there now."""
        record = read_record(self._home.run, name)
        return bool(record and record.alive) and self.states().get(name) in ("RUNNING", "STARTING")

    def run_part(self, name: str, digest: str) -> bool:
        """Start a part unless it runs from the same launch file already. Returns whether it was started."""
        record = read_record(self._home.run, name)
        if record and record.digest == digest and self.runs(name):
            return False
        self.stop_parts([name])
        record_path(self._home.run, name).unlink(missing_ok=True)
        call(self._socket, "supervisor.startProcess", name, False)
        return True

    def stop_parts(self, names: Collection[str]) -> None:
        """Stop these parts at the same time and wait until they are gone.

        Raises:
            PartUnavailable: one does not end, even when killed.
        """
        for name, state in self.states().items():
            if name in names and state not in AT_REST:
                call(self._socket, "supervisor.stopProcess", name, False)
        deadline = time.monotonic() + STOP_S + 10
        while left := [n for n, state in self.states().items() if n in names and state not in AT_REST]:
            if time.monotonic() > deadline:
                raise PartUnavailable(f"{', '.join(left)} did not stop within {STOP_S + 10} s")
            time.sleep(POLL_S)
