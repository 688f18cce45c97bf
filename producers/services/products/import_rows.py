"""What the rows of a seller's file change: each row in full, or not at all. Pure.

The rules are those of requests (`model.py`). A row that breaks one is refused with the column and the reason.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from common.ids import new_id
from common.problems import Problem
from producers.services.products.listing_cells import (
    ATTRIBUTE,
    CLEARABLE,
    FIELDS,
    KEYS,
    BadCell,
    CellReader,
    pictures_of,
    written,
)
from producers.services.products.listing_files import Defect, Row, key_of
from producers.services.products.model import (
    BLOCKED,
    CONTENTS_OF_OWNER,
    MAX_ATTRIBUTES,
    MAX_VARIANTS,
    SKU_TAKEN,
    UNKNOWN_ATTRIBUTE,
    Listing,
    check_contents,
    check_variants,
    new_listing,
    new_offer,
    variant_keys_of,
)
from schemas.product_categories import ProductAttribute, ProductCategory

SHA256_DIGITS = 64

MAX_DEFECTS = 20
"""The number of defects of one row that a report names."""

_NEEDED = ("name", "category", "price")
"""The columns that a new product needs."""

_TERMS = ("price", "condition", "handling_days", "sku", "status", "stock")
"""The columns that each offer of a product has for itself."""

_COLUMN_OF = {
    "unknown-category": "category",
    "bad-variants": "group",
    "sku-taken": "sku",
    "blocked-listing": "status",
}
"""Kind of a problem → the column that a report names."""


@dataclass(frozen=True, slots=True)
class StockCount:
    """The units of a product that a row says.

    `may_wait` is whether the inventory service may not know yet that the product is on offer.
    """

    row: int
    product_id: str
    on_hand: int
    may_wait: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all rows of a batch."""

    seller_id: str
    currency: str
    now: datetime
    is_on_holiday: bool
    may_set_stock: bool
    pictures: Collection[str]
    """Those of the rows that the seller has sent."""
    categories: Mapping[str, ProductCategory]
    attributes: Mapping[str, ProductAttribute]


@dataclass(slots=True)
class Known:
    """What is known of the listings that rows are about, as if the rows before were applied."""

    offers: dict[str, list[Listing]] = field(default_factory=dict)
    """Product → all offers of it."""
    by_sku: dict[str, str] = field(default_factory=dict)
    """SKU of the seller → product."""
    variants: defaultdict[str, dict[str, Mapping[str, str]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """Group → attributes of each of the seller's products in it."""
    own_groups: set[str] = field(default_factory=set)
    """The groups of products that the seller has listed first."""

    def add(self, seller_id: str, listings: Iterable[Listing]) -> None:
        """Add locked listings."""
        for listing in listings:
            self.offers.setdefault(listing.product_id, []).append(listing)
            if listing.seller_id == seller_id:
                self.note(listing)

    def note(self, listing: Listing) -> None:
        """Note the SKU and the group of a listing of the seller."""
        if listing.sku is not None:
            self.by_sku.setdefault(listing.sku, listing.product_id)
        if listing.group_id is not None:
            self.variants[listing.group_id][listing.product_id] = listing.attributes
            if listing.owner_id == listing.seller_id:
                self.own_groups.add(listing.group_id)

    def without_offers(self) -> "Known":
        """Return what a dry run remembers for the next batch, because it saves nothing."""
        return Known({}, self.by_sku, self.variants, self.own_groups)


@dataclass(slots=True)
class AppliedBatch:
    """What a batch changes. The sum of the numbers is that of its rows."""

    changes: list[tuple[Listing | None, Listing]] = field(default_factory=list)
    stock: list[StockCount] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    applied: int = 0
    unchanged: int = 0
    refused: int = 0


def named_in(rows: Sequence[Row], seller_id: str) -> tuple[list[str], list[str], list[str]]:
    """Return the product ids, SKUs and groups that rows name."""
    product_ids, skus, groups = dict[str, None](), dict[str, None](), dict[str, None]()
    for row in rows:
        if isinstance(row.cells, BadCell):
            continue
        for column, found in (("product_id", product_ids), ("sku", skus), ("group", groups)):
            if text := row.cells.get(column, "").strip():
                found |= {row.cells[column]: None, text: None}
    groups |= {group_id_of(seller_id, text): None for text in groups}
    # PostgreSQL stores no NUL; such a cell is refused later.
    texts = [[each for each in found if "\0" not in each] for found in (product_ids, skus, groups)]
    return texts[0], texts[1], texts[2]


def pictures_in(rows: Sequence[Row]) -> list[str]:
    """Return the pictures that rows name, as far as they can be names of pictures."""
    cells = [row.cells.get("pictures", "") for row in rows if not isinstance(row.cells, BadCell)]
    return [*{each: None for cell in cells for each in pictures_of(cell) if len(each) == SHA256_DIGITS}]


def group_id_of(seller_id: str, text: str) -> str:
    """Return the id of the group that a seller's files call `text`: the same for each file."""
    return sha256(f"{seller_id}\x1f{text.strip()}".encode()).hexdigest()[:32]


def apply_rows(
    rows: Sequence[Row], repeated: Mapping[int, int], known: Known, rules: Rules, reader: CellReader
) -> AppliedBatch:
    """Return what rows change. `repeated`: see `Overview`."""
    outcome, changed = AppliedBatch(), set[str]()
    for row in rows:
        change = _RowChange(row, known, rules, reader)
        change.apply(repeated.get(row.number), changed)
        if change.defects:
            outcome.defects += change.defects
            outcome.refused += 1
            continue
        outcome.changes += change.changes
        outcome.stock += change.stock
        if change.changes or change.stock:
            outcome.applied += 1
        else:
            outcome.unchanged += 1
    return outcome


class _RowChange:
    """What one row changes, or why it is refused."""

    def __init__(self, row: Row, known: Known, rules: Rules, reader: CellReader) -> None:
        self.defects: list[Defect] = []
        self.changes: list[tuple[Listing | None, Listing]] = []
        self.stock: list[StockCount] = []
        self._row, self._known, self._rules, self._reader = row, known, rules, reader
        self._cells: Mapping[str, str] = {}

    def apply(self, repeats: int | None, changed: set[str]) -> None:
        """Find what the row changes. `changed` are the products that rows before have changed."""
        if isinstance(self._row.cells, BadCell):
            self._refuse("", self._row.cells)
            return
        self._cells = self._row.cells
        if repeats is not None:
            column, _ = key_of(self._cells) or ("sku", "")
            why = f"Row {repeats} is about the same listing. Only that row is applied."
            self._refuse(column, BadCell("repeated", why))
            return
        found = self._find()
        if found is None:
            return
        before, base = found
        if base.product_id in changed:
            self._refuse(KEYS[0], BadCell("repeated", "A row before is about the same listing."))
            return
        given = self._read(before, base)
        self._check_needed(before, base, given)
        if not self.defects:
            try:
                self._change(before, base, given)
            except Problem as problem:
                self._refuse(_COLUMN_OF.get(problem.kind, ""), BadCell(problem.kind, str(problem)))
        if not self.defects:
            changed.add(base.product_id)

    def _refuse(self, column: str, error: BadCell) -> None:
        if len(self.defects) == MAX_DEFECTS:
            return
        value = self._cells.get(column, "")
        self.defects.append(Defect.of(self._row.number, column, value, error))

    def _find(self) -> tuple[Listing | None, Listing] | None:
        """Return the seller's listing and what the row changes: the listing, an offer or a new product."""
        rules = self._rules
        text, sku = self._cells.get("product_id", ""), self._cells.get("sku", "").strip()
        for product_id in (text, text.strip()):
            if offers := self._known.offers.get(product_id):
                return self._find_offer(offers)
        if sku and (named := self._known.by_sku.get(sku)):
            for offer in self._known.offers.get(named, ()):
                if offer.seller_id == rules.seller_id:
                    return offer, offer
            why = "A row before has given this SKU to another product."
            self._refuse("sku", BadCell("sku-taken", why))
            return None
        if text.strip() and not sku:
            why = "No product has this id. To list a new product, leave the cell empty and write a SKU."
            self._refuse("product_id", BadCell("unknown-product", why))
        elif not sku:
            self._refuse("sku", BadCell("no-key", "The row has neither a SKU nor a product_id."))
        else:
            return None, new_listing(new_id(), rules.seller_id, rules.currency, rules.now, None)
        return None

    def _find_offer(self, offers: Sequence[Listing]) -> tuple[Listing | None, Listing] | None:
        """Return the seller's offer of a product, or a new one of a product that others offer."""
        seller_id = self._rules.seller_id
        own = next((offer for offer in offers if offer.seller_id == seller_id), None)
        if own is not None:
            return own, own
        offer = new_offer(offers, seller_id, self._rules.currency, self._rules.now)
        if offer is None:
            self._refuse("product_id", BadCell("unknown-product", "The product is not on offer."))
            return None
        return None, offer

    def _read(self, before: Listing | None, base: Listing) -> dict[str, Any]:
        """Return the values of the cells that differ from the listing."""
        current = written(base)
        if before is None:
            current = {name: text for name, text in current.items() if name not in _TERMS}
        given: dict[str, Any] = {}
        for column, text in self._cells.items():
            is_clearing = column in CLEARABLE or column.startswith(ATTRIBUTE)
            if column == KEYS[0] or text == current.get(column, "") or not (text.strip() or is_clearing):
                continue
            try:
                given[column] = self._reader.read(column, text)
            except BadCell as error:
                self._refuse(column, error)
        return given

    def _check_needed(self, before: Listing | None, base: Listing, given: Mapping[str, Any]) -> None:
        """Refuse a row that lacks what a new listing needs, or has what can't be set."""
        refused = {defect.column for defect in self.defects}
        if before is None:
            for column in _NEEDED:
                is_known = column != "price" and getattr(base, FIELDS[column]) is not None
                if column not in given and column not in refused and not is_known:
                    why = "A new product needs a name, a category and a price."
                    self._refuse(column, BadCell("missing", why))
        if given.get("currency", base.currency) != base.currency:
            self._refuse("currency", BadCell("other-currency", f"The price must be in {base.currency}."))
        if "price" in given and base.currency != self._rules.currency:
            why = f"The listing is in {base.currency}. A file sets prices in {self._rules.currency}."
            self._refuse("price", BadCell("other-currency", why))
        if set(given.get("pictures", ())) - {*base.pictures, *self._rules.pictures}:
            why = "The seller has not sent one of these pictures, or it is not ready."
            self._refuse("pictures", BadCell("unknown-picture", why))
        if "stock" in given and not self._rules.may_set_stock:
            self._refuse("stock", BadCell("not-allowed", "The sender of the file may not set stock."))

    def _change(self, before: Listing | None, base: Listing, given: Mapping[str, Any]) -> None:
        """Note what the row changes.

        Raises:
            Problem: a rule of `model.py` forbids it.
        """
        after = self._with(base, before, given)
        contents = base.changed_contents(after)
        if contents and after.owner_id != after.seller_id:
            column = next((name for name in given if name not in _TERMS), "product_id")
            problem = CONTENTS_OF_OWNER(seller_id=after.seller_id, product_id=after.product_id)
            self._refuse(column, BadCell(problem.kind, str(problem)))
            return
        if contents:
            self._check_contents(base, after)
        if "stock" in given:
            self._set_stock(after, given["stock"])
        if before is None or after.said != before.said or after.status != before.status:
            self._check_terms(before, after)
            self._save(before, after, contents)

    def _with(self, base: Listing, before: Listing | None, given: Mapping[str, Any]) -> Listing:
        """Return the listing with the values of the row."""
        attributes = dict(base.attributes)
        fields: dict[str, Any] = {}
        for column, value in given.items():
            if column.startswith(ATTRIBUTE):
                attributes[column.removeprefix(ATTRIBUTE)] = value
            elif column == "group":
                fields["group_id"] = self._group_of(base, value)
            elif column == "description":
                fields["description"] = value or None
            elif column == "sku":
                fields["sku"] = base.sku if value == (base.sku or "").strip() else value
            elif column == "pictures":
                fields |= {"pictures": value, "photos": len(value)}
            elif column not in ("currency", "stock", "status"):
                fields[FIELDS[column]] = value
        kept = {key: value for key, value in attributes.items() if value or base.attributes.get(key) == value}
        status = base.next_status(given.get("status", "listed" if before is None else base.status))
        hidden = status == "listed" and self._rules.is_on_holiday
        if before is not None and status == before.status:
            hidden = before.hidden
        return replace(base, **fields, attributes=kept, status=status, hidden=hidden)

    def _group_of(self, base: Listing, text: str) -> str:
        """Return the id of a group: that of own products if the text is one, else that of the text."""
        if text == base.group_id or text in self._known.own_groups:
            return text
        return group_id_of(self._rules.seller_id, text)

    def _check_contents(self, base: Listing, after: Listing) -> None:
        """Check what has changed: attributes that the category does not have may stay.

        Raises:
            UNKNOWN_CATEGORY, BAD_VARIANTS: see `model.py`.
        """
        rules, attributes = self._rules, after.attributes
        if len(attributes) > max(MAX_ATTRIBUTES, len(base.attributes)):
            why = f"A product has at most {MAX_ATTRIBUTES} attributes."
            self._refuse("category", BadCell("too-many-attributes", why))
            return
        if after.category is None:
            return
        is_moved = after.category != base.category
        keys = [key for key in attributes if is_moved or attributes[key] != base.attributes.get(key)]
        if not is_moved and attributes == base.attributes and after.group_id == base.group_id:
            return
        known = check_contents(after.category, (), rules.categories)
        for key in keys:
            if key not in known:
                problem = UNKNOWN_ATTRIBUTE(
                    category=after.category, attribute=key, known=", ".join(known) or "none"
                )
                self._refuse(f"{ATTRIBUTE}{key}", BadCell(problem.kind, str(problem)))
        if after.group_id is None or self.defects:
            return
        variants = self._known.variants[after.group_id]
        others = [each for product_id, each in variants.items() if product_id != after.product_id]
        if len(others) >= MAX_VARIANTS:
            self._refuse(
                "group", BadCell("too-many-variants", f"A group has at most {MAX_VARIANTS} variants.")
            )
            return
        check_variants([*others, attributes], variant_keys_of(known, rules.attributes))

    def _check_terms(self, before: Listing | None, after: Listing) -> None:
        """Check that the listing may change, and that its SKU is its own.

        Raises:
            BLOCKED, SKU_TAKEN: see `model.py`.
        """
        if before is not None and before.block_reason is not None:
            raise BLOCKED(product_id=before.product_id, reason=before.block_reason)
        if after.status == "blocked":
            why = "Only an administrator blocks a listing. Write delisted to take it off."
            self._refuse("status", BadCell("unknown-value", why))
        if after.sku is not None and (before is None or before.sku != after.sku):
            other = self._known.by_sku.get(after.sku, after.product_id)
            if other != after.product_id:
                raise SKU_TAKEN(product_id=other, sku=after.sku)

    def _save(self, before: Listing | None, after: Listing, contents: Mapping[str, Any]) -> None:
        """Note a change, and that of the offers of other sellers if the contents have changed."""
        if self.defects:
            return
        known = self._known
        self.changes.append((before, after))
        if contents:
            others = known.offers.get(after.product_id, ())
            self.changes += [
                (offer, replace(offer, **contents)) for offer in others if offer.seller_id != after.seller_id
            ]
        if before is not None and before.sku is not None and before.sku != after.sku:
            known.by_sku.pop(before.sku, None)
        if before is not None and before.group_id is not None and before.group_id != after.group_id:
            known.variants[before.group_id].pop(before.product_id, None)
        known.note(after)

    def _set_stock(self, after: Listing, on_hand: int) -> None:
        if after.status == "draft":
            self._refuse("stock", BadCell("not-on-offer", "A draft has no stock. List it in the same row."))
            return
        self.stock.append(StockCount(self._row.number, after.product_id, on_hand, after.on_offer))
