"""Waits until the past that was made up is counted, so that shoppers come to a shop that knows it."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from rich.console import Console

from common.errors import PartUnavailable
from common.settings import Settings
from jobs.commit import commit_soon, uncommitted
from jobs.registry import READS as JOBS_READ
from jobs.settle import Lag, settle_while_moving
from jobs.waiting import messages_behind
from local.demo.watch import LINE_S
from producers.registry import READS as SERVICES_READ

STANDS_STILL_S = 120.0
"""Longer than a job takes to begin anew and to commit what it has read, on a busy machine."""

HURRY_EVERY_S = 10.0
"""How often jobs are asked to commit; they count nothing for most of a second then."""


def catch_up(settings: Settings, console: Console) -> None:
    """Wait until jobs and services have read all that lies in Kafka; until then shoppers would queue behind
    it, and ask for products that nobody has heard of."""
    wait(lag_of(settings), partial(commit_soon, settings, JOBS_READ), console, STANDS_STILL_S)


def lag_of(settings: Settings) -> Lag:
    """How many messages jobs and services have to read; the last answer while Kafka or Flink has none."""
    last = 1

    def lag() -> int:
        nonlocal last
        with suppress(PartUnavailable):
            begun = uncommitted(settings, JOBS_READ)  # first: what is committed later counts
            last = begun + messages_behind(settings.kafka, JOBS_READ | SERVICES_READ)
        return last

    return lag


def wait(lag: Lag, hurry: Callable[[], None], console: Console, still_s: float) -> None:
    """Wait until `lag()` is zero; where it does not fall for `still_s`, say so and go on."""
    printed_s = time.monotonic()
    with console.status("counting the past") as status:

        def tell(behind: int) -> None:
            nonlocal printed_s
            says = f"counting the past: {behind:,} messages to go"
            status.update(says)
            if not console.is_terminal and time.monotonic() - printed_s >= LINE_S:
                printed_s = time.monotonic()
                console.print(says, highlight=False)

        left = settle_while_moving(lag, still_s, tell, hurry, HURRY_EVERY_S)
    if left:
        console.print(
            f"{left:,} messages are not counted yet, and their number did not fall for {still_s:g} s: going "
            "live all the same; `./souk status` and `./souk logs jobs` may say what is wrong",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )
