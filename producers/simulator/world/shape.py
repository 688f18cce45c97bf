"""The seed and the sizes that determine a world."""

from dataclasses import dataclass

from common.errors import UserError
from producers.simulator.world.categories import LEAVES

FIRST_VERSION, VERSION = 1, 2
"""The version of worlds that were saved without one, and that of new worlds.

Worlds of the first version have names only. Those of the second one have titles in two languages,
descriptions, attributes and variants, and searches by them.
"""


@dataclass(frozen=True)
class WorldShape:
    """The seed and the sizes of a world. Money is in minor units of `currency`, days are those of `timezone`.

    Raises:
        UserError: a size is out of range, there are fewer products than categories or sellers, or the version
            is that of a later program.
    """

    seed: int = 1
    sellers: int = 200
    products: int = 5_000
    shoppers: int = 20_000
    currency: str = "BRL"
    timezone: str = "America/Sao_Paulo"
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UserError(f"--seed {self.seed}: give 0 or more")
        if not 1 <= self.sellers <= 9_999:
            raise UserError(f"--sellers {self.sellers}: give 1 to 9,999")
        if not max(self.sellers, len(LEAVES)) <= self.products <= 999_999:
            least = max(self.sellers, len(LEAVES))
            raise UserError(
                f"--products {self.products}: give {least:,} to 999,999, one per seller and category"
            )
        if not 1 <= self.shoppers <= 999_999:
            raise UserError(f"--shoppers {self.shoppers}: give 1 to 999,999")
        if not FIRST_VERSION <= self.version <= VERSION:
            raise UserError(f"the world has version {self.version}, which this program does not know")

    @property
    def has_contents(self) -> bool:
        """Whether products have descriptions, attributes and variants."""
        return self.version > FIRST_VERSION

    @property
    def portuguese_share(self) -> float:
        """Share of the sellers and of the shoppers who write Portuguese; the others write English."""
        return 0.6 if self.currency == "BRL" else 0.15
