"""`./souk logs [PART]`: prints the parts' logs, ordered by time; `--order ID` tells the story of an order."""

import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from common.clock import system_clock
from common.errors import UserError
from common.settings import Settings
from local.logs.files import Follower, all_lines, last_lines
from local.logs.order_events import OrderEvent, find_order_events
from local.logs.record import (
    LogRecord,
    Selection,
    as_json,
    lines_with,
    merged,
    parse_level,
    parse_time,
    read_records,
    readable,
)
from local.state_directory import StateDirectory

POLL_S = 0.3
DEFAULT_LINES = 50


def command(
    part: Annotated[str, typer.Argument(help="The part, such as kafka; default: all parts.")] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new lines as they are written.")
    ] = False,
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines", "-n", min=0, help="Last lines of each part. Default: 50, or all with a condition."
        ),
    ] = None,
    level: Annotated[str, typer.Option(help="This level and higher ones: debug, info, warning, …")] = "",
    since: Annotated[str, typer.Option(help="From this time on: 15m, 2h, or 2026-11-27T15:04 (UTC).")] = "",
    until: Annotated[str, typer.Option(help="Up to this time.")] = "",
    order: Annotated[str, typer.Option(help="The story of an order, by its id, with its events.")] = "",
    chain_id: Annotated[
        str, typer.Option("--id", help="Lines with this correlation id, trace id or other id.")
    ] = "",
    as_json_lines: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Show the logs of the parts, ordered by time. Times are in UTC."""
    settings = Settings.load()
    paths = _paths(StateDirectory(settings.home), part)
    events = _events(settings, order) if order else []
    selection = Selection(
        level=parse_level(level) if level else None,
        since=parse_time(since, system_clock()) if since else None,
        until=parse_time(until, system_clock()) if until else None,
        ids=_ids(order, chain_id, events),
    )
    width = max(len(path.stem) for path in paths) + 1 if len(paths) > 1 or events else 0
    shown = Printer(width, as_json_lines)
    if selection.is_empty:
        logs = [_parsed(path, last_lines(path, DEFAULT_LINES if lines is None else lines)) for path in paths]
    else:
        logs = [_selected(path, selection, lines) for path in paths]
        any_id = replace(selection, ids=None)  # an event that was not found in Kafka has no trace id
        logs += [list(any_id.of(event.records())) for event in events]
    shown.print(merged(logs))
    if follow:
        follow_all(paths, selection, shown)


def _paths(home: StateDirectory, part: str) -> list[Path]:
    """Return the logs of a part, or of all parts.

    Raises:
        UserError: there are none.
    """
    paths = sorted(home.logs.glob("*.log"))
    names = [path.stem for path in paths]
    if part and part not in names:
        raise UserError(
            f"there is no log of {part!r}" + (f"; there are logs of {', '.join(names)}" if names else "")
        )
    if not paths:
        raise UserError(f"there are no logs in {home.logs} yet: run `./souk up` first")
    return [home.log(part)] if part else paths


def _events(settings: Settings, order_id: str) -> list[OrderEvent]:
    """Return the events of an order that could be read; print which parts did not answer."""
    found = find_order_events(settings, order_id)
    for failure in found.failures:
        print(f"souk: the story is incomplete: {failure}", file=sys.stderr)
    return found.events


def _ids(order_id: str, chain_id: str, events: Iterable[OrderEvent]) -> frozenset[str] | None:
    """Return the ids of which a line must have one; None if every line is meant.

    An order's events carry its id as correlation id. The requests that caused them have the trace ids.
    """
    given = {each for each in (order_id, chain_id) if each}
    return frozenset(given.union(event.trace_id for event in events if event.trace_id)) if given else None


def _parsed(path: Path, lines: Iterable[str]) -> list[LogRecord]:
    return list(read_records(path.stem, lines))


def _selected(path: Path, selection: Selection, limit: int | None) -> list[LogRecord]:
    """Return the selected entries of a log, the last `limit` ones; all files that are kept are read."""
    lines = all_lines(path)
    if selection.ids is not None:
        lines = lines_with(selection.ids, lines)
    found = list(selection.of(read_records(path.stem, lines)))
    return found if limit is None else found[len(found) - min(limit, len(found)) :]


class Printer:
    """Prints entries, each with its part if `part_width` is not 0."""

    def __init__(self, part_width: int, as_json_lines: bool) -> None:
        self._part_width = part_width
        self._as_json = as_json_lines
        self._colours = sys.stdout.isatty()

    def print(self, records: Iterable[LogRecord]) -> None:
        """Print entries in the order in which they come."""
        for record in records:
            if self._as_json:
                print(as_json(record), flush=True)
            else:
                print("\n".join(readable(record, self._part_width, self._colours)), flush=True)


def follow_all(paths: list[Path], selection: Selection, shown: Printer) -> None:
    """Print new entries of these logs until Ctrl-C, also after a log was rotated."""
    followers = {path.stem: Follower(path) for path in paths}
    while True:
        new = {part: follower.new_lines() for part, follower in followers.items()}
        shown.print(merged(selection.of(read_records(part, lines)) for part, lines in new.items()))
        if not any(new.values()):
            time.sleep(POLL_S)
