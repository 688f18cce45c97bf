"""Writes what the shoppers of live visits want when they search, beside the ground truth of the history."""

from pathlib import Path

import orjson

from producers.simulator.live.steps import PlannedVisit
from producers.simulator.saved_world import directory_of
from producers.simulator.searches import KINDS
from producers.simulator.world.world import World

MAX_BYTES = 32 * 2**20
"""Size from which on a new file is begun. The one before is kept, older ones are not."""


class LiveSearchTruth:
    """Appends a line of JSON for each search to `<home>/simulator/truth/live_searches.jsonl`.

    A search that an interrupted visit does not reach has a line without an event.
    """

    def __init__(self, world: World, home: Path) -> None:
        self._world = world
        self._path = directory_of(home) / "truth" / "live_searches.jsonl"
        self._lines: list[bytes] = []

    def add(self, plan: PlannedVisit) -> None:
        """Add the searches of a visit."""
        ids, shoppers = self._world.products.ids, self._world.shoppers.ids
        for _, view in plan.views:
            for search in view.searches:
                wanted = search.wanted
                self._lines.append(
                    orjson.dumps(
                        {
                            "search_id": search.search_id, "session_id": plan.session_id,
                            "shopper_id": shoppers[plan.shopper], "product_id": ids[wanted.product],
                            "kind": KINDS[wanted.kind], "attribute": wanted.attribute,
                            "language": wanted.language, "misspelt": wanted.misspelt,
                            "finds_nothing": not search.page,
                        },
                        option=orjson.OPT_APPEND_NEWLINE,
                    )
                )  # fmt: skip

    def flush(self) -> None:
        """Write what was added.

        Raises:
            OSError: the file can't be written, for example because the disk is full. The lines are dropped.
        """
        lines, self._lines = self._lines, []
        if not lines:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size > MAX_BYTES:
            self._path.replace(self._path.with_suffix(".before.jsonl"))
        with self._path.open("ab") as file:
            file.writelines(lines)
