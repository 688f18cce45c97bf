"""The folding of text that searches use, on random text of every script."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence

import chdb
import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from clickhouse.literals import quoted
from clickhouse.query_files import FOLD
from serving.products.service import search_words

TEXTS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12),
    min_size=10,
    max_size=40,
)
LATIN = (
    "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüýÿĀāĂăĄąĆćČčĎďĒēĘęĚěĞğĢģĪīĶķĻļŁłŃńŇňŌōŐő"
    "ŘřŚśŞşŠšŢţŤťŪūŮůŰűŹźŻżŽž"
)
FEW = hypothesis_settings(
    max_examples=hypothesis_settings.default.max_examples // 4,  # each has many texts
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

Fold = Callable[[Sequence[str]], list[str]]


@pytest.fixture(scope="module")
def fold() -> Iterator[Fold]:
    """A function: texts → the folded texts, by ClickHouse."""
    connection = chdb.connect(":memory:")

    def folded(texts: Sequence[str]) -> list[str]:
        literals = ", ".join(map(quoted, texts))
        found = connection.query(f"SELECT arrayMap({FOLD}, [{literals}]) AS f", "JSONEachRow")
        answer: list[str] = orjson.loads(found.bytes())["f"]
        return answer

    yield folded
    connection.close()


@FEW
@given(names=TEXTS)
def test_any_name_and_each_of_its_words_is_found_in_it(fold: Fold, names: list[str]) -> None:
    for name, folded in zip(names, fold([f" {name}" for name in names]), strict=True):
        words = search_words(name)
        plain = folded.replace("_", " ")
        assert all(word.replace("_", " ") in plain for word in fold(words)) if words else True


@FEW
@given(names=st.lists(st.text(LATIN + "abc XYZ", min_size=1), min_size=5, max_size=20))
def test_a_latin_name_is_found_in_capitals_and_without_its_accents(fold: Fold, names: list[str]) -> None:
    plain = [
        "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))
        for name in names
    ]
    expected = [text.lower() for text in plain]
    assert fold(names) == expected
    assert fold([name.upper() for name in names]) == expected
    assert fold(plain) == expected
    assert fold([unicodedata.normalize("NFD", name) for name in names]) == expected
