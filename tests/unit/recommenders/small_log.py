"""Attributes of the products of a small log."""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from recommenders.interactions import Interactions

GROUPS = 2


def with_attributes(log: Interactions) -> Interactions:
    """Return the log with a catalogue: a product has the colour of its group and a word of its own."""
    codes = np.arange(log.product_count)
    columns = np.concatenate([codes % GROUPS, GROUPS + codes])
    rows = np.concatenate([codes, codes])
    matrix = csr_array((np.ones(len(rows), np.float32), (rows, columns)))
    return replace(log, attributes=matrix, categories=(codes % GROUPS).astype(np.int32))
