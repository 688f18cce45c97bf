"""Whose rows a query of the catalogue reads: those of one seller, of each by itself, or of all together.

The SQL in the files of sources and dimensions has marks, which a scope replaces:

    {of_seller}     a condition on the column `seller_id`: which rows are read
    {min_visitors}  from how many different visitors on a text that they typed is shown to sellers
    {owner}         whose a row is. Where rows are compared with each other, only those of one owner are
"""

from dataclasses import dataclass
from typing import Final

OF_SELLER, OWNER, LEAST_VISITORS = "{of_seller}", "{owner}", "{min_visitors}"

MIN_VISITORS: Final = 5
"""What visitors typed is shown to sellers only if so many different visitors typed it in the period."""


@dataclass(frozen=True)
class Scope:
    """`condition` and `owner` are the SQL of the marks.

    `counts_once`: what several sellers share, such as an order, is counted once. `is_marketplace`: a source
    may read other tables, which are made for all sellers together.
    """

    condition: str
    owner: str
    counts_once: bool
    is_marketplace: bool = False

    @property
    def reads_every_seller(self) -> bool:
        """Whether the rows of all sellers are read, so that no condition limits them."""
        return self.condition == _EVERY

    def complete(self, sql: str) -> str:
        """Return SQL of a file with its marks replaced."""
        return (
            sql.replace(OF_SELLER, self.condition)
            .replace(OWNER, self.owner)
            .replace(LEAST_VISITORS, str(MIN_VISITORS))
        )


_EVERY = "true"

ONE_SELLER = Scope("seller_id = {seller_id:String}", "seller_id", counts_once=False)
"""The seller of the parameter `seller_id`."""

EACH_SELLER = Scope(_EVERY, "seller_id", counts_once=False)
"""Every seller, in a query that groups by `seller_id`: each has the figures that `ONE_SELLER` has."""

MARKETPLACE = Scope(_EVERY, "''", counts_once=True, is_marketplace=True)
"""All sellers together, as if they were one."""

BY_SELLER = Scope(_EVERY, "seller_id", counts_once=False, is_marketplace=True)
"""The figures of the marketplace by seller: those of `EACH_SELLER`."""
