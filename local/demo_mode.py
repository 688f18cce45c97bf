"""Turns demo mode on for an installation."""

from contextlib import suppress

from common.demo_mode import mode_file
from common.errors import PartUnavailable
from common.settings import Settings
from local.commerce_request import commerce_request

_TEXT = """\
This installation is in demo mode, because `./souk demo` or `./souk replay` ran here: programs on this machine
can read ClickHouse without a password. Delete this file, or set SOUK_DEMO=false, to end demo mode.
"""


def set_demo(settings: Settings) -> None:
    """Turn demo mode on. Running processes notice it; the setting `SOUK_DEMO` overrides it."""
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode_file(settings).write_text(_TEXT, encoding="utf-8")


def offer_demo_sessions(settings: Settings) -> None:
    """Let the start page open a session by one click, until a real person registers.

    Nothing happens if the commerce services do not run. The next demo or replay tries again.
    """
    with suppress(PartUnavailable):
        commerce_request(settings, "PUT", "/v1/auth/demo")
