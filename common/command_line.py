"""Runs a command line; turns its result or error into an exit code and at most one line of text."""

import sys
from collections.abc import Callable
from typing import Any

import typer

from common.errors import INTERRUPTED, SoukError, UserError


def _print(_code: int, text: str) -> None:
    print(text, file=sys.stderr)


def exit_code(app: Callable[[], Any], report: Callable[[int, str], None] = _print) -> int:
    """Call a typer app in non-standalone mode and return the exit code of the process.

    Returns: 0 success, 1 failure (or a finding of the command itself), 2 a user's mistake, 130 Ctrl-C.
    `app` returns an exit code, or None for success. `report` is called with the exit code and a line for the
    user, which is printed on standard error by default.
    """
    try:
        code: int = app() or 0
    except typer.TyperException as error:
        report(error.exit_code, _usage_error(error.format_message()))
        return error.exit_code
    except SoukError as error:
        code = 2 if isinstance(error, UserError) else 1
        report(code, f"souk: {error}")
        return code
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:  # typer returns this code for Ctrl-C inside a command and prints nothing
        report(code, "souk: stopped")
    return code


def _usage_error(message: str) -> str:
    """Return typer's usage error as one line.

    For a command without arguments, typer's message is the help text, which is returned unchanged.
    """
    return message if "\n" in message else f"souk: {message.rstrip('.')} (see --help)"
