"""Reads the sheets of workbooks (xlsx, xlsm, xlsb, xls, ods) as rows of texts."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from common.errors import UserError
from producers.kit.tables.numbers import Separator

_EXACT = 2**53
"""Floats represent all integers below this one exactly."""


class Workbook:
    """The sheets of a workbook that have rows. Formulas have the value that was saved with them."""

    def __init__(self, path: Path) -> None:
        """Open a workbook.

        Raises:
            UserError: it can't be read, or has a password.
        """
        self._path = path
        try:
            self._workbook = CalamineWorkbook.from_path(path)
        except (CalamineError, OSError) as error:
            raise self._unreadable(error) from error
        self.sheets = [
            sheet.name for sheet in self._workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet
        ]

    def rows(self, sheet: str | None, decimal: Separator) -> Iterator[list[str]]:
        """Yield every row of a sheet, blank ones too, from row 1 on; by default of the first sheet.

        Numbers are written with `decimal`, times as ISO 8601.

        Raises:
            UserError: there is no such sheet, or it can't be read.
        """
        for row in self._open(sheet).iter_rows():
            yield [cell_text(cell, decimal) for cell in row]

    def largest_sheet(self) -> str | None:
        """Return the name of the sheet with the most cells, or None if it is the first."""
        sizes = {}
        for name in self.sheets:
            sheet = self._open(name)
            sizes[name] = sheet.height * sheet.width
        largest = max(sizes, key=sizes.__getitem__, default=None)
        return None if not self.sheets or largest == self.sheets[0] else largest

    def _open(self, sheet: str | None) -> CalamineSheet:
        if not self.sheets:
            raise UserError(f"{self._path} has no sheet with rows")
        name = self.sheets[0] if sheet is None else sheet
        if name not in self.sheets:
            names = ", ".join(self.sheets[:20])
            raise UserError(f"{self._path} has no sheet {name!r}: write one of {names} as `sheet`")
        try:
            return self._workbook.get_sheet_by_name(name)
        except (CalamineError, OSError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> UserError:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return UserError(
            f"{self._path} is not a whole workbook ({reason}): copy it again, or save it without a password"
        )


def cell_text(value: Any, decimal: Separator) -> str:
    """Return the text of a typed cell, of a workbook or a Parquet file."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return _float_text(value).replace(".", decimal)
        case Decimal():
            return format(value, "f").replace(".", decimal)
        case bytes():
            return value.decode("utf-8", "replace")
        case datetime():
            return value.isoformat(" ")
        case _:
            return str(value)


def _float_text(value: float) -> str:
    """Return a number with the 15 digits that spreadsheets show: 59.96999999999999 is 59.97."""
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else format(value, ".15g")
