"""Runs named steps, each as soon as what it needs is done, as many at once as can be."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

from common.background import in_background


@dataclass(frozen=True)
class Step:
    """Something to do after other things."""

    name: str
    run: Callable[[], object]
    needs: tuple[str, ...] = ()


def run_all(
    steps: list[Step], finished: Callable[[str], None], give_up: Callable[[], None] = lambda: None
) -> None:
    """Run every step; `finished(name)` is called in this thread after each.

    The first error stops what has not begun and is raised once the running steps are through; `give_up()` is
    called to make them hurry. Ctrl-C waits for none: every step may be done again. A need that names no step
    counts as done.

    Raises:
        ValueError: steps wait for each other in a circle.
    """
    names = {step.name for step in steps}
    waiting = {step.name: step for step in steps}
    done: set[str] = set()
    running: dict[Future[object], str] = {}
    try:
        while waiting or running:
            ready = [
                s for s in waiting.values() if all(need in done or need not in names for need in s.needs)
            ]
            if not ready and not running:
                raise ValueError(f"these steps wait for each other: {', '.join(waiting)}")
            for step in ready:
                running[in_background(step.run)] = waiting.pop(step.name).name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                future.result()
                done.add(name)
                finished(name)
    except BaseException as error:
        give_up()
        if not isinstance(error, KeyboardInterrupt):
            wait(running)
        raise
