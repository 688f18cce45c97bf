"""Files of listings: how they are read, what each row changes or why it is refused, and the round trip."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ids import is_id
from producers.kit.listings import MAX_PRICE_MINOR
from producers.kit.tables.records import MAX_LINES, guarded, read_records, unguarded
from producers.services.products.import_rows import (
    MAX_DEFECTS,
    AppliedBatch,
    Known,
    Rules,
    apply_rows,
    group_id_of,
)
from producers.services.products.listing_cells import CellReader, csv_rows, header_of, written
from producers.services.products.listing_files import MAX_ROWS, BadFile, ListingFile
from producers.services.products.model import Listing, new_listing
from schemas.product_categories import ProductAttribute, ProductCategory
from tests.workbooks import write_workbook

SENT = "c" * 64
SELLER, OTHER = "seller-1", "seller-2"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
ATTRIBUTES = {
    "colour": ProductAttribute(
        "colour", {"en": "Colour", "pt_BR": "Cor"}, True, {"blue": {"en": "Blue", "pt_BR": "Azul"}}
    ),
    "brand": ProductAttribute("brand", {"en": "Brand", "pt_BR": "Marca"}),
}
CATEGORIES = {
    "Home": ProductCategory("Home", None, {"en": "Home", "pt_BR": "Casa"}, ("brand",)),
    "Lamps": ProductCategory("Lamps", "Home", {"en": "Lamps", "pt_BR": "Luminárias"}, ("colour",)),
}
HEADER = "sku,name,category,price\n"
LAMP = replace(
    new_listing("p-1", SELLER, "BRL", NOW, None),
    status="listed", name="Lamp", category="Lamps", price_minor=1_290, sku="L1",
    attributes={"colour": "blue"},
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def load(path: Path, content: str | bytes) -> ListingFile:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return ListingFile(path, ATTRIBUTES)


def apply(path: Path, content: str | bytes, *listings: Listing, **rules: bool) -> AppliedBatch:
    """Return what a file changes of listings."""
    file = load(path, content)
    overview = file.overview()
    known = Known()
    known.add(SELLER, listings)
    given_rules = {"is_on_holiday": False, "may_set_stock": True, **rules}
    return apply_rows(
        list(file.rows()),
        overview.repeated,
        known,
        Rules(
            SELLER, "BRL", NOW, pictures={SENT}, categories=CATEGORIES, attributes=ATTRIBUTES, **given_rules
        ),
        CellReader("BRL", overview.decimal, CATEGORIES, ATTRIBUTES),
    )


def changed(path: Path, content: str | bytes, *listings: Listing, **rules: bool) -> list[Listing]:
    """Return the listings after a file in which no row is refused."""
    outcome = apply(path, content, *listings, **rules)
    assert outcome.defects == []
    return [after for _, after in outcome.changes]


def defects(
    path: Path, content: str | bytes, *listings: Listing, **rules: bool
) -> list[tuple[int, str, str]]:
    """Return row, column and code of each defect."""
    found = apply(path, content, *listings, **rules).defects
    assert all(each.reason.endswith(".") for each in found)
    return [(each.row, each.column, each.code) for each in found]


def bad_file(path: Path, content: str | bytes) -> str:
    with pytest.raises(BadFile) as refused:
        load(path, content).overview()
    assert str(path) not in str(refused.value)
    return refused.value.code


@given(st.text())
def test_a_text_that_is_guarded_is_the_same_afterwards_and_no_formula(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_quote_that_is_never_closed_spoils_one_row() -> None:
    lines = ["a,b\n", '1,"x\n', '2,"y",z\n', "3,4\n", '5,"6\n']
    assert list(read_records(lines, ",")) == [["a", "b"], None, ["2", "y", "z"], ["3", "4"], None]
    assert next(read_records(['"a\n', *["b\n"] * MAX_LINES, 'c"\n'], ",")) is None
    assert list(read_records(['"a\n', "\n", 'b"\n', "\n", "c\n"], ",")) == [["a\n\nb"], [], ["c"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_files_are_read_as_spreadsheets_of_many_countries_write_them(
    path: Path, encoding: str, delimiter: str
) -> None:
    rows = ["sku,nome,categoria,descrição", 'L1,"Luminária ""São João""",Luminárias,"É aqui\nhá luz"']
    text = "\r\n".join(row.replace(",", delimiter) for row in rows)
    price = delimiter.join(("", "preço"))
    header, row = text.split("\r\n", 1)
    content = f"{header}{price}\r\n{row}{delimiter}12.90\r\n"

    (listing,) = changed(path, content.encode(encoding))

    assert (listing.name, listing.category) == ('Luminária "São João"', "Lamps")
    assert (listing.description, listing.price_minor, listing.status) == ("É aqui\nhá luz", 1_290, "listed")


def test_a_line_that_states_the_delimiter_and_a_title_come_before_the_header(path: Path) -> None:
    assert changed(path, "sep=;\nsku;price\nL1;1,50\n", LAMP)[0].price_minor == 150
    assert defects(path, "sep=;\nsku;price\nL1;x\n", LAMP) == [(2, "price", "not-a-number")]
    assert defects(path, "Produtos de hoje\n\nsku;price\nL1;x\n", LAMP) == [(4, "price", "not-a-number")]


@pytest.mark.parametrize(
    ("cells", "price_minor"),
    [
        (["1.234,56"], 123_456),
        (["1,234.56"], 123_456),
        (["R$ 12,90"], 1_290),
        (["R$ 1.234", "0,50"], 123_400),
        (["1,234", "0.50"], 123_400),
        (["12"], 1_200),
        (["0"], 0),
        (["１２.９０"], 1_290),
        ([" 12.9 "], 1_290),
    ],
)
def test_prices_are_read_as_people_write_them(path: Path, cells: list[str], price_minor: int) -> None:
    rows = "".join(f'L{number};"{cell}"\n' for number, cell in enumerate(cells, 1))
    others = [
        replace(LAMP, product_id=f"p-{number}", sku=f"L{number}", price_minor=1) for number in range(1, 3)
    ]
    assert changed(path, f"sku;preço\n{rows}", *others)[0].price_minor == price_minor


@pytest.mark.parametrize(
    ("price", "code"),
    [
        ("1.234", "ambiguous-number"),
        ("12.345,678", "too-many-decimals"),
        ("free", "not-a-number"),
        ("=1+1", "not-a-number"),
        ("-1", "out-of-range"),
        ("1e12", "out-of-range"),
        ("9" * 99, "not-a-number"),
    ],
)
def test_a_price_that_can_not_be_is_refused(path: Path, price: str, code: str) -> None:
    assert defects(path, f"sku;price\nL1;{price}\n", LAMP) == [(2, "price", code)]


def test_a_listing_shows_pictures_that_its_seller_has_sent(path: Path) -> None:
    shown = replace(LAMP, pictures=["a" * 64], photos=1)
    (after,) = changed(path, f"sku;fotos\nL1;{SENT} {'a' * 64}\n", shown)
    assert (after.pictures, after.photos) == ([SENT, "a" * 64], 2)


def test_only_the_columns_of_the_file_change_anything(path: Path) -> None:
    (priced,) = changed(path, "sku,price\nL1,9.90\n", LAMP)
    assert priced == replace(LAMP, price_minor=990)
    (found,) = changed(path, "product_id,sku\np-1,L2\n", LAMP)
    assert found == replace(LAMP, sku="L2")
    counted = apply(path, "sku,estoque\nL1,25\n", LAMP)
    assert (counted.changes, [(each.product_id, each.on_hand) for each in counted.stock]) == (
        [],
        [("p-1", 25)],
    )
    same = apply(path, "sku,name,attribute.colour\nL1,Lamp,blue\n", LAMP)
    assert (same.applied, same.unchanged, same.refused) == (0, 1, 0)


def test_empty_cells_remove_what_is_optional_and_leave_the_rest(path: Path) -> None:
    full = replace(LAMP, description="Warm", weight_g=5, pictures=["a" * 64], photos=1, handling_days=2)
    header = "sku,name,price,status,stock,description,weight_g,pictures,handling_days,attribute.colour\n"
    (after,) = changed(path, f"{header}L1{',' * 9}\n", full)
    assert after == replace(
        LAMP, description=None, weight_g=None, pictures=[], photos=0, handling_days=None, attributes={}
    )
    assert changed(path, "sku,price,description\nL1,2.00\n", full) == [replace(full, price_minor=200)]


def test_headers_values_and_categories_may_be_in_portuguese(path: Path) -> None:
    content = (
        "SKU;Nome;Categoria;Preço (R$);Condição;Situação;atributo.Cor;Attribute: brand\n"
        "L9;Mesa;Casa;10,00;Usado;Rascunho;;Aurora\nL8;Luz;luminarias;5,00;novo;ativo;Azul;\n"
    )
    draft, lamp = changed(path, content)
    assert (draft.category, draft.condition, draft.status, draft.attributes) == (
        "Home", "used", "draft", {"brand": "Aurora"},
    )  # fmt: skip
    assert (lamp.category, lamp.status, lamp.attributes) == ("Lamps", "listed", {"colour": "blue"})


@pytest.mark.parametrize("text", ["=1+1", "+55 11", "-lamp", "@home", "'=x", "<b>x</b>", "1\u202e2", "💡"])
def test_texts_that_look_like_formulas_or_markup_stay_texts(path: Path, text: str) -> None:
    content = csv_rows([("sku", "name"), ("L1", text)])
    assert changed(path, content, LAMP)[0].name == text
    raw = f"sku,name\nL1,{text}\n"
    assert changed(path, raw, LAMP)[0].name == text.removeprefix("'")


BLOCKED = replace(LAMP, status="blocked", block_reason="unsafe")
TWIN = replace(LAMP, product_id="p-2", sku="L2")
THEIRS = replace(LAMP, seller_id=OTHER, owner_id=OTHER, sku=None)
OFFER = replace(THEIRS, seller_id=SELLER, sku="L1")


@pytest.mark.parametrize(
    ("content", "listings", "expected"),
    [
        ("sku,price\n,1.00\n", [LAMP], (2, "sku", "no-key")),
        ("product_id,price\nnone,1.00\n", [LAMP], (2, "product_id", "unknown-product")),
        ("sku,price\nL2,1.00\n", [], None),
        ("sku,price\nL1,1.00\nL1,2.00\n", [LAMP], (3, "sku", "repeated")),
        ("product_id,sku,price\np-1,,1.00\n,L1,2.00\n", [LAMP], (3, "product_id", "repeated")),
        (f"{HEADER}L2,Lamp,Nowhere,1.00\n", [], (2, "category", "unknown-category")),
        (f"{HEADER}L2,{'x' * 201},Lamps,1.00\n", [], (2, "name", "too-long")),
        (f'{HEADER}L2,"a\nb",Lamps,1.00\n', [], (2, "name", "bad-text")),
        (f"{HEADER}L2,\u200b,Lamps,1.00\n", [], (2, "name", "bad-text")),
        (f"{HEADER}L2,a\x00b,Lamps,1.00\n", [], (2, "name", "bad-text")),
        (f"{HEADER}{'x' * 65},Lamp,Lamps,1.00\n", [], (2, "sku", "too-long")),
        (f'{HEADER}L2,"Lamp,Lamps,1.00\n', [], (2, "", "bad-quotes")),
        (f"{HEADER}L2,Lamp,Lamps,1,00\n", [], (2, "", "too-many-cells")),
        ("sku,condition\nL1,broken\n", [LAMP], (2, "condition", "unknown-value")),
        ("sku,status\nL1,blocked\n", [LAMP], (2, "status", "unknown-value")),
        ("sku,handling_days\nL1,61\n", [LAMP], (2, "handling_days", "out-of-range")),
        ("sku,handling_days\nL1,1.5\n", [LAMP], (2, "handling_days", "too-many-decimals")),
        ("sku,weight_g\nL1,heavy\n", [LAMP], (2, "weight_g", "not-a-number")),
        ("sku,stock\nL1,-1\n", [LAMP], (2, "stock", "out-of-range")),
        ("sku,stock\nL1,1000001\n", [LAMP], (2, "stock", "out-of-range")),
        ("sku,stock\nL1,5\n", [replace(LAMP, status="draft")], (2, "stock", "not-on-offer")),
        ("sku,pictures\nL1,https://x.example/a.png\n", [LAMP], (2, "pictures", "bad-picture")),
        (f"sku,pictures\nL1,{' '.join(['a' * 64] * 13)}\n", [LAMP], (2, "pictures", "too-many")),
        (f"sku,pictures\nL1,{SENT} {'d' * 64}\n", [LAMP], (2, "pictures", "unknown-picture")),
        ("sku,currency,price\nL1,USD,1.00\n", [LAMP], (2, "currency", "other-currency")),
        ("sku,price\nL1,1.00\n", [replace(LAMP, currency="USD")], (2, "price", "other-currency")),
        ("sku,attribute.size\nL1,42\n", [LAMP], (2, "attribute.size", "unknown-attribute")),
        ("sku,attribute.brand\nL1," + "x" * 81 + "\n", [LAMP], (2, "attribute.brand", "too-long")),
        ("sku,group\nL1,G\n", [replace(LAMP, attributes={})], (2, "group", "bad-variants")),
        ("product_id,sku\np-1,L2\n", [LAMP, TWIN], (2, "sku", "sku-taken")),
        ("sku,price\nL1,1.00\n", [BLOCKED], (2, "status", "blocked-listing")),
        ("sku,name\nL1,Other\n", [THEIRS, OFFER], (2, "name", "contents-of-owner")),
    ],
)  # fmt: skip
def test_each_defect_is_named_by_row_and_column(
    path: Path, content: str, listings: list[Listing], expected: tuple[int, str, str] | None
) -> None:
    found = defects(path, content, *listings)
    if expected is None:
        assert {code for _, _, code in found} == {"missing"}
        assert [column for _, column, _ in found] == ["name", "category"]
    else:
        assert found == [expected]


def test_a_bad_row_changes_nothing_and_names_every_column_while_the_others_are_applied(path: Path) -> None:
    content = f"{HEADER}L1,Better,Lamps,x\nL2,,Nowhere,1.00\nL3,Desk,Home,3.00\n"
    outcome = apply(path, content, LAMP)
    assert [(each.row, each.column) for each in outcome.defects] == [
        (2, "price"),
        (3, "category"),
        (3, "name"),
    ]
    assert [after.name for _, after in outcome.changes] == ["Desk"]
    assert (outcome.applied, outcome.unchanged, outcome.refused) == (1, 0, 2)


def test_a_row_of_many_defects_names_the_first_ones(path: Path) -> None:
    names = ",".join(f"attribute.x{n}" for n in range(900))
    outcome = apply(path, f"sku,name,category,price,{names}\nA,Lamp,Lamps,1.00{f',{chr(121) * 81}' * 900}\n")
    assert (outcome.refused, len(outcome.defects)) == (1, MAX_DEFECTS)


def test_latin_1_without_a_mark_is_read_and_broken_bytes_are_named(path: Path) -> None:
    header = "sku;descrição;price\n".encode("cp1252")
    good = "L1;Luminária de mesa, ótima;1,00\n".encode("cp1252")
    assert changed(path, header + good, LAMP)[0].description == "Luminária de mesa, ótima"
    odd = "sku,price\nL1,1.00\n".encode("utf-16") + b"\x41"
    assert defects(path, odd, LAMP) == [(3, "", "bad-encoding")]


def test_the_fullest_sheet_of_a_workbook_is_read_whatever_the_name_of_the_file_is(path: Path) -> None:
    rows: list[list[object]] = [["SKU", "Preço", "Estoque"], ["L1", 12.9, 25], [], ["L2", "R$ 1.234,50", 1]]
    write_workbook(path, {"Help": [["See below"]], "Products": rows})
    other = replace(LAMP, product_id="p-2", sku="L2")

    outcome = apply(path, path.read_bytes(), LAMP, other)

    assert outcome.defects == []
    assert [after.price_minor for _, after in outcome.changes] == [123_450]
    assert [(each.row, each.on_hand) for each in outcome.stock] == [(2, 25), (4, 1)]


def test_an_offer_of_a_product_of_another_seller_needs_a_price_and_takes_the_contents(path: Path) -> None:
    assert defects(path, "product_id,sku\np-1,X\n", THEIRS) == [(2, "price", "missing")]
    (offer,) = changed(path, "product_id,sku,price\np-1,X,5.00\n", THEIRS)
    assert (offer.name, offer.price_minor, offer.sku) == ("Lamp", 500, "X")
    assert (offer.seller_id, offer.owner_id) == (SELLER, OTHER)


def test_contents_of_the_owner_are_those_of_all_offers(path: Path) -> None:
    theirs = replace(LAMP, seller_id=OTHER, sku=None, price_minor=5)
    mine, others = changed(path, "sku,name,price\nL1,Better,2.00\n", LAMP, theirs)
    assert (mine.name, others.name, mine.price_minor, others.price_minor) == ("Better", "Better", 200, 5)


def test_rows_with_one_text_are_one_group(path: Path) -> None:
    header = "sku,name,category,price,group,attribute.colour\n"
    rows = "A,S,Lamps,1.00,G,blue\nB,S,Lamps,1.00,G,red\n"
    one, other = changed(path, header + rows)
    assert one.group_id == other.group_id == group_id_of(SELLER, "G")
    twin = defects(path, f"{header}{rows}C,S,Lamps,1.00,G,Azul\n")
    assert twin == [(4, "group", "bad-variants")]
    assert changed(path, f"{header}C,S,Lamps,1.00,G,green\n", one, other)[0].group_id == one.group_id
    assert defects(path, f"{header}C,S,Lamps,1.00,{one.group_id},red\n", one, other)[0][2] == "bad-variants"
    colourless = "sku,attribute.colour\nA,\n"
    assert defects(path, colourless, one, other) == [(2, "group", "bad-variants")]


def test_taking_off_listing_again_and_holidays(path: Path) -> None:
    content = "sku,status\nL1,{}\n"
    assert changed(path, content.format("delisted"), LAMP)[0].status == "delisted"
    assert changed(path, content.format("draft"), LAMP)[0].status == "delisted"
    off = replace(LAMP, status="delisted")
    assert changed(path, "sku,price\nL1,1.00\n", off)[0].status == "delisted"
    (again,) = changed(path, content.format("listed"), off, is_on_holiday=True)
    assert (again.status, again.on_offer) == ("listed", False)


def test_stock_of_a_sender_who_may_not_set_it_is_refused(path: Path) -> None:
    assert defects(path, "sku,stock\nL1,5\n", LAMP, may_set_stock=False) == [(2, "stock", "not-allowed")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b" \n", "no-key"),
        (b"name,price\nLamp,1\n", "no-key"),
        (b"sku\nL1\n", "nothing-to-change"),
        (b"sku,colour\nL1,blue\n", "nothing-to-change"),
        (b"sku,price\n\n", "no-rows"),
        (b"sku,price,preco\nL1,1,2\n", "column-twice"),
        (b"%PDF-1.7\n", "not-a-table"),
        (b"PK\x03\x04 broken", "not-a-table"),
        (b"<html><table>", "not-a-table"),
        (b"PAR1 broken", "not-a-table"),
        (b"sku,price\n" + b"L,1\n" * (MAX_ROWS + 1), "too-many-rows"),
    ],
)
def test_a_file_of_which_no_row_can_be_used_says_why(path: Path, content: bytes, code: str) -> None:
    assert bad_file(path, content) == code


def test_columns_that_are_not_known_are_named(path: Path) -> None:
    file = load(path, "sku,prise,price,attribute.size\nL1,1,2,3\n")
    assert file.unknown == ["prise"]
    assert file.columns == ["sku", None, "price", "attribute.size"]


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
LISTINGS = st.builds(
    Listing,
    product_id=st.text(max_size=10).filter(lambda text: bool(text) and is_id(text) and bool(text.strip())),
    seller_id=st.just(SELLER),
    owner_id=st.sampled_from([SELLER, OTHER]),
    status=st.sampled_from(["draft", "listed", "delisted", "blocked"]),
    hidden=st.booleans(),
    block_reason=st.none(),
    name=st.none() | TEXTS,
    category=st.none() | st.sampled_from(["Lamps", "Home"]) | TEXTS,
    description=st.none() | TEXTS,
    group_id=st.none() | TEXTS,
    attributes=st.dictionaries(TEXTS.filter(lambda key: key == key.strip() != ""), TEXTS, max_size=3),
    currency=st.sampled_from(["BRL", "JPY", "KWD"]),
    price_minor=st.integers(0, MAX_PRICE_MINOR),
    condition=st.sampled_from(["new", "used", "refurbished"]),
    handling_days=st.none() | st.integers(0, 99),
    sku=st.none() | TEXTS,
    pictures=st.lists(st.sampled_from(["a" * 64, "b" * 64]), max_size=2),
    photos=st.none() | st.integers(0, 9),
    weight_g=st.none() | st.integers(0, 10**6),
    length_cm=st.none() | st.integers(0, 99),
    height_cm=st.none() | st.integers(0, 99),
    width_cm=st.none() | st.integers(0, 99),
    created_at=st.just(NOW),
    changed_at=st.just(NOW),
)


def exported(listings: list[Listing]) -> bytes:
    header = header_of({key for each in listings for key in each.attributes})
    rows: list[Mapping[str, str]] = [written(each) for each in listings]
    lines = csv_rows([[each.get(name, "") for name in header] for each in rows])
    return "\ufeff".encode() + csv_rows([header]) + lines


@given(st.lists(LISTINGS, min_size=1, max_size=5, unique_by=lambda it: it.product_id.strip()))
def test_a_file_that_was_exported_and_is_sent_back_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, listings: list[Listing]
) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip"

    outcome = apply(path, exported(listings), *listings)

    assert (outcome.defects, outcome.changes, outcome.stock) == ([], [], [])
    assert outcome.unchanged == len(listings)
