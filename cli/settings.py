"""`./souk settings list | set | history | rollback`: settings and feature flags of the running platform."""

from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Column

from common.configuration.definitions import DEFINITIONS
from common.errors import UserError
from common.settings import Settings
from local.commerce_request import commerce_request
from local.table import print_json, print_table

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

MAX_SHOWN = 30
"""The largest number of characters of a value in the list of all settings; its history shows all of it."""

_WORDS = {"true": True, "on": True, "false": False, "off": False}

Name = Annotated[str, typer.Argument(help="A setting, as `./souk settings list` names it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; the history shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show each setting: its value, what it takes, and the reason of its last change."""
    found = _request("GET", "/v1/settings")
    if as_json:
        print_json(found)
        return
    print_table(
        (
            Column("setting", no_wrap=True),
            Column("value", no_wrap=True),
            Column("version", no_wrap=True, justify="right"),
            Column("reason", min_width=20),
            "takes",
        ),
        (map(escape, (one["name"], *_in_table(one))) for one in found),
    )


@app.command("set")
def set_(
    name: Name,
    value: Annotated[str, typer.Argument(help="true, false, a number, a text, or a list in JSON.")],
    reason: Reason,
    version: Annotated[
        int | None, typer.Option("--version", help="Refuse the change unless this is the present version.")
    ] = None,
) -> None:
    """Set a value. Every process knows it within about a second."""
    expected = {} if version is None else {"version": version}
    body = {"value": read_value(name, value), "reason": reason, **expected}
    _print_state(_request("PUT", _path(name), body))


@app.command()
def history(name: Name, as_json: AsJson = False) -> None:
    """Show the versions of a setting, the newest first, each with its author and reason."""
    page = _request("GET", f"{_path(name)}/history")
    versions = page["versions"]
    while page["next_before"] is not None:
        page = _request("GET", f"{_path(name)}/history?before={page['next_before']}")
        versions += page["versions"]
    if as_json:
        print_json(versions)
        return
    if not versions:
        print(f"{name} has its default: nobody has changed it")
        return
    rows = []
    for one in versions:
        restored = one["rolled_back_to"]
        why = one["reason"] if restored is None else f"{one['reason']} (back to version {restored})"
        cells = (str(one["version"]), _shown(one["value"]), one["changed_at"][:19] + "Z", one["author"], why)
        rows.append(map(escape, cells))
    titles = ("version", "value", "changed at", "author", "reason")
    print_table([Column(title, no_wrap=title != "reason") for title in titles], rows)


@app.command()
def rollback(
    name: Name,
    version: Annotated[int, typer.Argument(min=0, help="A version of the history; 0 is the default.")],
    reason: Reason,
) -> None:
    """Set the value of an earlier version again. This makes a new version; no version is deleted."""
    _print_state(_request("POST", f"{_path(name)}/rollback", {"version": version, "reason": reason}))


def read_value(name: str, text: str) -> Any:
    """Return an argument as the JSON value to send: a text for text settings, otherwise what it looks like.

    The service refuses a value that does not fit and says which values the setting takes.
    """
    if name in DEFINITIONS and DEFINITIONS[name].kind == "text":
        return text
    try:
        return _WORDS[text.lower()] if text.lower() in _WORDS else orjson.loads(text)
    except ValueError:
        return text


def _in_table(setting: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return value, version, reason and what a setting takes. A list is shown by its length."""
    value, takes = _shown(setting["value"]), setting["expected"]
    if setting["type"] == "list":
        value, takes = f"{len(setting['value'])} entries", takes.partition(",")[0]
    elif len(value) > MAX_SHOWN:
        value = f"{value[: MAX_SHOWN - 1]}…"
    return value, str(setting["version"]), setting["reason"] or "", takes


def _path(name: str) -> str:
    """Return the path of a setting.

    Raises:
        UserError: there is none with this name.
    """
    if name not in DEFINITIONS:
        raise UserError(f"there is no setting {name}: `./souk settings list` shows all")
    return f"/v1/settings/{name}"


def _request(method: str, path: str, body: Any = None) -> Any:
    return commerce_request(Settings.load(), method, path, body)


def _print_state(setting: dict[str, Any]) -> None:
    print(f"{setting['name']} is {_shown(setting['value'])} (version {setting['version']})")


def _shown(value: Any) -> str:
    return orjson.dumps(value).decode()
