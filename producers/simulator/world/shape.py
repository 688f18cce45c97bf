"""The seed and the sizes that determine a world."""

from dataclasses import dataclass

from common.errors import UserError
from producers.simulator.world.categories import LEAVES


@dataclass(frozen=True)
class WorldShape:
    """The seed and the sizes of a world. Money is in minor units of `currency`, days are those of `timezone`.

    Raises:
        UserError: a size is out of range, or there are fewer products than categories or sellers.
    """

    seed: int = 1
    sellers: int = 200
    products: int = 5_000
    shoppers: int = 20_000
    currency: str = "BRL"
    timezone: str = "America/Sao_Paulo"

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
