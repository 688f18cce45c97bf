"""PostgreSQL as a search: ILIKE, and full text with trigrams (`pg_trgm`, from a Maven artifact)."""

import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, Self

import asyncpg
from rich.console import Console

from bench.search.corpus import Document
from bench.temporary_platform import temporary_postgres
from common.settings import Settings
from local.install.fetch import fetch_all, use_system_certificates
from local.install.jars import folder, groups
from local.parts.part import Part
from local.parts.postgres import PUBLIC_DIRECTORY
from producers.simulator.world.inflection import without_accents

CONTRIB = "postgres_contrib"
"""The group of `jars.toml` with PostgreSQL's extensions."""

EXTENSION = "pg_trgm"

_TABLE = """
CREATE TABLE document (
    number integer PRIMARY KEY,
    popularity double precision NOT NULL,
    words text NOT NULL,
    titles text NOT NULL,
    lexemes tsvector NOT NULL
)
"""

_FILL = """
INSERT INTO document
SELECT number, popularity, titles || ' ' || about || ' ' || descriptions, titles || ' ' || about,
    setweight(to_tsvector('portuguese', titles), 'A') || setweight(to_tsvector('english', titles), 'A')
    || setweight(to_tsvector('portuguese', about), 'B') || setweight(to_tsvector('english', about), 'B')
    || setweight(to_tsvector('portuguese', descriptions), 'C')
    || setweight(to_tsvector('english', descriptions), 'C')
FROM unnest($1::integer[], $2::double precision[], $3::text[], $4::text[], $5::text[])
    AS given(number, popularity, titles, about, descriptions)
"""

_INDEXES = (
    "CREATE INDEX ON document USING gin (lexemes)",
    "CREATE INDEX ON document USING gin (titles gin_trgm_ops)",
    "ANALYZE document",
)

_ILIKE = """
SELECT number FROM document
WHERE words ILIKE ALL ($1::text[])
ORDER BY popularity DESC, number
LIMIT $2
"""

_FULL_TEXT = """
WITH wanted AS (SELECT plainto_tsquery('portuguese', $1) || plainto_tsquery('english', $1) AS lexemes)
SELECT number FROM document, wanted
WHERE document.lexemes @@ wanted.lexemes OR $1 <% document.titles
ORDER BY ts_rank_cd(document.lexemes, wanted.lexemes) + $2 * word_similarity($1, document.titles) DESC,
    popularity DESC, number
LIMIT $3
"""


class TextSearchTuning(NamedTuple):
    """Least similarity of words for a match by trigrams, and its weight beside the rank of the text."""

    threshold: float
    weight: float


TUNINGS = tuple(
    TextSearchTuning(threshold, weight) for threshold in (0.4, 0.6, 0.8) for weight in (0.5, 1.0, 2.0, 4.0)
)


class PostgresSearch:
    """The documents in a table, and both searches of it. Texts and queries are folded."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Return a search on a server without documents."""
        connection = await asyncpg.connect(url)
        await connection.execute(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}")
        await connection.execute(_TABLE)
        return cls(connection)

    async def load(self, documents: Sequence[Document]) -> None:
        """Insert the documents and build the indexes."""
        texts = [
            [_folded(part) for part in (each.names, each.about, each.descriptions)] for each in documents
        ]
        await self._connection.execute(
            _FILL,
            [each.number for each in documents],
            [each.popularity for each in documents],
            *map(list, zip(*texts, strict=True)),
        )
        for statement in _INDEXES:
            await self._connection.execute(statement)

    async def ilike(self, query: str, limit: int) -> list[int]:
        """Return documents that have every word of the query anywhere, the most popular first."""
        patterns = [f"%{_escaped(word)}%" for word in _folded([query]).split()]
        return [row["number"] for row in await self._connection.fetch(_ILIKE, patterns, limit)]

    async def full_text(self, query: str, limit: int, tuning: TextSearchTuning) -> list[int]:
        """Return documents that match by stems of either language, or by similar words, the best first."""
        await self._connection.execute(f"SET pg_trgm.word_similarity_threshold = {tuning.threshold:f}")
        rows = await self._connection.fetch(_FULL_TEXT, _folded([query]), tuning.weight, limit)
        return [row["number"] for row in rows]

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()


@contextmanager
def server_with_trigrams(settings: Settings, port_offset: int) -> Iterator[str]:
    """Yield the URL of a temporary server that has `pg_trgm`.

    Raises:
        CannotFetch: the artifact can't be downloaded.
        PartUnavailable: the server does not start.
    """
    use_system_certificates()
    fetch_all(settings.install, [groups()[CONTRIB]], Console(stderr=True, quiet=True))
    # The server runs as another user, who may not enter the installation.
    directory = Path(tempfile.mkdtemp(dir=PUBLIC_DIRECTORY, prefix="souk-bench-"))
    try:
        directory.chmod(0o755)
        _unpack(next(folder(settings.install, CONTRIB).glob("*.jar")), directory)
        with temporary_postgres(settings, port_offset, lambda part: _with_extensions(part, directory)) as own:
            yield own.postgres
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _unpack(jar: Path, into: Path) -> None:
    """Unpack the files of the extension, which are in a tar archive in the jar."""
    with zipfile.ZipFile(jar) as archive:
        [name] = [each for each in archive.namelist() if each.endswith(".txz")]
        packed = BytesIO(archive.read(name))
    with tarfile.open(fileobj=packed, mode="r:xz") as files:
        files.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        for member in files:
            if member.isfile() and Path(member.name).name.startswith(EXTENSION):
                files.extract(member, into)
    for path in into.rglob("*"):
        path.chmod(0o755)


def _with_extensions(part: Part, directory: Path) -> Part:
    assert part.launch
    flags = [
        f"--extension_control_path=$system:{directory}/share/postgresql",
        f"--dynamic_library_path=$libdir:{directory}/lib/postgresql",
        "--shared_buffers=512MB",
    ]
    return replace(part, launch=replace(part.launch, argv=[*part.launch.argv, *flags]))


def _folded(texts: Sequence[str]) -> str:
    return without_accents(" ".join(texts).lower())


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
