"""The index on disk: its folders, how the one that is live is read and switched, and what damage is.

    <home>/search/live            the name of the folder that is read; replaced by a rename
    <home>/search/<generation>/   index/ (tantivy), rows.sqlite (`rows.py`) and tree: the indexer alone writes

A name begins with `FORMAT`, so a process never reads an index that another version of this code has made.
"""

import json
import threading
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from mmap import ACCESS_READ, mmap
from pathlib import Path
from time import monotonic
from typing import Any

import structlog
import tantivy
from tantivy import Occur, Query

from common.file_replacement import replace_file
from common.settings import ROOT, Settings
from serving.products.search.documents import SCHEMA, Fields, to_document

LIVE, REBUILD, TREE = "live", "rebuild", "tree"
"""The names of files: one names the live folder, one asks the indexer to build another one, and one in a
generation says of which category tree all its documents are."""

_SOURCES = (
    *(Path(__file__).with_name(name) for name in ("documents.py", "text.py", "synonyms.toml")),
    ROOT / "schemas" / "product_categories.py",
)

CHECK_S = 0.05
"""How often a reader looks whether the index has changed, at most."""

HEAP_BYTES = 40_000_000
"""The memory in which the writer collects documents before it writes them as a segment."""

log = structlog.get_logger()


@cache
def current_format() -> str:
    """Return a digest of all that says what the index has of a product. With another, it is built anew."""
    content = b"\0".join(path.read_bytes() for path in _SOURCES)
    return blake2b(content + version("tantivy").encode(), digest_size=6).hexdigest()


def search_folder(settings: Settings) -> Path:
    """Return the folder of the indexes."""
    return settings.home / "search"


def index_path(generation: Path) -> Path:
    """Return the folder of the engine's files in that of a generation."""
    return generation / "index"


def live_name(folder: Path) -> str | None:
    """Return the name of the live generation; None if there is none of this format."""
    try:
        name = (folder / LIVE).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return name if name.startswith(f"{current_format()}-") and "/" not in name else None


def make_live(folder: Path, name: str) -> None:
    """Let all processes read another generation from now on."""
    replace_file(folder / LIVE, name)


def all_of(*queries: Query) -> Query:
    """Return the query for what all of these find."""
    return (
        queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Must, query) for query in queries])
    )


def one_of(*queries: Query) -> Query:
    """Return the query for what at least one of these finds."""
    if not queries:
        return Query.empty_query()
    return (
        queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Should, query) for query in queries])
    )


def but_not(query: Query, *others: Query) -> Query:
    """Return the query for what this one finds, and none of the others."""
    return Query.boolean_query([(Occur.Must, query), *((Occur.MustNot, other) for other in others)])


MANY_TERMS = 64
"""From so many terms on, one automaton finds them faster than as many queries: it takes 200 µs to build."""


def any_of(name: str, terms: Collection[str]) -> Query:
    """Return the query for what has any of these terms in a field."""
    if len(terms) >= MANY_TERMS:
        return Query.term_set_query(SCHEMA, name, list(terms))
    return one_of(*(Query.term_query(SCHEMA, name, term, "basic") for term in terms))


EVERYTHING = Query.all_query()


class IndexWriter:
    """Writes documents. A process that ends loses what it did after the newest `commit`, and nothing else."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._writer = tantivy.Index(SCHEMA, str(path)).writer(HEAP_BYTES, num_threads=1)

    def put(self, document: str, fields: Fields | None) -> None:
        """Replace a document; with None, remove it."""
        self._writer.delete_documents_by_term("document", document)
        if fields is not None:
            self._writer.add_document(to_document(fields))

    def commit(self) -> None:
        """Let readers see all changes, and write them to disk."""
        self._writer.commit()

    def close(self) -> None:
        """Release the lock of the folder. What was not committed is lost."""
        del self._writer


class LiveIndex:
    """Reads the live index. Threads share it.

    Without an index that can be read, `searcher` returns None, and answers come from ClickHouse.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._name: str | None = None
        self._index: tantivy.Index | None = None
        self._commit = b""
        self._tree_version = ""
        self._tree_read_at = float("-inf")

    def searcher(self) -> tantivy.Searcher | None:
        """Return the newest state of the index, which does not change while it is read."""
        with self._lock:
            if monotonic() - self._checked_at >= CHECK_S:
                self._checked_at = monotonic()
                self._refresh()
            return self._index.searcher() if self._index else None

    @property
    def tree_version(self) -> str:
        """A digest of the category tree of the documents; empty while none was told.

        A change of the tree is no event, so stored responses of lists have this in their key.
        """
        if monotonic() - self._tree_read_at >= CHECK_S:
            self._tree_read_at = monotonic()
            name = live_name(self._folder)
            try:
                self._tree_version = (self._folder / name / TREE).read_text() if name else ""
            except (OSError, UnicodeDecodeError):
                self._tree_version = ""
        return self._tree_version

    @contextmanager
    def read(self) -> Iterator[tantivy.Searcher | None]:
        """Return what `searcher` does. An error in the block is damage if a file of the index has changed.

        Raises:
            IndexDamaged: the index is damaged. It is not read any more, and another one is asked for.
        """
        try:
            yield self.searcher()
        except BaseException as error:
            if not _is_of_engine(error) or not self._is_damaged():
                raise
            raise IndexDamaged(str(error)) from error

    def _refresh(self) -> None:
        name = live_name(self._folder)
        if name is None:
            self._name = self._index = None
        if name is None or (name == self._name and self._index is None):
            return
        path = index_path(self._folder / name)
        try:
            commit = (path / "meta.json").read_bytes()
            if name != self._name:
                self._name, self._index = name, None
                index = tantivy.Index.open(str(path))
                index.config_reader("manual")
                index.reload()
                self._index = index
            elif commit != self._commit and self._index is not None:
                self._index.reload()
            self._commit = commit
        except Exception as error:  # the engine raises ValueError for all that it can't read
            if (path / "meta.json").exists() and damaged_files(path):
                self._give_up(str(error))
            # Otherwise the writer has just removed files that it has merged: the next call reads again.

    def _is_damaged(self) -> bool:
        with self._lock:
            if self._name is None or not damaged_files(index_path(self._folder / self._name)):
                return False
            self._give_up("a file has changed")
            return True

    def _give_up(self, reason: str) -> None:
        self._index = None
        log.error("the search index is damaged", generation=self._name, reason=reason)
        ask_for_rebuild(self._folder)


class IndexDamaged(Exception):
    """The index can't be read."""


def ask_for_rebuild(folder: Path) -> None:
    """Let the indexer build another index, and switch to it."""
    try:
        (folder / REBUILD).touch()
    except OSError as error:
        log.warning("can't ask for another search index", reason=str(error))


def _is_of_engine(error: BaseException) -> bool:
    """Return whether the engine may have raised an error: a panic of it is no `Exception`."""
    return isinstance(error, (ValueError, OSError)) or type(error).__name__ == "PanicException"


_FOOTER_MAGIC = 1337


def damaged_files(path: Path) -> list[str]:
    """Return the names of the index's files that are missing, or whose content has not its checksum.

    The engine ends each file with a checksum of it, but checks none when it reads.
    """
    try:
        segments = json.loads((path / "meta.json").read_bytes())["segments"]
    except (OSError, ValueError, KeyError, TypeError):
        return ["meta.json"]
    return [name for segment in segments for name in _damaged_of(path, segment)]


def _damaged_of(path: Path, segment: Any) -> Iterable[str]:
    stem = segment["segment_id"].replace("-", "")
    deletes = segment.get("deletes")
    deleted = f"{stem}.{deletes['opstamp']}.del" if deletes else ""
    files = [each for each in path.glob(f"{stem}.*") if each.suffix != ".del" or each.name == deleted]
    expected = {deleted, f"{stem}.store", f"{stem}.idx", f"{stem}.term", f"{stem}.fast"} - {""}
    yield from sorted(expected - {each.name for each in files})
    yield from (each.name for each in files if not _has_checksum(each))


def _has_checksum(file: Path) -> bool:
    try:
        with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as content:
            length, magic = (int.from_bytes(content[-at:][:4], "little") for at in (8, 4))
            footer = json.loads(content[-8 - length : -8])
            with memoryview(content) as body:
                return magic == _FOOTER_MAGIC and footer["crc"] == zlib.crc32(body[: -8 - length])
    except (OSError, ValueError, KeyError, TypeError):
        return False
