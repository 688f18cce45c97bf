"""The real Olist tables as events."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from common.settings import ROOT
from producers.importer.dataset import Conversion
from producers.importer.olist import convert

OLIST = Path(os.environ.get("SOUK_TEST_DATA") or ROOT.parent / "shared" / "data") / "olist"
ZONE = ZoneInfo("America/Sao_Paulo")


@pytest.fixture(scope="package")
def conversion() -> Conversion:
    """The events of all tables: 350 MB, which the tests of this folder share."""
    return convert(OLIST, ZONE)
