"""A seller's file is read in a process that can reach nothing, and that a hostile file can end alone."""

import subprocess
import sys
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from common.settings import ROOT
from producers.services.products.file_reading import MODULE, ReadFile
from producers.services.products.listing_files import MAX_COLUMNS, BadFile, ListingFile
from schemas.product_categories import default_tree
from tests.workbooks import write_far_cell, write_workbook

ATTRIBUTES = default_tree().attributes
HEADER = "sku,name,category,price,attribute.colour,weight\n"
FILES = {
    "csv": f'{HEADER}A,"a ""lamp""\nof two lines",Lamps,"1,5",blue,1\nB,"x\nC,\0,,1.5\n\nC,again\n'.encode(),
    "utf-16": f"{HEADER}A,Luminária,Lamps,12.50,blue,1\n".encode("utf-16"),
    "latin": f"{HEADER}A,Luminária e abajur de mão,Lamps,12.50,blue,1\n".encode("cp1252"),
    "gb18030": f"{HEADER}A,台灯 床头灯 护眼灯 北欧 简约 现代,Lamps,12.50,blue,1\n".encode("gb18030"),
}  # fmt: skip


def read(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    return ReadFile(path, ATTRIBUTES)


def refusal(tmp_path, content):
    with pytest.raises(BadFile) as refused:
        read(tmp_path, content)
    return refused.value.code


def said(row):
    return row.number, row.cells if isinstance(row.cells, dict) else (row.cells.code, str(row.cells))


@pytest.mark.parametrize("kind", [*FILES, "xlsx"])
def test_the_process_reads_the_same_rows(tmp_path, kind):
    path = tmp_path / "same"
    if kind == "xlsx":
        write_workbook(path, {"S": [["sku", "name"], ["A", "Luminária\nazul"], ["B", ""]]})
    else:
        path.write_bytes(FILES[kind])
    file = ListingFile(path, ATTRIBUTES)

    found = read(tmp_path, path.read_bytes())

    overview = file.overview()
    assert [said(row) for row in found.take(10)] == [said(row) for row in file.rows()]
    assert found.overview.repeated == overview.repeated
    assert (found.overview.rows, found.overview.decimal) == (overview.rows, overview.decimal)
    assert (found.overview.header_row, found.overview.unknown) == (file.header_row, file.unknown)


def test_a_workbook_with_a_cell_in_the_last_row_of_all_ends_the_process_alone(tmp_path):
    far = write_far_cell(tmp_path / "far", "XFD1048576")

    assert refusal(tmp_path, far.read_bytes()) == "too-costly"


def test_a_workbook_that_lies_about_its_size_ends_the_process_alone(tmp_path):
    path = tmp_path / "bomb"
    write_workbook(path, {"S": [["sku", "price"], ["A", 1]]})
    with ZipFile(path, "a", ZIP_DEFLATED) as archive, archive.open("xl/sharedStrings.xml", "w") as part:
        part.write(b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">')
        for _ in range(1_200):
            part.write(b"<si><t>" + b"x" * (1 << 20) + b"</t></si>")
        part.write(b"</sst>")
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/sharedStrings.xml"))
    content[at + 24 : at + 28] = (1_000).to_bytes(4, "little")  # the size that the directory states

    assert refusal(tmp_path, bytes(content)) in ("too-costly", "not-a-table")


def test_a_header_of_a_hundred_thousand_columns_is_refused(tmp_path):
    names = [f"atributo: x{n}" for n in range(100_000)]

    assert refusal(tmp_path, f"sku,price,{','.join(names)}\nA,1\n".encode()) == "too-many-columns"
    found = read(tmp_path, f"sku,price{',x' * (MAX_COLUMNS - 2)}\nA,1\n".encode())
    assert [said(row) for row in found.take(2)] == [(2, {"sku": "A", "price": "1"})]


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd')",
        "open(path + '.left', 'w')",
        "os.listdir('/')",
        "os.execv('/bin/true', ['true'])",
    ],
)
def test_the_process_reaches_nothing_but_the_file(tmp_path, attempt):
    path = tmp_path / "file"
    path.write_text("sku")
    code = f"""
import os, sys
from pathlib import Path
from {MODULE} import CPU_S, MEMORY, confine
path = sys.argv[1]
confine(MEMORY, CPU_S, Path(path))
open(path)
try:
    {attempt}
except OSError:
    print("refused")
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )

    assert (ran.stdout, ran.stderr) == (b"refused\n", b"")
