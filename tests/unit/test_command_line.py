"""The command line: each command can be built, and none pays for another's imports."""

import subprocess
import sys
import tomllib

import pytest
from typer.testing import CliRunner

from cli.__main__ import COMMANDS, build
from cli.test import RUNS
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


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["status", "--nothing"], "No such option: --nothing"),
        (["replay"], "Missing argument"),
        (["bench", "spine", "--events", "many"], "Invalid value for '--events'"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_line_and_exit_code_2(
    arguments: list[str], says: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr
    assert done.stdout == ""


def test_the_exit_code_of_a_command_is_that_of_souk() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "status"], cwd=ROOT, capture_output=True, check=False,
        env={"PATH": "", "SOUK_HOME": "/nonexistent"},
    )  # fmt: skip

    assert done.returncode == 1


def test_souk_test_runs_all_that_pytest_would() -> None:
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]

    folders = [folder for run in RUNS for folder in run if not folder.startswith("--ignore=")]
    ignored = [folder.removeprefix("--ignore=") for run in RUNS for folder in run if folder not in folders]
    assert sorted(folders) == sorted({*configured["testpaths"], *ignored})


@pytest.mark.parametrize("stops", ["import", "command"])
def test_ctrl_c_is_told_in_one_line_wherever_it_comes(stops: str) -> None:
    program = (
        "import signal, sys, cli.__main__ as souk, cli.status as status\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def stop(name: str = ''):\n    signal.raise_signal(signal.SIGINT)\n"
        "souk.import_module = stop if sys.argv[1] == 'import' else souk.import_module\n"
        "status.command = stop\n"
        "sys.argv = ['souk', 'status']\n"
        "sys.exit(souk.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, stops], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "souk: stopped\n")
