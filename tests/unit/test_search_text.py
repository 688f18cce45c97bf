"""The analysis of texts: words, their forms and stems, typing errors, synonyms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.products.search.text import (
    MAX_MARKS,
    MAX_WORDS,
    STEM,
    allowed_typos,
    analyse,
    close_words,
    fold,
    halves,
    search_words,
    slots_of,
    split,
    text_terms,
    within,
)

WORDS = st.text("abcd", max_size=7)


def distance(one: str, other: str) -> int:
    """The optimal string alignment distance, by its definition."""
    rows = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for at in range(len(one) + 1):
        rows[at][0] = at
    for at in range(len(other) + 1):
        rows[0][at] = at
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            rows[i][j] = min(
                rows[i - 1][j] + 1,
                rows[i][j - 1] + 1,
                rows[i - 1][j - 1] + (one[i - 1] != other[j - 1]),
            )
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(one=WORDS, other=WORDS, typos=st.integers(0, 2))
def test_so_many_typos_make_one_word_of_another(one: str, other: str, typos: int) -> None:
    assert within(one, other, typos) == (distance(one, other) <= typos)


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("luminária", "luminárias"),
        ("botão", "botões"),
        ("pão", "pães"),
        ("azul", "azuis"),
        ("papel", "papéis"),
        ("lençol", "lençóis"),
        ("casal", "casais"),
        ("infantil", "infantis"),
        ("móvel", "moveis"),
        ("jardim", "jardins"),
        ("colar", "colares"),
        ("luz", "luzes"),
        ("lamp", "lamps"),
        ("box", "boxes"),
        ("battery", "batteries"),
        ("shelf", "shelves"),
        ("knife", "knives"),
        ("brush", "brushes"),
        ("dress", "dresses"),
    ],
)
def test_a_plural_finds_its_singular_and_the_other_way_round(singular: str, plural: str) -> None:
    assert analyse(singular).forms & analyse(plural).forms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("decorative", "decoration"),
        ("ergonômicas", "ergonômico"),
        ("iluminado", "iluminada"),
        ("running", "runs"),
    ],
)
def test_inflected_words_have_a_common_stem(one: str, other: str) -> None:
    common = analyse(one).forms_and_stems & analyse(other).forms_and_stems
    assert any(term.startswith(STEM) for term in common)


def test_words_without_accents_find_those_with_them() -> None:
    for written, typed in (
        ("Escritório", "escritorio"),
        ("DECORAÇÃO", "decoracao"),
        ("Łódź", "lodz"),
        ("Größe", "grosse"),
    ):
        assert fold(written) == typed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bed_bath_table", ["bed", "bath", "table"]),
        ("Cadeira-Alta, 60W!", ["cadeira", "alta", "60w"]),
        ("🎁 presente 🎁", ["🎁", "presente", "🎁"]),
        ("देवनागरी लिपि", ["देवनागरी", "लिपि"]),
        ("白い 猫", ["白", "い", "猫"]),
        ("Ａｂｃ", ["abc"]),
        ("soft\u00adhyphen", ["softhyphen"]),
        ("\"'()*:^~", []),
        ("", []),
    ],
)
def test_words_are_what_people_write(text: str, words: list[str]) -> None:
    assert split(text) == words


def test_of_many_marks_in_a_row_only_the_first_ones_count() -> None:
    marks = "\u0334\u0323\u0301"
    (word,) = split("q" + marks * 3_000 + "b")
    assert (word[0], word[-1], len(word)) == ("q", "b", MAX_MARKS + 2)
    assert fold("q" + marks * 3_000 + "b") == "qb"


@given(st.text())
def test_any_text_has_words_without_spaces_that_a_product_with_it_is_found_by(text: str) -> None:
    words = split(text)
    terms = text_terms(text).terms
    assert all(word and not any(letter.isspace() for letter in word) for word in words)
    assert all(analyse(word).forms <= terms for word in words)
    assert all(term and not any(letter.isspace() for letter in term) for term in terms)


def test_what_is_written_as_one_word_or_as_two_is_found_as_one() -> None:
    assert {"t", "shirt", "tshirt"} <= text_terms("T-Shirt").terms
    assert {"60w", "60", "w"} <= text_terms("60 W").terms
    assert {"60w", "60"} <= text_terms("60W").terms


def test_typos_are_allowed_by_the_length_of_a_word_and_never_in_one_with_a_digit() -> None:
    assert [allowed_typos(word) for word in ("lamp", "lampa", "cadeiras", "escritório"[:9], "ps5000000")] == [
        0,
        1,
        1,
        2,
        0,
    ]


def test_close_words_begin_with_fewer_typos_and_then_with_the_more_frequent() -> None:
    known = {"cadeira": 3, "cadeiras": 9, "cadeado": 50, "cardeira": 1, "cad3ira": 9}
    assert close_words("cadiera", known) == ["cadeira"]
    assert close_words("cadeirax", known) == ["cadeiras", "cadeira"]


def test_two_neighbours_may_be_swapped_in_a_word_of_four_letters_and_nothing_else() -> None:
    assert close_words("lmap", {"lamp": 3, "lap": 9, "limp": 9, "lpam": 9}) == ["lamp"]
    assert close_words("l4mp", {"lm4p": 3}) == []


def test_a_word_is_split_into_parts_that_are_long_enough() -> None:
    assert list(halves("footbal")) == [("foo", "tbal"), ("foot", "bal")]


def test_stop_words_are_left_out_unless_there_is_nothing_else() -> None:
    assert [slot.text for slot in slots_of("mesa de jantar para a sala")] == ["mesa", "jantar", "sala"]
    assert [slot.text for slot in slots_of("de para")] == ["de", "para"]


def test_a_phrase_with_synonyms_is_one_part_of_a_search() -> None:
    slots = slots_of("blue cell phones")
    assert [slot.text for slot in slots] == ["blue", "cell phones"]
    assert ("smartphone",) in {tuple(word.plain for word in phrase) for phrase in slots[1].synonyms}


def test_every_synonym_leads_to_every_other_one_of_its_group() -> None:
    known = search_words().synonyms
    for phrase, others in known.items():
        for other in others:
            assert phrase in {tuple(map(fold, back)) for back in known[tuple(map(fold, other))]}


def test_a_search_of_many_words_is_cut() -> None:
    assert sum(len(slot.typed) for slot in slots_of("lamp " * 2_000)) == MAX_WORDS
