"""The page of nightly tests keeps the last result of each, and forgets tests that are gone."""

from pathlib import Path

from tests.nightly_results import present_tree, read_results, write_results

HERE = "tests/unit/test_nightly_results.py"
THIS = f"{HERE}::test_results_are_kept_replaced_and_forgotten"
OTHER = f"{HERE}::test_the_tree_has_a_name_or_is_changed"


def test_results_are_kept_replaced_and_forgotten(tmp_path: Path) -> None:
    page = tmp_path / "nightly.md"

    write_results({THIS: ("failed", 3.4), f"{HERE}::test_gone": ("passed", 1.0)}, page)
    write_results({f"{OTHER}[a|b]": ("passed", 60.0), f"{OTHER}[c]": ("skipped", 1.0)}, page)
    write_results({f"{THIS}[1]": ("passed", 2.0), f"{THIS}[2]": ("failed", 0.6)}, page)

    found = read_results(page)
    assert {test: (each.cases, each.result, each.seconds) for test, each in found.items()} == {
        THIS: (2, "failed", 3.0),
        OTHER: (2, "passed", 61.0),
    }
    assert {each.tree for each in found.values()} == {present_tree()}


def test_the_tree_has_a_name_or_is_changed() -> None:
    tree = present_tree()
    assert tree == "" or len(tree) == 12
