"""A small log with two groups of shoppers, each with its own products."""

import numpy as np
import pytest

from recommenders.interactions import Interactions, from_columns
from tests.unit.recommenders.small_log import GROUPS, with_attributes

SHOPPERS = 60
PRODUCTS = 40
EVENTS = 12


@pytest.fixture(scope="session")
def log() -> Interactions:
    """60 shoppers with 12 events each. The codes of a group's shoppers and products have the same parity.

    Group 0 is the larger one. A product has the colour and the category of its group. The last two products
    have no events.
    """
    rng = np.random.default_rng(7)
    shoppers = np.repeat(np.arange(SHOPPERS), EVENTS)
    group = np.where(shoppers % 3 == 2, 1, 0)
    products = GROUPS * rng.integers(0, PRODUCTS // GROUPS - 1, len(shoppers)) + group
    times = 1_700_000_000 + rng.permutation(len(shoppers)) * 3_600
    return with_attributes(
        from_columns(shoppers, products, times=times, sessions=shoppers, catalogue=range(PRODUCTS))
    )
