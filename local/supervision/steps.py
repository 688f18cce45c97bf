"""Runs named steps in parallel, each as soon as the steps that it needs are done."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace

from common.background import in_background

SIGNAL_CHECK_S = 0.5
"""How often the wait for a step ends, so that Python sees a signal that arrived just before it began."""


@dataclass(frozen=True)
class Step:
    """A function to run after the steps in `needs`.

    If it returns a step, that one is what is left to do. The whole is done once it has run, after its own
    needs.
    """

    name: str
    run: Callable[[], object]
    needs: tuple[str, ...] = ()


def run_steps(
    steps: list[Step], finished: Callable[[str], None], cancel: Callable[[], None] = lambda: None
) -> None:
    """Run every step; call `finished(name)` in this thread after each.

    After the first error, no further step starts. `cancel()` is called, and the error is raised when the
    running steps have ended. Ctrl-C does not wait for them, because every step can be repeated. A need that
    names no step counts as done.

    Raises:
        ValueError: the needs of the steps form a cycle.
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
                raise ValueError(f"the needs of these steps form a cycle: {', '.join(waiting)}")
            for step in ready:
                running[in_background(step.run)] = waiting.pop(step.name).name
            for future in wait(running, SIGNAL_CHECK_S, FIRST_COMPLETED).done:
                name = running.pop(future)
                rest = future.result()
                if isinstance(rest, Step):
                    waiting[name] = replace(rest, name=name)
                else:
                    done.add(name)
                    finished(name)
    except BaseException as error:
        cancel()
        if not isinstance(error, KeyboardInterrupt):
            wait(running)
        raise
