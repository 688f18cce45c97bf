"""A small marketplace in which taste is plain to see: two groups of shoppers and the products of each."""

import numpy as np
import pytest

from jobs.recommenders.interactions import Interactions, from_columns
from tests.unit.recommenders.small_log import GROUPS, with_attributes

SHOPPERS = 60
PRODUCTS = 40
EVENTS = 12


@pytest.fixture(scope="session")
def log() -> Interactions:
    """60 shoppers with 12 events each; shopper and product of one group have a code of the same parity.

    Group 0 is the larger. Products have a colour that tells their group, and a category by their group; the
    last two products were never touched.
    """
    rng = np.random.default_rng(7)
    shoppers = np.repeat(np.arange(SHOPPERS), EVENTS)
    group = np.where(shoppers % 3 == 2, 1, 0)
    products = GROUPS * rng.integers(0, PRODUCTS // GROUPS - 1, len(shoppers)) + group
    times = 1_700_000_000 + rng.permutation(len(shoppers)) * 3_600
    return with_attributes(
        from_columns(shoppers, products, times=times, sessions=shoppers, catalogue=range(PRODUCTS))
    )
