from io import StringIO

import pytest
from rich.console import Console

from local.demo import display


def output_of(lag, monkeypatch, stall_timeout_s=0.0) -> str:
    """Return what a user reads during the wait."""
    monkeypatch.setattr(display, "LINE_INTERVAL_S", 0.0)
    out = StringIO()
    display.wait(lambda: next(lag), lambda: None, Console(file=out, width=200), stall_timeout_s)
    return out.getvalue()


def test_without_a_terminal_lines_say_how_many_messages_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    said = output_of(iter([290_000, 0]), monkeypatch, stall_timeout_s=60)

    assert said == "processing the history: 290,000 messages to go\n"


def test_messages_that_are_not_read_are_reported_before_it_goes_live(monkeypatch: pytest.MonkeyPatch) -> None:
    said = output_of(iter([9, 9, 7, 7, 7, 7]), monkeypatch)

    assert said.startswith("7 messages are not processed yet, and their number has not fallen")
    assert "`./souk status`" in said


def test_nothing_is_printed_when_everything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert output_of(iter([0]), monkeypatch) == ""
