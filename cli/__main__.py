"""`python -m cli COMMAND`: imports the command's module, runs it, and prints an error as one line."""

import subprocess
import sys
import tomllib
from importlib import import_module
from inspect import getdoc
from keyword import iskeyword
from typing import Annotated

import typer

from common.command_line import exit_code
from common.settings import ROOT

COMMANDS: dict[str, str] = {
    "demo": "start everything and watch a simulated marketplace",
    "up": "start every part that is not running and wait until all are ready",
    "down": "stop everything that this copy started",
    "compose": "write the passwords that docker-compose.yml reads",
    "status": "show each part's state, memory and address",
    "logs": "show the logs of the parts",
    "replay": "convert a data set to events and send them to Kafka",
    "import": "turn the tables of your own shop into events",
    "sql": "run a query on ClickHouse, or open a prompt",
    "dlq": "list, show, replay and discard dead letters",
    "settings": "list, set and roll back the settings that apply while the platform runs",
    "metrics": "list the metrics of ClickHouse, rebuild them, switch and go back",
    "users": "make the first administrator",
    "audit": "compare the contents of all stores, to the cent and the row",
    "evaluate": "tune, select and evaluate recommenders on your own files",
    "train": "train a recommender on the platform's own events",
    "experiments": "show experiments, and judge strategies on the log",
    "bench": "measure speed, freshness and memory on this machine",
    "dashboards": "write the Grafana dashboards to files, or deploy them to Grafana",
    "diagrams": "write the pages of docs/ that are made from the code",
    "schemas": "check and register the event schemas",
    "test": "run the tests",
}
"""Command → its line in the list of commands. The help of a command itself is its docstring.

`cli/<command>.py` has a function `command` (and optionally `CONTEXT_SETTINGS`), or a typer app `app`. The
module of `import`, which is a keyword, is `cli/import_.py`.
"""


def build(chosen: str) -> typer.Typer:
    """Return a typer app that imports only the chosen command. The help lists the other commands, too."""
    app = typer.Typer(
        name="souk",
        help="The data platform of a multi-seller marketplace.",
        no_args_is_help=True,
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    for name, summary in COMMANDS.items():
        if name != chosen:
            app.command(name, help=summary)(lambda: None)
            continue
        module = import_module(f"cli.{name}_" if iskeyword(name) else f"cli.{name}")
        if hasattr(module, "app"):
            group = module.app.registered_callback
            explanation = getdoc(group.callback) if group else summary
            app.add_typer(module.app, name=name, help=explanation, short_help=summary)
        else:
            settings = getattr(module, "CONTEXT_SETTINGS", None)
            app.command(name, short_help=summary, context_settings=settings)(module.command)
    return app


def version() -> str:
    """Return the version in `pyproject.toml`, and the commit if the checkout is a git repository."""
    number = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    describe = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]  # a commit, no tag
    try:
        commit = subprocess.run(describe, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return f"souk {number}"
    return f"souk {number} ({commit})"


def _options(
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if show_version:
        print(version())
        raise typer.Exit


def main() -> int:
    """Run the command in `sys.argv`.

    Returns 0 for success, 1 for failures or differences, 2 for a user's mistake.
    """
    chosen = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "")
    return exit_code(lambda: build(chosen)(prog_name="souk", standalone_mode=False))


if __name__ == "__main__":
    sys.exit(main())
