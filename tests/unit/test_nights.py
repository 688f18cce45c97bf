"""Trainings and audits of one machine take turns."""

import subprocess
import sys
from pathlib import Path

from structlog.testing import capture_logs

from common.nights import night_turn
from common.settings import ROOT

TAKE_TURN = """
import sys
from pathlib import Path
from common.nights import night_turn
with night_turn(Path(sys.argv[1]), "an audit") as is_turn:
    print(is_turn, flush=True)
    sys.stdin.read()
"""


def test_only_one_process_has_the_turn_and_it_ends_with_the_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TAKE_TURN, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as audit:
        assert audit.stdout
        assert audit.stdout.readline() == "True\n"
        with capture_logs() as lines, night_turn(tmp_path, "a training") as is_turn:
            assert not is_turn
        audit.kill()
    with night_turn(tmp_path, "a training") as is_turn:
        assert is_turn
    [line] = lines
    assert (line["waiting"], line["owner_pid"]) == ("a training", str(audit.pid))
