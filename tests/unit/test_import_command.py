"""`./souk import` without a platform: the dry run, the proposal, and mistakes, each in one line."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.__main__ import main
from tests.imports import MAPPING, row, write_table

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    write_table(directory / "sales.csv", [row(quantity=2), row("2", price="0"), row("3", Title="two\nlines")])
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    return directory


@pytest.fixture
def souk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs `souk import` and returns the exit code, the output and the error."""
    monkeypatch.setenv("SOUK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SOUK_SHOP_CURRENCY", "GBP")
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["souk", "import", *map(str, arguments)])
        code = main()
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_a_dry_run_prints_what_every_row_becomes_and_writes_the_others(
    shop: Path, souk: Run, tmp_path: Path
) -> None:
    report, rejected = tmp_path / "report.json", tmp_path / "rejected.csv"

    code, out, err = souk(
        shop, "--mapping", tmp_path / "mapping.yaml", "--dry-run", "--json-report", report,
        "--rejected", rejected,
    )  # fmt: skip

    assert (code, err) == (0, "")
    assert "sales.csv: 5 lines = 3 rows + 1 header + 1 lines that continue a row" in out
    assert "2 used, 1 not used" in out
    assert "would be sent" in out
    assert "• 2 orders of 3 different values in" in out
    assert "• 3 units in 2 lines" in out
    assert "• £7.50 in 2 orders: nothing in the tables checks it, since no column is a total" in out
    with rejected.open(newline="") as file:
        assert list(csv.DictReader(file)) == [
            {"file": "sales.csv", "line": "3", "reason": "the price is 0",
             "row": "Item A,2024-03-05 10:00,ana,Germany,2,A,1,0"}
        ]  # fmt: skip
    assert rejected.stat().st_mode & 0o077 == 0
    written = json.loads(report.read_text())
    assert written["files"][0]["used"] == {"sale": 2}
    assert written["replay"]["totals"]["gross_minor"] == 750
    assert not list((tmp_path / "home" / "replay").glob("*.json"))


def test_a_dry_run_says_which_columns_agree_with_the_import(shop: Path, souk: Run, tmp_path: Path) -> None:
    rows = [row(str(number), quantity=2, price="2.50") for number in range(1, 31)]
    write_table(shop / "sales.csv", [each | {"Paid in total": "5.00", "Total": "6.00"} for each in rows])
    report = tmp_path / "report.json"

    code, out, _ = souk(
        shop, "--mapping", tmp_path / "mapping.yaml", "--dry-run", "--json-report", report
    )  # fmt: skip

    assert code == 0
    assert (
        '✓ £150.00 in 30 orders = column "Paid in total" (£150.00), to the smallest coin in 30 of 30' in out
    )
    assert (
        '✗ column "Total" is another amount in 30 of 30 orders: 1 (£5.00 for £6.00), 2 (£5.00 for £6.00)'
        in out
    )
    assert [each["agrees"] for each in json.loads(report.read_text())["checks"]] == [
        None,
        None,
        None,
        True,
        False,
    ]


def test_a_written_proposal_prints_what_was_checked(shop: Path, souk: Run, tmp_path: Path) -> None:
    rows = [row(str(number), quantity=2, price="2.50") for number in range(1, 31)]
    write_table(shop / "sales.csv", [each | {"Total": "5.00"} for each in rows])

    code, out, _ = souk("--guess", shop, "--mapping", tmp_path / "new.yaml")

    assert code == 0
    assert 'agrees: €150.00 in 30 orders = column "Total" (€150.00), to the smallest coin in 30 of 30' in out
    assert "NOT FOUND, please complete:" in out


def test_a_proposal_is_printed_or_written_once(shop: Path, souk: Run, tmp_path: Path) -> None:
    code, out, _ = souk("--guess", shop)
    file = tmp_path / "new.yaml"

    assert code == 0
    assert 'order: "Invoice"' in out
    assert souk("--guess", shop, "--mapping", file)[0] == 0
    assert file.read_text() == out
    code, _, err = souk("--guess", shop, "--mapping", file)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "exists already" in err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("Invoice", "Rechnung"), "has no column 'Rechnung'"),
        (("sales.csv", "sold.csv"), "sold.csv is not there"),
        (("GBP", "EUR"), "the mapping's currency is EUR, the shop's is GBP: set SOUK_SHOP_CURRENCY=EUR"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_sent(
    shop: Path, souk: Run, tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING.replace(*change))

    code, _, err = souk(shop, "--mapping", mapping, "--no-up")

    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


def test_an_import_needs_a_mapping(shop: Path, souk: Run) -> None:
    code, _, err = souk(shop)

    assert code == 2
    assert "`./souk import --guess DIR` proposes one" in err


def test_a_dry_run_of_another_currency_says_what_to_set(shop: Path, souk: Run, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING.replace("GBP", "EUR"))

    code, out, _ = souk(shop, "--mapping", mapping, "--dry-run")

    assert code == 0
    assert "SOUK_SHOP_CURRENCY=EUR" in out


def test_a_table_without_a_usable_row_is_reported_and_not_imported(
    shop: Path, souk: Run, tmp_path: Path
) -> None:
    write_table(shop / "sales.csv", [row(price="0")])

    code, out, _ = souk(shop, "--mapping", tmp_path / "mapping.yaml", "--dry-run")
    sent = souk(shop, "--mapping", tmp_path / "mapping.yaml", "--no-up")

    assert code == 0
    assert "0 used, 1 not used" in out
    assert sent[0] == 2
    assert "has no event to send: --dry-run says why" in sent[2]
