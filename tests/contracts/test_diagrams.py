"""The pages that `./souk diagrams` writes are up to date with the code."""

import pytest

from cli.diagrams import FOLDER, pages

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_draws(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name], "run `./souk diagrams`"


def test_every_page_is_drawn() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {name for name in PAGES if not name.startswith("../")}
