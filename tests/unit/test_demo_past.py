from io import StringIO

import pytest
from rich.console import Console

from local.demo import past


def told(lag, monkeypatch, still_s=0.0) -> str:
    """What a user reads while the past is counted."""
    monkeypatch.setattr(past, "LINE_S", 0.0)
    out = StringIO()
    past.wait(lambda: next(lag), lambda: None, Console(file=out, width=200), still_s)
    return out.getvalue()


def test_without_a_terminal_lines_say_how_much_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    said = told(iter([290_000, 0]), monkeypatch, still_s=60)

    assert said == "counting the past: 290,000 messages to go\n"


def test_what_is_not_counted_is_told_before_it_goes_live_without(monkeypatch: pytest.MonkeyPatch) -> None:
    said = told(iter([9, 9, 7, 7, 7, 7]), monkeypatch)

    assert said.startswith("7 messages are not counted yet, and their number did not fall")
    assert "`./souk status`" in said


def test_a_past_that_is_counted_needs_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(iter([0]), monkeypatch) == ""
