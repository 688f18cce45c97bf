"""The pages that `./souk diagrams` writes are up to date with the code."""

import pytest

from cli.diagrams import FOLDER, pages


@pytest.mark.parametrize("name", pages())
def test_a_page_is_what_the_code_draws(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name], "run `./souk diagrams`"


def test_every_page_is_drawn() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        name for name in pages() if not name.startswith("../")
    }
