"""All that documents are made of, in a SQLite file: the newest state of each listing, seller, stock and
review, and the category tree.

A row takes the newest of the events that change it, by `occurred_at` (stock by its version), whatever their
order and repetition. The rows, the offsets up to which Kafka was read, and which documents the index has to
write anew are one transaction; a document is struck off once the index has committed it. So after any end of
the process, reading goes on at the stored offsets, and no change is lost.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from schemas.product_categories import CategoryTree, default_tree
from schemas.services import OTHERS
from serving.products.search.documents import Fields, Listing, Standing, document_of, fields_of
from serving.products.search.shop_tree import changed_attributes, changed_categories

_TABLES = """
CREATE TABLE IF NOT EXISTS listing ( -- times are Unix milliseconds
    product_id TEXT NOT NULL,
    seller_id TEXT NOT NULL,
    listed_at INTEGER, -- its first event
    changed_at INTEGER, -- the event of its content
    changed_by TEXT NOT NULL DEFAULT '', -- its id; of two at the same time, the larger one counts
    content TEXT, -- JSON; NULL if only its end is known
    delisted_at INTEGER,
    PRIMARY KEY (product_id, seller_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS listing_of_seller ON listing (seller_id);
CREATE TABLE IF NOT EXISTS product (
    product_id TEXT PRIMARY KEY,
    document TEXT, -- NULL if it was never listed
    level INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS product_of_document ON product (document);
CREATE TABLE IF NOT EXISTS seller (
    seller_id TEXT PRIMARY KEY,
    name TEXT,
    named_at INTEGER NOT NULL DEFAULT -1,
    status TEXT NOT NULL DEFAULT '',
    status_at INTEGER NOT NULL DEFAULT -1
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stock (
    product_id TEXT NOT NULL,
    seller_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    available INTEGER NOT NULL,
    PRIMARY KEY (product_id, seller_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS review (
    review_id TEXT PRIMARY KEY,
    product_id TEXT NOT NULL,
    changed_at INTEGER NOT NULL, -- four times the milliseconds, and the rank of the event at the same time
    score INTEGER -- NULL if not everybody may read it
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS review_of_product ON review (product_id);
CREATE TABLE IF NOT EXISTS position (
    topic TEXT NOT NULL,
    number INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (topic, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (document TEXT PRIMARY KEY, urgency INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pending_by_urgency ON pending (urgency);
CREATE TABLE IF NOT EXISTS origin (kafka_cluster TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS category_tree (content TEXT NOT NULL); -- JSON; no row: the one of the file
"""

_LIST = """
INSERT INTO listing (product_id, seller_id, listed_at, changed_at, changed_by, content)
VALUES (:product_id, :seller_id, :at, :at, :event_id, :content)
ON CONFLICT DO UPDATE SET
    listed_at = min(ifnull(listed_at, excluded.listed_at), excluded.listed_at),
    content = iif(
        (excluded.changed_at, excluded.changed_by) > (ifnull(changed_at, -1), changed_by),
        excluded.content,
        content
    ),
    changed_by = iif(
        (excluded.changed_at, excluded.changed_by) > (ifnull(changed_at, -1), changed_by),
        excluded.changed_by,
        changed_by
    ),
    changed_at = max(ifnull(changed_at, -1), excluded.changed_at)
"""

_DELIST = """
INSERT INTO listing (product_id, seller_id, delisted_at) VALUES (:product_id, :seller_id, :at)
ON CONFLICT DO UPDATE SET delisted_at = max(ifnull(delisted_at, -1), excluded.delisted_at)
"""

_STOCK = """
INSERT INTO stock VALUES (:product_id, :seller_id, :version, :available)
ON CONFLICT DO UPDATE SET version = excluded.version, available = excluded.available
WHERE excluded.version > version
"""

_NAME = """
INSERT INTO seller (seller_id, name, named_at) VALUES (:seller_id, :name, :at)
ON CONFLICT DO UPDATE SET name = excluded.name, named_at = excluded.named_at
WHERE excluded.named_at >= named_at
"""

_STATUS = """
INSERT INTO seller (seller_id, status, status_at) VALUES (:seller_id, :status, :at)
ON CONFLICT DO UPDATE SET status = excluded.status, status_at = excluded.status_at
WHERE excluded.status_at >= status_at
"""

_REVIEW = """
INSERT INTO review VALUES (:review_id, :product_id, 4 * :at + :rank, :score)
ON CONFLICT DO UPDATE SET changed_at = excluded.changed_at, score = excluded.score
WHERE excluded.changed_at > changed_at
"""

STATEMENTS: Mapping[str, str] = {
    "product_listed": _LIST,
    "product_changed": _LIST,
    "product_delisted": _DELIST,
    "stock_changed": _STOCK,
    "seller_registered": _NAME,
    "seller_changed": _NAME,
    "seller_status_changed": _STATUS,
    "review_published": _REVIEW,
    "review_rejected": _REVIEW,
    "review_withdrawn": _REVIEW,
}
"""Event → the statement that takes it, with the parameters of `parameters_of`."""

REVIEW_RANKS: Mapping[str, int] = {"review_published": 1, "review_rejected": 2, "review_withdrawn": 3}
"""Of two events of a review at the same time, the one with the higher rank counts, as in ClickHouse."""

MAX_SCORE = 5

CONTENT = ("name", "category", "description", "attributes", "group_id", "currency", "price_minor", "pictures")

_LISTING = ("product_id", "seller_id")
_REVIEW_COLUMNS = ("review_id", "product_id", "score")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "product_listed": (*_LISTING, "event_id", *CONTENT),
    "product_changed": (*_LISTING, "event_id", *CONTENT),
    "product_delisted": _LISTING,
    "stock_changed": (*_LISTING, "version", "on_hand", "reserved"),
    "seller_registered": ("seller_id", "name"),
    "seller_changed": ("seller_id", "name"),
    "seller_status_changed": ("seller_id", "status"),
    "review_published": _REVIEW_COLUMNS,
    "review_rejected": _REVIEW_COLUMNS,
    "review_withdrawn": _REVIEW_COLUMNS,
}
"""The events from which the rows follow → what they take of each, besides `occurred_at`."""

OTHERS["serving/products/search"].check_reads(COLUMNS)

_OFFERS = """
SELECT
    listing.product_id, listing.seller_id, seller.name, listing.content, listing.listed_at,
    ifnull(stock.available, 1) > 0
FROM product
JOIN listing ON listing.product_id = product.product_id
LEFT JOIN seller ON seller.seller_id = listing.seller_id
LEFT JOIN stock ON stock.product_id = listing.product_id AND stock.seller_id = listing.seller_id
WHERE product.document = ? AND listing.content IS NOT NULL
    AND listing.changed_at >= ifnull(listing.delisted_at, listing.changed_at)
    AND ifnull(seller.status, '') != 'suspended'
"""

_STANDING = """
SELECT count(score), ifnull(sum(score), 0), max(level)
FROM product LEFT JOIN review ON review.product_id = product.product_id
WHERE product.document = ?
"""

_IN_CHANGED_CATEGORIES = """
SELECT DISTINCT product_id FROM listing
WHERE content ->> 'category' IN (SELECT value FROM json_each(:categories)) OR EXISTS (
    SELECT 1 FROM json_each(content, '$.attributes')
    WHERE key IN (SELECT value FROM json_each(:attributes))
)
"""

NOW, SOON, LATER = range(3)
"""How urgent it is to write a document: for an event of its own, of a seller or the category tree, or because
it sells better."""

_SET_LEVELS = (
    "INSERT OR IGNORE INTO product (product_id) SELECT product_id FROM new_level",
    """
    CREATE TEMP TABLE changed AS
    SELECT product_id, document, ifnull(new_level.level, 0) AS level
    FROM product LEFT JOIN new_level USING (product_id)
    WHERE product.level != ifnull(new_level.level, 0)
    """,
    "UPDATE product SET level = changed.level FROM changed WHERE changed.product_id = product.product_id",
    f"INSERT OR IGNORE INTO pending SELECT document, {LATER} FROM changed WHERE document IS NOT NULL",
    "DROP TABLE changed",
    "DROP TABLE new_level",
)

_MARK = """
INSERT INTO pending VALUES (?, ?)
ON CONFLICT DO UPDATE SET urgency = min(urgency, excluded.urgency)
"""

Event = Mapping[str, Any]
"""What `COLUMNS` names of an event, and its time as Unix milliseconds: `at`."""

Positions = Mapping[tuple[str, int], int]
"""(topic, partition) → the offset of the next message to read."""


class Rows:
    """The rows. `currency` is that of the offers in documents. Threads must not share it."""

    def __init__(self, path: Path, currency: str) -> None:
        """Open the file, or make it.

        Raises:
            sqlite3.DatabaseError: the file is damaged.
        """
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._currency = currency
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLES)
        row = self._db.execute("SELECT content FROM category_tree").fetchone()
        self.tree = CategoryTree.of(orjson.loads(row[0])) if row else default_tree()
        """The category tree of the documents."""
        self.tree_digest = self.tree.digest()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def is_sound(self) -> bool:
        """Return whether SQLite finds no damage in the file."""
        try:
            return bool(self._db.execute("PRAGMA quick_check").fetchone() == ("ok",))
        except sqlite3.DatabaseError:
            return False

    def origin(self) -> str | None:
        """Return the id of the Kafka cluster to which the positions belong."""
        row = self._db.execute("SELECT kafka_cluster FROM origin").fetchone()
        return str(row[0]) if row else None

    def begin(self, kafka_cluster: str, positions: Positions) -> None:
        """Store where to read after a snapshot is loaded."""
        with self._transaction():
            self._db.execute("INSERT INTO origin VALUES (?)", (kafka_cluster,))
            self._store(positions)

    def load(self, name: str, events: Iterable[Event]) -> None:
        """Take events of one kind from a snapshot. `mark_all` must follow."""
        with self._transaction():
            self._db.executemany(
                STATEMENTS[name], filter(None, (parameters_of(name, each) for each in events))
            )

    def mark_all(self) -> None:
        """Find the document of each product, and note that all have to be written."""
        with self._transaction():
            products = self._db.execute("SELECT DISTINCT product_id FROM listing").fetchall()
            self._mark((product_id for (product_id,) in products), NOW)

    def apply(self, events: Iterable[tuple[str, Event]], positions: Positions) -> None:
        """Take events (name, record), and the positions behind them, as one transaction."""
        with self._transaction():
            for name, event in events:
                urgency = SOON if name.startswith("seller_") else NOW
                self._mark(self._take(name, event), urgency)
            self._store(positions)

    def set_levels(self, levels: Iterable[tuple[str, int]]) -> None:
        """Take how well each product sells; products that are not named do not sell."""
        with self._transaction():
            self._db.execute("CREATE TEMP TABLE new_level (product_id TEXT PRIMARY KEY, level INTEGER)")
            self._db.executemany("INSERT INTO new_level VALUES (?, ?)", levels)
            for statement in _SET_LEVELS:
                self._db.execute(statement)

    def set_tree(self, tree: CategoryTree) -> bool:
        """Take the category tree, and return whether it is another one.

        Documents are marked of which it changes a category or the name of a value. Which attributes tell
        variants apart must not change, except before there are documents.
        """
        if tree == self.tree:
            return False
        changed = {
            "categories": orjson.dumps([*changed_categories(self.tree, tree)]).decode(),
            "attributes": orjson.dumps([*changed_attributes(self.tree, tree)]).decode(),
        }
        with self._transaction():
            self._db.execute("DELETE FROM category_tree")
            content = orjson.dumps(tree.answer()).decode()
            self._db.execute("INSERT INTO category_tree VALUES (?)", (content,))
            products = self._db.execute(_IN_CHANGED_CATEGORIES, changed).fetchall()
            self._mark((product_id for (product_id,) in products), SOON)
        self.tree, self.tree_digest = tree, tree.digest()
        return True

    def positions(self) -> dict[tuple[str, int], int]:
        """Return where to read on in each partition."""
        found = self._db.execute("SELECT topic, number, next_offset FROM position")
        return {(topic, number): offset for topic, number, offset in found}

    def pending(self, limit: int) -> list[str]:
        """Return documents that the index has to write anew, the most urgent first."""
        found = self._db.execute("SELECT document FROM pending ORDER BY urgency LIMIT ?", (limit,))
        return [document for (document,) in found]

    def strike_off(self, documents: Iterable[str]) -> None:
        """Forget pending documents, which the index has committed."""
        with self._transaction():
            self._db.executemany("DELETE FROM pending WHERE document = ?", [(each,) for each in documents])

    def documents(self) -> Iterator[tuple[str, Fields]]:
        """Yield every document that somebody offers, and its fields."""
        every = "SELECT DISTINCT document FROM product WHERE document IS NOT NULL"
        for (document,) in self._db.execute(every).fetchall():
            if fields := self.fields(document):
                yield document, fields

    def fields(self, document: str) -> Fields | None:
        """Return the fields of a document; None if nobody offers it."""
        offers = [offer for row in self._db.execute(_OFFERS, (document,)) if (offer := self._listing(*row))]
        if not offers:
            return None
        standing = Standing(*self._db.execute(_STANDING, (document,)).fetchone())
        return fields_of(document, offers, standing, self.tree)

    def _listing(
        self, product_id: str, seller_id: str, seller_name: str | None, content: str, at: int, in_stock: int
    ) -> Listing | None:
        said = orjson.loads(content)
        if said["currency"] != self._currency:
            return None
        return Listing(
            product_id=product_id,
            seller_id=seller_id,
            seller_name=seller_name,
            name=said["name"],
            category=said["category"],
            description=said["description"],
            attributes=said["attributes"],
            price_minor=said["price_minor"],
            listed_at_ms=at,
            in_stock=bool(in_stock),
            picture=next(iter(said["pictures"]), None),
        )

    def _take(self, name: str, event: Event) -> Sequence[str]:
        """Take one event, and return the products of which a document may change."""
        values = parameters_of(name, event)
        if values is None:
            return ()
        if name == "stock_changed":
            was_sold_out = self._is_sold_out(values)
            self._db.execute(STATEMENTS[name], values)
            return () if was_sold_out == self._is_sold_out(values) else (values["product_id"],)
        self._db.execute(STATEMENTS[name], values)
        if name.startswith("seller_"):
            sold = self._db.execute("SELECT product_id FROM listing WHERE seller_id = :seller_id", values)
            return [product_id for (product_id,) in sold]
        return (values["product_id"],)

    def _is_sold_out(self, values: Mapping[str, Any]) -> bool:
        found = self._db.execute(
            "SELECT available <= 0 FROM stock WHERE product_id = :product_id AND seller_id = :seller_id",
            values,
        ).fetchone()
        return bool(found and found[0])

    def _mark(self, product_ids: Iterable[str], urgency: int) -> None:
        """Note that the documents of these products have changed: the present ones, and those of before."""
        for product_id in product_ids:
            row = self._db.execute(
                "SELECT document FROM product WHERE product_id = ?", (product_id,)
            ).fetchone()
            newest = self._db.execute(
                "SELECT content FROM listing WHERE product_id = ? AND content IS NOT NULL "
                "ORDER BY changed_at DESC, changed_by DESC LIMIT 1",
                (product_id,),
            ).fetchone()
            document = document_of(product_id, orjson.loads(newest[0])["group_id"]) if newest else None
            before = row[0] if row else None
            if document != before:
                self._db.execute(
                    "INSERT INTO product (product_id, document) VALUES (?, ?) "
                    "ON CONFLICT DO UPDATE SET document = excluded.document",
                    (product_id, document),
                )
            self._db.executemany(
                _MARK,
                [(each, urgency) for each in {document, before} if each],
            )

    def _store(self, positions: Positions) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO position VALUES (?, ?, ?)",
            [(*partition, offset) for partition, offset in positions.items()],
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def parameters_of(name: str, event: Event) -> dict[str, Any] | None:
    """Return the parameters of an event's statement; None if no row follows from it.

    `event` has `COLUMNS[name]`, and its time as Unix milliseconds in `at`.
    """
    if name in ("product_listed", "product_changed"):
        content = {key: event[key] for key in CONTENT}
        content["pictures"] = content["pictures"][:1]  # a list shows the first one
        return {
            **_parts(event, "product_id", "seller_id", "at", "event_id"),
            "content": orjson.dumps(content).decode(),
        }
    if name == "stock_changed":
        available = event["on_hand"] - event["reserved"]
        return {**_parts(event, "product_id", "seller_id", "version"), "available": available}
    if name in REVIEW_RANKS:
        if event["product_id"] is None:  # it is about a seller, or an order
            return None
        # No sort key is made of a score that cannot be, which a producer elsewhere may have sent.
        shown = min(max(1, event["score"]), MAX_SCORE) if name == "review_published" else None
        return {**_parts(event, "review_id", "product_id", "at"), "rank": REVIEW_RANKS[name], "score": shown}
    return _parts(event, "at", *COLUMNS[name])


def _parts(event: Event, *names: str) -> dict[str, Any]:
    return {name: event[name] for name in names}
