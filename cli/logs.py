"""`./souk logs [PART] [-f]`: prints the last lines of the parts' logs, ordered by time."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TextIO

import typer

from common.errors import UserError
from common.settings import Settings
from local.log_merge import merged
from local.state_directory import StateDirectory

POLL_S = 0.3
TAIL_BYTES = 1024 * 1024


def command(
    part: Annotated[str, typer.Argument(help="The part, such as kafka; default: all parts.")] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new lines as they are written.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines of each part.")] = 50,
) -> None:
    """Show the logs of the parts, ordered by time."""
    home = StateDirectory(Settings.load().home)
    paths = sorted(home.logs.glob("*.log"))
    names = [path.stem for path in paths]
    if part and part not in names:
        raise UserError(
            f"there is no log of {part!r}" + (f"; there are logs of {', '.join(names)}" if names else "")
        )
    if not paths:
        raise UserError(f"there are no logs in {home.logs} yet: run `./souk up` first")
    chosen = [home.log(part)] if part else paths
    show({path.stem: last_lines(path, lines) for path in chosen}, len(chosen))
    if follow:
        follow_all(chosen)


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last `count` lines of a file, reading at most its last megabyte."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return lines[-count:] if count else []


def show(lines: Mapping[str, list[str]], parts: int) -> None:
    """Print lines (part → its lines) by time, each with its part's name if there are several parts."""
    for part, line in merged(lines):
        print(f"{part:<12} {line}" if parts > 1 else line, flush=True)


def follow_all(paths: list[Path]) -> None:
    """Print new lines of these files until Ctrl-C. A file that was rotated is opened again."""
    files: dict[Path, TextIO] = {}
    for path in paths:
        files[path] = path.open(errors="replace")
        files[path].seek(0, 2)
    while True:
        new: dict[str, list[str]] = {}
        for path, file in files.items():
            new[path.stem] = [line.rstrip("\n") for line in file.readlines()]
            if path.exists() and path.stat().st_size < file.tell():
                file.close()
                files[path] = path.open(errors="replace")
        show(new, len(paths))
        if not any(new.values()):
            time.sleep(POLL_S)
