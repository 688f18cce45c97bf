"""`./souk logs [PART] [-f]`: the last lines of the parts' logs, and what comes."""

import time
from pathlib import Path
from typing import Annotated, TextIO

import typer

from common.errors import UserError
from common.settings import Settings
from local.home import Home

POLL_S = 0.3
TAIL_BYTES = 1024 * 1024


def command(
    part: Annotated[str, typer.Argument(help="The part, such as kafka; all of them if not given.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
) -> None:
    """Show the logs of the parts."""
    home = Home(Settings.load().home)
    found = sorted(home.logs.glob("*.log"))
    names = [path.stem for path in found]
    if part and part not in names:
        raise UserError(
            f"there is no log of {part!r}" + (f"; there are: {', '.join(names)}" if names else "")
        )
    if not found:
        raise UserError(f"there are no logs in {home.logs} yet: run `./souk up` first")
    chosen = [home.log(part)] if part else found
    for path in chosen:
        for line in last_lines(path, lines):
            show(path, line, len(chosen))
    if follow:
        follow_all(chosen)


def last_lines(path: Path, count: int) -> list[str]:
    """The last `count` lines of a file (of its last megabyte)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return lines[-count:] if count else []


def show(path: Path, line: str, files: int) -> None:
    """Print a line, with its part's name if there are several."""
    print(f"{path.stem:<12} {line}" if files > 1 else line, flush=True)


def follow_all(paths: list[Path]) -> None:
    """Print whatever is added to these files, for ever; a file that is set aside is opened anew."""
    files: dict[Path, TextIO] = {}
    for path in paths:
        files[path] = path.open(errors="replace")
        files[path].seek(0, 2)
    while True:
        quiet = True
        for path, file in files.items():
            while line := file.readline():
                show(path, line.rstrip("\n"), len(paths))
                quiet = False
            if path.exists() and path.stat().st_size < file.tell():
                file.close()
                files[path] = path.open(errors="replace")
        if quiet:
            time.sleep(POLL_S)
