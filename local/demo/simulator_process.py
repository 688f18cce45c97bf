"""Runs the simulator as a child process of the demo, with the marker by which `./souk down` finds it."""

import signal
import sys
from subprocess import DEVNULL, Popen, TimeoutExpired
from typing import Self

from common.errors import INTERRUPTED, PartUnavailable, UserError
from common.process_records import process_record_path
from common.settings import ROOT, Settings
from local.demo.figures import status_path
from local.logs.files import last_lines
from local.logs.record import read_records
from local.stack import log_tail
from local.state_directory import StateDirectory, settings_environment
from local.supervision import launch
from local.supervision.launch_file import LaunchSpec, write_launch_file
from local.supervision.supervisor import SIMULATOR as NAME

SECRETS = ("internal_secret", "registry_password")
"""The passwords that the process needs."""

USER_ERROR = 2
"""Exit code of the simulator for a user's mistake. The last line of its log has the reason."""

STOP_TIMEOUT_S = 20.0
"""Time for the simulator to send the events of its current requests."""


class SimulatorProcess:
    """Runs `python -m producers.simulator` for a `with` block; its output is `<home>/logs/simulator.log`.

    A simulator that still runs after a kill -9 of its demo is killed when the next one starts.
    """

    def __init__(self, settings: Settings, *arguments: str) -> None:
        self._home = home = StateDirectory(settings.home)
        status_path(settings.home).unlink(missing_ok=True)  # of the previous run
        process_record_path(home.run, NAME).unlink(missing_ok=True)
        write_launch_file(
            home,
            NAME,
            LaunchSpec(
                [sys.executable, "-m", "producers.simulator", *arguments],
                ROOT,
                settings_environment(settings, SECRETS),
                stop_signal="INT",
            ),
        )
        self._process = Popen(
            [sys.executable, "-IS", launch.__file__, str(home.run), NAME],
            start_new_session=True, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ended(self) -> bool:
        """Return whether the simulator has finished its work.

        Raises:
            UserError: its arguments are invalid. The message is the simulator's.
            PartUnavailable: it failed (the message has the end of its log), or another process stopped it.
        """
        code = self._process.poll()
        if code == USER_ERROR:
            *_, last = read_records(NAME, last_lines(self._home.log(NAME), 1))
            raise UserError(last.fields.get("reason", last.message))  # SOUK_LOG_FORMAT may be text
        if code == INTERRUPTED:
            raise PartUnavailable(
                "another process stopped the simulator, such as `./souk down`. Its events are kept: "
                "`./souk demo` continues from here"
            )
        if code:
            raise PartUnavailable(f"the simulator ended with exit code {code}\n{log_tail(self._home, NAME)}")
        return code == 0

    def stop(self) -> None:
        """Stop the simulator: SIGINT first, SIGKILL after `STOP_TIMEOUT_S`."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except TimeoutExpired:
                self._process.kill()
                self._process.wait()
        launch.kill_leftovers(str(self._home.run), NAME)
        process_record_path(self._home.run, NAME).unlink(missing_ok=True)
