"""Rows are grouped as Arrow does it, also when there are none and memory is limited."""

import multiprocessing
import resource

import numpy as np
import pyarrow as pa

from audit.grouping import grouped

SUMS = [("amount", "sum"), ("amount", "count"), ("amount", "min")]


def table(rows: list[tuple[str, str, int]]) -> pa.Table:
    orders, sellers, amounts = zip(*rows, strict=True) if rows else ((), (), ())
    columns = {
        "order": pa.array(orders, pa.string()),
        "seller": pa.array(sellers, pa.string()),
        "amount": pa.array(amounts, pa.int64()),
    }
    return pa.table(columns)


def test_rows_with_equal_keys_are_one_group() -> None:
    found = grouped(table([("a", "s", 1), ("b", "s", 2), ("a", "s", 4)]), ["order", "seller"], SUMS)
    assert sorted(map(tuple, (each.values() for each in found.to_pylist()))) == [
        ("a", "s", 5, 2, 1),
        ("b", "s", 2, 1, 2),
    ]


def test_no_rows_are_no_groups_of_the_same_columns() -> None:
    found = grouped(table([]), "order", SUMS)
    assert found.num_rows == 0
    assert found.schema == grouped(table([("a", "s", 1)]), "order", SUMS).schema


def group_no_rows_often() -> None:
    """Group under a limit of 1 GB, with memory that is full of ones: Arrow reads what it has not set."""
    resource.setrlimit(resource.RLIMIT_DATA, (1_000_000_000, 1_000_000_000))
    for _ in range(20):
        used = [pa.allocate_buffer(2**power) for power in range(6, 17) for _ in range(8)]
        for buffer in used:
            np.frombuffer(buffer, np.uint8).fill(0xC1)
        del buffer, used
        assert grouped(table([]), ["order", "seller"], SUMS).num_rows == 0


def test_no_rows_need_no_memory() -> None:
    process = multiprocessing.get_context("spawn").Process(target=group_no_rows_often)
    process.start()
    process.join(60)
    assert process.exitcode == 0
