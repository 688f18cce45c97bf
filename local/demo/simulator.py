"""The simulator as a child of the demo: launched as every part is, so that `./souk down` finds it, too."""

import signal
import sys
from subprocess import DEVNULL, Popen, TimeoutExpired
from typing import Self

from common.errors import STOPPED, PartUnavailable, UserError
from common.settings import ROOT, Settings
from local.demo import traffic
from local.home import Home, settings_environment
from local.stack import last_words
from local.supervision import launch
from local.supervision.launch_file import Launch, write_launch
from local.supervision.processes import record_path
from local.supervision.supervisor import SIMULATOR as NAME

USERS_MISTAKE = 2
"""Its exit code for one, after a line that says what it is."""

STOP_S = 20.0
"""How long it may take to send what it has begun."""


class Simulator:
    """One run of `python -m producers.simulator`, its output in `<home>/logs/simulator.log`, until left.

    A run that a demo left behind, as after kill -9, ends when the next one is launched.
    """

    def __init__(self, settings: Settings, *arguments: str) -> None:
        self._home = home = Home(settings.home)
        traffic.path_of(settings.home).unlink(missing_ok=True)  # of an earlier run
        record_path(home.run, NAME).unlink(missing_ok=True)
        argv = [sys.executable, "-m", "producers.simulator", *arguments]
        write_launch(home, NAME, Launch(argv, ROOT, settings_environment(settings), stop_signal="INT"))
        self._process = Popen(
            [sys.executable, "-IS", launch.__file__, str(home.run), NAME],
            start_new_session=True, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ended(self) -> bool:
        """Whether it has done all that it was started for.

        Raises:
            UserError: it was asked for what it can't do; the message is its own.
            PartUnavailable: it failed, and the message has the end of its log; or someone else stopped it.
        """
        code = self._process.poll()
        if code == USERS_MISTAKE:
            said = self._home.log(NAME).read_text(errors="replace").splitlines()
            raise UserError(said[-1].removeprefix("souk: "))
        if code == STOPPED:
            raise PartUnavailable(
                "the simulator was stopped from elsewhere, as `./souk down` does; what it sent is kept: "
                "`./souk demo` goes on from here"
            )
        if code:
            raise PartUnavailable(
                f"the simulator ended with exit code {code}\n{last_words(self._home, NAME)}"
            )
        return code == 0

    def stop(self) -> None:
        """Ask it to end, and see to it that it does."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_S)
            except TimeoutExpired:
                self._process.kill()
                self._process.wait()
        launch.end_leftovers(str(self._home.run), NAME)
        record_path(self._home.run, NAME).unlink(missing_ok=True)
