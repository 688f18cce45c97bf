"""Runs a command line; turns its result or error into an exit code and at most one line of text."""

import sys
from collections.abc import Callable
from typing import Any

import typer

from common.errors import INTERRUPTED, SoukError, UserError


def exit_code(app: Callable[[], Any]) -> int:
    """Call a typer app in non-standalone mode and return the exit code of the process.

    Returns: 0 success, 1 failure (or a finding of the command itself), 2 a user's mistake, 130 Ctrl-C.
    `app` returns an exit code, or None for success.
    """
    try:
        code: int = app() or 0
    except typer.TyperException as error:
        print(_usage_error(error.format_message()), file=sys.stderr)
        return error.exit_code
    except SoukError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:  # typer returns this code for Ctrl-C inside a command and prints nothing
        print("souk: stopped", file=sys.stderr)
    return code


def _usage_error(message: str) -> str:
    """Return typer's usage error as one line.

    For a command without arguments, typer's message is the help text, which is returned unchanged.
    """
    return message if "\n" in message else f"souk: {message.rstrip('.')} (see --help)"
