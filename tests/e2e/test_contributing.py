"""Follows each list of CONTRIBUTING.md in a copy of the checkout.

The files that a step adds are in `contributing/<list>/<step>/` under their future paths. `NEXT_` stands for
the next number of a migration, and a file that ends in `.end` is appended to an existing file. The lines that
a step adds to existing files are in `contributing/lists.py`. A step may only change the files that it names.
In the end the checks pass, and the tests in `contributing/<list>/check/`.
"""

import sys
from pathlib import Path

import pytest

from common.settings import ROOT
from tests.e2e.contributing.checkout import FOLDER, PYTEST, TOOLS, Checkout, names, sections
from tests.e2e.contributing.lists import LISTS

CONTRIBUTING = sections((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))

FAILED = (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
"""Exit codes of pytest if a test fails or can't be collected."""

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="session")
def types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mypy's cache, which all copies share."""
    return tmp_path_factory.mktemp("types")


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", LISTS)
def test_who_follows_a_list_to_the_letter_gets_what_it_promises(
    name: str, tmp_path: Path, types: Path
) -> None:
    example = LISTS[name]
    checkout = Checkout(tmp_path / "souk")

    said_by = CONTRIBUTING[example.heading]
    assert checkout.steps(name, example) == set(said_by)
    for number, said in said_by.items():
        touched = checkout.step(name, example, number)
        assert [path for path in touched if not names(said, CONTRIBUTING, path)] == []

    checkout.must(str(TOOLS / "ruff"), "check", ".")
    checkout.must(str(TOOLS / "ruff"), "format", "--check", ".")
    checkout.must(str(TOOLS / "lint-imports"), "--no-logo")
    checkout.must(str(TOOLS / "mypy"), "--cache-dir", str(types))
    checkout.must(sys.executable, "-m", "cli", "schemas", "check")
    checkout.write_golden()
    checkout.must(*PYTEST, *example.checks, *checkout.add(FOLDER / name / "check"))


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", LISTS)
def test_a_line_that_is_forgotten_is_noticed(name: str, tmp_path: Path) -> None:
    example = LISTS[name]
    checkout = Checkout(tmp_path / "souk")
    for number in CONTRIBUTING[example.heading]:
        checkout.step(name, example, number, lines=number != example.forgotten)

    done = checkout.run(*PYTEST, *example.noticed_by)
    assert done.returncode in FAILED, done.stdout
