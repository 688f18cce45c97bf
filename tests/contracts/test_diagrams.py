"""The pages that `./souk diagrams` writes are up to date with the code, and the links of all pages work."""

import re
from pathlib import Path

import pytest

from cli.diagrams import FOLDER, PAGES
from clickhouse.analytics.catalogue import declared_columns
from clickhouse.metrics.definition import read_definitions
from common.settings import ROOT, Settings

WRITTEN = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_draws(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "run `./souk diagrams`"


def test_every_page_is_drawn() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {name for name in PAGES if not name.startswith("../")}


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_page_of_tables_has_every_column_of_a_metric() -> None:
    statements = {name: one.table_sql for name, one in read_definitions().items() if one.table_sql}
    declared = {name: sql.partition("\n(\n")[2].partition("\n)\n")[0] for name, sql in statements.items()}
    assert len(declared) > 20
    for name, lines in declared.items():
        names = [line.split()[0] for line in lines.splitlines() if not line.strip().startswith("INDEX ")]
        assert [column.name for column in declared_columns(statements[name])] == names


def test_the_readme_is_read_in_a_few_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    targets = [target.partition("#") for target in LINK.findall(text) if "://" not in target]
    broken = [
        f"{path}#{heading}"
        for path, _, heading in targets
        for file in [page.parent / path if path else page]
        if not file.exists() or (heading and heading not in anchors(file))
    ]
    assert broken == []


def anchors(page: Path) -> set[str]:
    """Return the names that GitHub gives to the headings of a page."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
