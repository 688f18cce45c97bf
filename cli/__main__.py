"""`python -m cli COMMAND`: finds the command's module, runs it, and turns errors into one line."""

import sys
from importlib import import_module

import typer

from common.command_line import exit_code

COMMANDS: dict[str, str] = {
    "demo": "start everything, make up a marketplace, and watch it live",
    "up": "start every part that is not running and wait until all are ready",
    "down": "stop everything that this copy started",
    "status": "show each part's state, memory and address",
    "logs": "show the logs of the parts",
    "replay": "turn a data set into events, in event-time order",
    "sql": "run a query on ClickHouse",
    "dlq": "list, show, replay and discard what could not be used",
    "audit": "compare every store with every other, to the cent and the row",
    "evaluate": "tune, choose and judge recommenders on your own files",
    "train": "train a recommender on the platform's own facts",
    "bench": "measure speed, freshness and memory on this machine",
    "dashboards": "write the Grafana dashboards, or put them into a Grafana",
    "schemas": "check and register the event schemas",
    "test": "run the tests",
}
"""Command → one line of help.

`cli/<command>.py` holds a function `command` (and `CONTEXT_SETTINGS`, if it needs any), or a typer app `app`.
"""


def build(asked: str) -> typer.Typer:
    """A typer app that imports the asked command only; the others stand there for the help."""
    app = typer.Typer(
        name="souk",
        help="The data platform of a multi-seller marketplace.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(lambda: None)
    for name, summary in COMMANDS.items():
        if name != asked:
            app.command(name, help=summary)(lambda: None)
            continue
        module = import_module(f"cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, help=summary)
        else:
            settings = getattr(module, "CONTEXT_SETTINGS", None)
            app.command(name, help=summary, context_settings=settings)(module.command)
    return app


def main() -> int:
    """Run the command in `sys.argv`. Exit code 0 done, 1 failed or differences found, 2 a user's mistake."""
    asked = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "")
    return exit_code(lambda: build(asked)(prog_name="souk", standalone_mode=False))


if __name__ == "__main__":
    sys.exit(main())
