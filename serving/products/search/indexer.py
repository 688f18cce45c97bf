"""Keeps the live index current, and builds another one beside it when there is none, or it can't be used.

    events ─▶ rows.sqlite (rows, positions, pending documents: one transaction) ─▶ index (commit) ─▶ struck
    off

Each generation has rows and an index of its own, so a new one is built and catches up while the old one is
followed.
"""

import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, time, time_ns

import structlog

from common.errors import PartUnavailable
from common.file_replacement import replace_file
from common.kafka import cluster_id
from common.metrics import SEARCH_COMPLETE_AT, SEARCH_DELAY, SEARCH_GENERATIONS
from common.readiness import Check
from common.settings import Settings
from schemas.product_categories import CategoryTree
from serving.products.search.documents import variant_keys
from serving.products.search.index import (
    REBUILD,
    TREE,
    IndexWriter,
    ask_for_rebuild,
    current_format,
    damaged_files,
    index_path,
    live_name,
    make_live,
    search_folder,
)
from serving.products.search.rows import Rows
from serving.products.search.shop_tree import ShopTree
from serving.products.search.sources import (
    EventReader,
    PositionsLost,
    first_positions,
    load_snapshot,
    read_levels,
)

WRITTEN_AT_ONCE = 500
"""The number of documents between two commits: about a quarter of a second."""

BUILT_AT_ONCE = 20_000
"""The same while a generation is built, which nobody reads yet."""

COMMIT_EVERY_S = 0.25
"""A commit costs about 20 ms of CPU whatever its size, so there are at most four a second."""

LEVELS_EVERY_S = 300.0

TREE_EVERY_S = 2.0
"""How often the category tree is read, which is one short request."""

RETRY_S = 2.0

log = structlog.get_logger()


class Generation:
    """The rows and the index in one folder. One thread at a time uses it."""

    def __init__(self, folder: Path, currency: str) -> None:
        """Open a folder, or make it.

        Raises:
            sqlite3.DatabaseError: the rows are damaged.
            ValueError: the index is damaged.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.rows = Rows(folder / "rows.sqlite", currency)
        self._told = self._written = ""
        self._writer = IndexWriter(index_path(folder))

    def write_pending(self, at_once: int) -> bool:
        """Write and commit that many documents; return whether something is left to do.

        Readers are told the category tree a call after its last document, which all of them see by then.
        """
        if self._written != self._told:
            replace_file(self.folder / TREE, self._written)
            self._told = self._written
        documents = self.rows.pending(at_once)
        if documents:
            for document in documents:
                self._writer.put(document, self.rows.fields(document))
            self._writer.commit()
            self.rows.strike_off(documents)
        if len(documents) == at_once:
            return True
        self._written = self.rows.tree_digest
        return self._written != self._told

    def close(self) -> None:
        """Close both."""
        self._writer.close()
        self.rows.close()


class Follower:
    """Reads events into a generation, and writes its documents."""

    def __init__(self, settings: Settings, generation: Generation, is_live: bool) -> None:
        self._settings, self._generation, self._is_live = settings, generation, is_live
        self._levels: list[tuple[str, int]] | None = None
        self._tree: CategoryTree | None = None
        self._failure = ""

    def follow(self, is_done: Callable[[bool], bool]) -> None:
        """Follow until `is_done`, which is told whether the index has every event.

        While a server does not answer, it is asked again.

        Raises:
            PositionsLost, sqlite3.DatabaseError, ValueError: the generation can't be continued.
        """
        while not is_done(False):
            try:
                if self._generation.rows.origin() != cluster_id(self._settings.kafka):
                    raise PositionsLost("the rows follow another Kafka cluster")
                with EventReader(self._settings, self._generation.rows.positions()) as reader:
                    self._read(reader, is_done)
                return
            except PartUnavailable as error:
                if str(error) != self._failure:
                    log.warning("waiting for events to index", reason=str(error))
                self._failure = str(error)
                threading.Event().wait(RETRY_S)

    def offer_levels(self, levels: list[tuple[str, int]]) -> None:
        """Let the next round take how well products sell."""
        self._levels = levels

    def offer_tree(self, tree: CategoryTree) -> None:
        """Let the next round take the category tree."""
        self._tree = tree

    def _read(self, reader: EventReader, is_done: Callable[[bool], bool]) -> None:
        rows, at_once = self._generation.rows, WRITTEN_AT_ONCE if self._is_live else BUILT_AT_ONCE
        oldest: int | None = None
        has_more, committed_at = True, 0.0
        reported: dict[tuple[str, int], int] = {}
        while not is_done(reader.is_at_end and not has_more):
            events, positions, came_at = reader.read()
            self._failure = ""
            if positions:
                rows.apply(events, positions)
                reported |= positions
                oldest = came_at if oldest is None else oldest
                has_more = True
            levels, self._levels = self._levels, None
            if levels is not None:
                rows.set_levels(levels)
                has_more = True
            tree, self._tree = self._tree, None
            if tree is not None and rows.set_tree(tree):
                has_more = True
            if has_more and monotonic() - committed_at >= COMMIT_EVERY_S:
                has_more = self._generation.write_pending(at_once)
                committed_at = monotonic()
                if self._is_live and not has_more:
                    reader.report(reported)
                    reported.clear()
                    if oldest is not None:
                        SEARCH_DELAY.labels("event").observe(max(0.0, time() - oldest / 1000))
                    oldest = None
            if self._is_live and reader.is_at_end and not has_more:
                SEARCH_COMPLETE_AT.labels("live").set_to_current_time()


class Indexer:
    """Runs the follower of the live generation in a thread, and builds another when one is needed."""

    def __init__(self, settings: Settings, stop: threading.Event) -> None:
        self._settings, self._stop = settings, stop
        self._folder = search_folder(settings)
        self._live: Generation | None = None
        self._follower: Follower | None = None
        self._thread: threading.Thread | None = None
        self._ends = threading.Event()
        self._shop_tree = ShopTree(settings)
        self._levels_at = self._tree_at = float("-inf")
        self._failure = ""

    def run(self) -> None:
        """Work until `stop`."""
        with self._shop_tree:
            self._run()

    def _run(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._live = self._open_live()
        self._remove_others()
        self._start_following()
        while not self._stop.is_set():
            try:
                if self._live is not None and not self._is_followed():
                    self._stop_following()
                    self._live = None
                if self._live is None or (self._folder / REBUILD).exists():
                    self._rebuild()
                self._refresh_tree()
                self._refresh_levels()
                self._failure = ""
            except PartUnavailable as error:
                if str(error) != self._failure:
                    log.warning("waiting for the facts to index", reason=str(error))
                self._failure = str(error)
            self._stop.wait(RETRY_S / 2)
        self._stop_following()

    def _open_live(self) -> Generation | None:
        """Return the live generation; None if there is none of this format, or it is damaged."""
        name = live_name(self._folder)
        if name is None:
            return None
        try:
            if damaged := damaged_files(index_path(self._folder / name)):
                log.error("the search index is damaged", generation=name, files=damaged)
                return None
            generation = Generation(self._folder / name, self._settings.shop_currency)
            if generation.rows.is_sound() and generation.rows.origin() is not None:
                return generation
            generation.close()
        except (sqlite3.DatabaseError, ValueError, OSError) as error:
            log.error("the search index can't be opened", generation=name, reason=str(error))
        return None

    def _rebuild(self) -> None:
        """Build a generation, let it catch up, and switch to it.

        Raises:
            PartUnavailable: a server does not answer. What was built is removed.
        """
        (self._folder / REBUILD).unlink(missing_ok=True)
        name, begun = f"{current_format()}-{time_ns()}", monotonic()
        generation: Generation | None = None
        try:
            cluster, positions = first_positions(self._settings)
            generation = Generation(self._folder / name, self._settings.shop_currency)
            if tree := self._shop_tree.read() or (self._live and self._live.rows.tree):
                generation.rows.set_tree(tree)
            load_snapshot(self._settings, generation.rows)
            generation.rows.set_levels(read_levels(self._settings))
            generation.rows.begin(cluster, positions)
            Follower(self._settings, generation, is_live=False).follow(
                lambda done: done or self._stop.is_set()
            )
        except BaseException:
            if generation is not None:
                generation.close()
            shutil.rmtree(self._folder / name, ignore_errors=True)
            raise
        if self._stop.is_set():
            generation.close()
            return
        make_live(self._folder, name)
        self._stop_following()
        self._live = generation
        self._remove_others()
        self._start_following()
        SEARCH_GENERATIONS.labels("built").inc()
        log.info("another search index is live", generation=name, seconds=round(monotonic() - begun, 1))

    def _refresh_levels(self) -> None:
        if self._follower is not None and monotonic() - self._levels_at >= LEVELS_EVERY_S:
            self._follower.offer_levels(read_levels(self._settings))
            self._levels_at = monotonic()

    def _refresh_tree(self) -> None:
        """Let the live index take the tree. Only another index can have other attributes of variants."""
        if self._live is None or self._follower is None or monotonic() - self._tree_at < TREE_EVERY_S:
            return
        self._tree_at = monotonic()
        tree = self._shop_tree.read()
        if tree is None:
            return
        if variant_keys(tree) == variant_keys(self._live.rows.tree):
            self._follower.offer_tree(tree)
        else:
            ask_for_rebuild(self._folder)

    def _start_following(self) -> None:
        if self._live is not None:
            self._ends.clear()
            self._follower = Follower(self._settings, self._live, is_live=True)
            self._thread = threading.Thread(
                target=self._follow, args=(self._follower,), name="search index", daemon=True
            )
            self._thread.start()

    def _follow(self, follower: Follower) -> None:
        try:
            follower.follow(lambda _: self._ends.is_set())
        except (PositionsLost, sqlite3.DatabaseError, ValueError, OSError) as error:
            log.error("the search index can't be continued", reason=str(error))

    def _is_followed(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _stop_following(self) -> None:
        """Stop the thread, and close its generation."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join()
        if self._live is not None:
            with suppress(sqlite3.DatabaseError, ValueError):
                self._live.close()
        self._thread = self._follower = None

    def _remove_others(self) -> None:
        """Remove the folders of generations that are not live. Readers keep the files that they have open."""
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder.name != live_name(self._folder):
                shutil.rmtree(folder, ignore_errors=True)


def work(settings: Settings, stop: threading.Event) -> None:
    """Keep the index current until `stop` is set.

    A request to a server that does not answer, or a snapshot, is left: the next start repeats it.

    Raises:
        RuntimeError: the indexer has met a bug. The process ends, and is started again.
    """
    thread = threading.Thread(target=Indexer(settings, stop).run, name="indexer", daemon=True)
    thread.start()
    while thread.is_alive() and not stop.wait(RETRY_S / 2):
        continue
    thread.join(settings.stop_timeout_s / 2)
    if not stop.is_set():
        raise RuntimeError("the indexer has ended; its error is above")


def checks(settings: Settings) -> dict[str, Check]:
    """Return what `/ready` checks: nothing that others must wait for, as ClickHouse answers meanwhile."""
    folder = search_folder(settings)
    return {"index": lambda: None if live_name(folder) else "the first index is being built"}
