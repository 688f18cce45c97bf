"""The command line: each command can be built, and imports only its own modules."""

import subprocess
import sys
import tomllib

import pytest
from typer.testing import CliRunner

from cli.__main__ import COMMANDS, build, main
from cli.test import LANES, lane_arguments
from common.settings import ROOT


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(name: str) -> None:
    shown = CliRunner().invoke(build(name), [name, "--help"], prog_name="souk")

    assert shown.exit_code == 0, shown.output
    assert f"Usage: souk {name}" in shown.output


@pytest.mark.parametrize(
    ("arguments", "explanation"),
    [
        (["audit"], "rereads rows that changed after the cut"),
        (["demo"], "until Ctrl-C"),
        (["bench"], "beside a peer in the same run"),
        (["bench", "answers"], "The orders that it places stay in the shop"),
        (["dlq"], COMMANDS["dlq"]),
        (["test"], "pytest's own arguments may follow"),
    ],
)
def test_the_help_of_a_command_explains_it_in_full(arguments: list[str], explanation: str) -> None:
    shown = CliRunner().invoke(build(arguments[0]), [*arguments, "--help"], prog_name="souk")

    assert explanation in " ".join(shown.output.split())


def test_the_list_of_commands_has_one_line_for_each_of_them() -> None:
    listed = CliRunner().invoke(build("audit"), ["--help"], prog_name="souk")

    assert f"  audit        {COMMANDS['audit']}\n" in listed.output
    assert listed.output == CliRunner().invoke(build(""), ["--help"], prog_name="souk").output


@pytest.mark.parametrize(
    ("arguments", "default"),
    [
        (["bench", "recommenders"], "../shared/data"),
        (["diagrams"], "docs/diagrams"),
    ],
)
def test_the_help_names_default_folders_relative_to_the_checkout(arguments: list[str], default: str) -> None:
    shown = CliRunner().invoke(build(arguments[0]), [*arguments, "--help"], prog_name="souk")

    assert f"[default: ({default})]" in " ".join(shown.output.split())
    assert str(ROOT) not in shown.output


@pytest.mark.parametrize("asked", ["", "status"])
def test_only_the_asked_command_is_imported(asked: str) -> None:
    program = (
        "import sys; from cli.__main__ import *; build(sys.argv[1]); "
        "print(*COMMANDS.keys() & {name[4:] for name in sys.modules if name.startswith('cli.')})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, asked], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == asked


def test_the_version_is_printed_without_a_command() -> None:
    shown = CliRunner().invoke(build(""), ["--version"], prog_name="souk")

    assert shown.exit_code == 0
    assert shown.stdout.startswith(
        f"souk {tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']['version']}"
    )


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
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["souk", *arguments])

    code, (output, errors) = main(), capsys.readouterr()

    assert code == 2
    assert len(errors.splitlines()) == 1
    assert says in errors
    assert output == ""


def test_souk_ends_with_the_exit_code_of_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "status"], cwd=ROOT, capture_output=True, check=False,
        env={"PATH": "", "SOUK_HOME": "/nonexistent"},
    )  # fmt: skip

    assert done.returncode == 1


def test_souk_test_runs_every_folder_that_pytest_would_run() -> None:
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]

    folders = {folder for lane in LANES.values() for folder in lane.folders}
    ignored = {
        argument.removeprefix("--ignore=")
        for lane in LANES
        for argument in lane_arguments(lane, nightly=False)
        if argument.startswith("--ignore=")
    }
    assert folders == {*configured["testpaths"], *ignored}
    markers = {
        folder: {lane.marker for lane in LANES.values() if folder in lane.folders} for folder in folders
    }
    assert all(each in ({""}, {"browser", "not browser"}) for each in markers.values()), markers


@pytest.mark.parametrize("stops", ["import", "command"])
def test_ctrl_c_prints_one_line_during_import_and_during_a_command(stops: str) -> None:
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
