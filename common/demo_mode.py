"""Demo mode: nothing in this installation is private, so that some doors open without a password.

`./souk demo` and `./souk replay` turn it on by the file `demo_mode` in the home directory. The setting
`SOUK_DEMO` overrides the file.
"""

from pathlib import Path

from common.settings import Settings


def mode_file(settings: Settings) -> Path:
    """Return the file whose existence means demo mode."""
    return settings.home / "demo_mode"


def is_demo(settings: Settings) -> bool:
    """Return whether demo mode is on now. It may change while a process runs.

    Only the file's existence is checked, which Landlock allows in a confined process.
    """
    return mode_file(settings).exists() if settings.demo is None else settings.demo
