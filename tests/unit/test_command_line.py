"""The command line: each command can be built, and none pays for another's imports."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cli.__main__ import COMMANDS, build
from common.settings import ROOT


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(name: str) -> None:
    shown = CliRunner().invoke(build(name), [name, "--help"], prog_name="souk")

    assert shown.exit_code == 0, shown.output
    assert f"Usage: souk {name}" in shown.output


@pytest.mark.parametrize("asked", ["", "status"])
def test_only_the_asked_command_is_imported(asked: str) -> None:
    program = (
        "import sys; from cli.__main__ import *; build(sys.argv[1]); "
        "print(*COMMANDS.keys() & {name.removeprefix('cli.') for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, asked], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == asked


def test_an_unknown_command_gives_exit_code_2() -> None:
    assert CliRunner().invoke(build("nothing"), ["nothing"]).exit_code == 2
