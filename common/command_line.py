"""Runs a command line and turns how it ended into an exit code and at most one line."""

import sys
from collections.abc import Callable
from typing import Any

import typer

from common.errors import STOPPED, SoukError, UserError


def exit_code(app: Callable[[], Any]) -> int:
    """Call a typer app that is not standalone, which answers with its exit code, or with nothing for 0.

    Returns 0 done, 1 failed (or what the command itself found), 2 a user's mistake, 130 stopped by Ctrl-C.
    """
    try:
        code: int = app() or 0
    except typer.TyperException as error:
        print(_mistake(error.format_message()), file=sys.stderr)
        return error.exit_code
    except SoukError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    except KeyboardInterrupt:
        code = STOPPED
    if code == STOPPED:  # typer turns a Ctrl-C inside a command into its exit code, without a word
        print("souk: stopped", file=sys.stderr)
    return code


def _mistake(said: str) -> str:
    """One line for a command line that can't be read; where nothing was asked, it is the help itself."""
    return said if "\n" in said else f"souk: {said.rstrip('.')} (--help says what there is)"
