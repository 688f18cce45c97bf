"""Compares the live index with the rows that it is made of."""

from typing import Literal, NamedTuple

import tantivy

from common.settings import Settings
from serving.products.search.documents import FIELD_END
from serving.products.search.index import EVERYTHING, index_path, live_name, search_folder
from serving.products.search.rows import Rows


class WrongDocument(NamedTuple):
    """A document of the index that is not what the rows say."""

    document: str
    fault: Literal["missing", "too many", "old"]


def check(settings: Settings) -> list[WrongDocument]:
    """Return what is wrong in the live index, which nobody writes meanwhile; what is still pending is left
    out.

    Raises:
        FileNotFoundError: there is no live index.
    """
    folder = search_folder(settings)
    name = live_name(folder)
    if name is None:
        raise FileNotFoundError(folder)
    rows = Rows(folder / name / "rows.sqlite", settings.shop_currency)
    try:
        pending = {*rows.pending(-1)}
        expected = {document: fields["version"] for document, fields in rows.documents()}
    finally:
        rows.close()
    searcher = tantivy.Index.open(str(index_path(folder / name))).searcher()
    found: dict[str, str] = {}
    doubled: set[str] = set()
    for version, times in searcher.terms_with_prefix("version", "", EVERYTHING):
        document = version.rpartition(FIELD_END)[0]
        if document in found or times > 1:
            doubled.add(document)
        found[document] = version
    wrong = [
        *(WrongDocument(document, "missing") for document in expected.keys() - found.keys()),
        *(WrongDocument(document, "too many") for document in (found.keys() - expected.keys()) | doubled),
        *(
            WrongDocument(each, "old")
            for each in expected.keys() & found.keys()
            if expected[each] != found[each]
        ),
    ]
    return sorted(each for each in wrong if each.document not in pending)
