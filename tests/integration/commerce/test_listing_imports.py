"""Files of listings: bad rows are named, the others applied once; export and round trip."""

import csv
from io import StringIO

import pytest

from common.ids import new_id
from common.principal import Principal
from tests.integration.commerce.people import staff
from tests.workbooks import write_far_cell

CSV = {"content-type": "text/csv"}
HEADER = "sku;nome;categoria;descrição;preço;condição;estoque;atributo.Cor\r\n"
DEFECTS = (
    ("preço", "price", "grátis", "not-a-number"),
    ("categoria", "category", "Nenhuma", "unknown-category"),
    ("nome", "name", "x" * 201, "too-long"),
    ("condição", "condition", "quebrado", "unknown-value"),
)
"""Header, column, value and code of what is planted in bad rows."""


class Seller:
    """A seller's manager, who sends files."""

    def __init__(self, shop) -> None:
        self.shop, self.seller_id = shop, f"seller-{new_id()}"
        self.http = shop.as_principal(staff(self.seller_id, "manager"))
        self.path = f"/v1/sellers/{self.seller_id}"

    def send(self, content: str | bytes, http=None, **query):
        """Send a file."""
        body = content if isinstance(content, bytes) else content.encode()
        return (http or self.http).post(
            f"{self.path}/listing_imports", content=body, headers=CSV, params=query, timeout=120
        )

    def sent(self, content: str | bytes, **query) -> str:
        """Send a file and return the id of its import."""
        answer = self.send(content, **query)
        assert answer.status_code == 202, answer.text
        return answer.json()["import_id"]

    def state(self, import_id: str) -> dict:
        """Return how far an import is."""
        return self.http.get(f"{self.path}/listing_imports/{import_id}").raise_for_status().json()

    def report(self, import_id: str) -> list[dict]:
        """Return the defects of an import."""
        answer = self.http.get(f"{self.path}/listing_imports/{import_id}/report.csv", timeout=60)
        return list(csv.DictReader(StringIO(answer.raise_for_status().text.removeprefix("\ufeff"))))

    def export(self) -> str:
        """Return the file of all listings."""
        return self.http.get(f"{self.path}/listings.csv", timeout=120).raise_for_status().text

    def listed(self) -> dict[str, dict]:
        """Return the rows of the export by SKU."""
        rows = csv.DictReader(StringIO(self.export().removeprefix("\ufeff"), newline=""))
        return {row["sku"]: row for row in rows}


@pytest.fixture
def seller(shop):
    return Seller(shop)


@pytest.fixture
def imported(seller, eventually):
    """A function that sends a file and waits until it is applied, and returns the import."""

    def run(content, **query):
        return followed(seller, seller.sent(content, **query), eventually)

    return run


@pytest.fixture(autouse=True)
def _with_categories(shop):
    shop.await_row("SELECT FROM products.categories WHERE category_id = 'Lamps'")


def followed(seller, import_id, eventually, position=None):
    """Wait until so many rows of an import are done, or it has ended, and return it."""
    state = seller.state(import_id)
    while state["status"] not in ("done", "failed") and (position is None or state["position"] < position):
        before = state
        state = eventually(lambda before=before: moved(seller, import_id, before), "the next batch")
    return state


def moved(seller, import_id, before):
    """Return an import if it has changed."""
    state = seller.state(import_id)
    return state if state != before else None


def outbox(shop):
    """Return how many events wait for Kafka."""
    (row,) = shop.sql("SELECT count(*) AS waiting FROM products.outbox")
    return row["waiting"]


def events_of(shop, seller):
    """Return what identifies each `product_listed` of a seller. The relay sends some twice after a kill."""
    found = (each for each in shop.messages("product_listed") if seller.seller_id.encode() in each.value())
    return {(each.key(), dict(each.headers())["traceparent"]) for each in found}


def kind(answer):
    return answer.status_code, answer.json()["type"].removeprefix("urn:souk:problem:")


def rows_with_defects(count, bad):
    """Return a file, and row → column and code of what is wrong in every `count / bad`-th row."""
    lines, planted = [HEADER], {}
    for number in range(count):
        cells = {
            "sku": f"L-{number}", "nome": f"Luminária nº {number}", "categoria": "Luminárias",
            "descrição": "Boa; \"muito\" boa", "preço": f"1.{number % 1000:03d},50", "condição": "novo",
            "estoque": "", "atributo.Cor": "Azul",
        }  # fmt: skip
        if number % (count // bad) == 7:
            header, column, value, code = DEFECTS[len(planted) % len(DEFECTS)]
            cells[header] = value
            planted[number + 2] = (column, code)
        quoted = [f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in cells.values()]
        lines.append(";".join(quoted) + "\r\n")
    return "".join(lines), planted


@pytest.mark.parametrize(
    ("count", "bad"), [(2_000, 20), pytest.param(100_000, 200, marks=pytest.mark.nightly)]
)
def test_bad_rows_are_named_and_the_others_listed_once_although_the_process_is_killed(
    shop, seller, eventually, count, bad
):
    content, planted = rows_with_defects(count, bad)
    import_id = seller.sent(content.encode("cp1252"), file_name="Luminárias.csv")
    for share in (0.1, 0.5):
        assert followed(seller, import_id, eventually, share * count)["status"] == "running"
        shop.kill()
        shop.start()

    state = followed(seller, import_id, eventually)

    assert (state["status"], state["rows"], state["position"]) == ("done", count, count)
    assert (state["applied"], state["unchanged"], state["refused"]) == (count - bad, 0, bad)
    report = seller.report(import_id)
    assert {int(row["row"]): (row["column"], row["code"]) for row in report} == planted
    assert len(report) == len(planted) == bad
    listed = shop.sql(
        "SELECT count(*) AS listings, count(DISTINCT sku) AS skus, count(DISTINCT changed_at) > 1 AS batches "
        "FROM products.listings WHERE seller_id = $1 AND status = 'listed' AND attributes = $2::jsonb",
        seller.seller_id, '{"colour": "blue"}',
    )  # fmt: skip
    assert listed == [{"listings": count - bad, "skus": count - bad, "batches": True}]
    while waiting := outbox(shop):
        eventually(lambda waiting=waiting: outbox(shop) < waiting, "the next events")
    assert len(events_of(shop, seller)) == count - bad


def test_a_file_changes_prices_alone_and_another_one_only_what_it_names(shop, seller, imported, eventually):
    imported("sku,name,category,price\nA,One,Lamps,1.00\nB,Two,Lamps,2.00\n")
    done = imported("sku;preço\nA;1.234,56\nB;2,00\n")
    assert (done["applied"], done["unchanged"], done["refused"]) == (1, 1, 0)
    listed = seller.listed()
    assert {sku: (row["name"], row["price"]) for sku, row in listed.items()} == {
        "A": ("One", "1234.56"), "B": ("Two", "2.00"),
    }  # fmt: skip
    (event,) = eventually(lambda: shop.events("product_changed", listed["A"]["product_id"]))
    assert (event["changed_fields"], event["price_minor"]) == (["price_minor"], 123_456)
    prices = seller.http.get(f"{seller.path}/listings/{listed['A']['product_id']}/prices").json()
    assert [each["price_minor"] for each in prices] == [123_456, 100]


def test_stock_of_new_and_of_old_listings_is_set_and_what_inventory_refuses_is_reported(
    shop, seller, imported
):
    done = imported("sku,name,category,price,stock\nA,One,Lamps,1.00,5\nB,Two,Lamps,2.00,3\n")
    assert (done["status"], done["applied"]) == ("done", 2)
    lamp, desk = (seller.listed()[sku]["product_id"] for sku in ("A", "B"))
    assert (shop.stock(lamp), shop.stock(desk)) == ((5, 0), (3, 0))
    seller.http.delete(f"{seller.path}/listings/{desk}").raise_for_status()
    shop.await_row("SELECT FROM inventory.listings WHERE product_id = $1 AND NOT listed", desk)

    counted = imported("sku,estoque\nA,7\nB,9\n")

    assert (counted["applied"], counted["refused"]) == (1, 1)
    assert shop.stock(lamp) == (7, 0)
    (refused,) = seller.report(counted["import_id"])
    assert (refused["row"], refused["column"], refused["code"]) == ("3", "stock", "not-listed")


def test_the_same_file_is_one_import_until_it_is_asked_for_again(seller, imported):
    content = "sku,name,category,price\nA,One,Lamps,1.00\n"
    first = imported(content)
    assert seller.sent(content) == first["import_id"]
    again = imported(content, again=True)
    assert (again["import_id"] != first["import_id"], again["unchanged"]) == (True, 1)
    dry = imported(content, dry_run=True)
    assert dry["import_id"] not in (first["import_id"], again["import_id"])
    listed = seller.http.get(f"{seller.path}/listing_imports", params={"limit": 2}).json()
    assert [each["import_id"] for each in listed["imports"]] == [dry["import_id"], again["import_id"]]
    rest = seller.http.get(f"{seller.path}/listing_imports", params={"cursor": listed["next_cursor"]}).json()
    assert [each["import_id"] for each in rest["imports"]] == [first["import_id"]]
    assert len(seller.listed()) == 1


def test_a_dry_run_reports_and_changes_nothing(shop, seller, imported):
    rows = "".join(f"A{number},One,Lamps,1.00,G,c{number % 300}\n" for number in range(400))
    done = imported(f"sku,name,category,price,group,attribute.colour\n{rows}B,Two,No,x,,\n", dry_run=True)
    assert (done["status"], done["dry_run"], done["rows"]) == ("done", True, 401)
    codes = {row["code"] for row in seller.report(done["import_id"])}
    assert codes == {"too-many-variants", "unknown-category", "not-a-number"}
    assert (done["applied"], done["refused"]) == (100, 301)
    assert seller.listed() == {}
    assert shop.sql("SELECT FROM products.listings WHERE seller_id = $1", seller.seller_id) == []


def test_variants_of_one_text_are_one_group_also_in_a_later_file(seller, imported):
    header = "sku,name,category,price,group,attribute.colour\n"
    imported(f"{header}A,Lamp,Lamps,1.00,G-1,blue\n")
    done = imported(f"{header}B,Lamp,Lamps,1.00,G-1,red\nC,Lamp,Lamps,1.00,G-1,blue\n")
    assert (done["applied"], done["refused"]) == (1, 1)
    assert [(row["row"], row["code"]) for row in seller.report(done["import_id"])] == [("3", "bad-variants")]
    assert len({row["group"] for row in seller.listed().values()}) == 1


def test_what_is_exported_can_be_sent_back_and_changes_nothing(shop, seller, imported):
    texts = ["=1+1", "-Luminária «São João» 💡", '5" "lamp"', "a;b,c\td", "'=quoted", " blank "]
    for number, text in enumerate(texts):
        body = {
            "name": text.replace("\t", " "), "category": "Lamps", "price_minor": number,
            "description": f"{text}\nSecond line", "sku": f"S{number}",
            "attributes": {"colour": text.replace("\t", " ")},
        }  # fmt: skip
        answer = seller.http.post(f"{seller.path}/listings", json=body)
        assert answer.status_code == 201, answer.text
    before = shop.sql(
        "SELECT * FROM products.listings WHERE seller_id = $1 ORDER BY product_id", seller.seller_id
    )

    exported = seller.export()
    done = imported(exported)

    assert (done["applied"], done["unchanged"], done["refused"]) == (0, len(texts), 0)
    assert seller.report(done["import_id"]) == []
    after = shop.sql(
        "SELECT * FROM products.listings WHERE seller_id = $1 ORDER BY product_id", seller.seller_id
    )
    assert after == before
    assert "'=1+1" in exported
    assert "\n=1+1" not in exported
    edited = imported(exported.replace(",0.05,", ",9.05,"))
    assert edited["applied"] == 1


def test_a_file_that_is_no_table_fails_with_a_reason_and_does_not_hold_up_others(seller, imported):
    failed = imported(b"%PDF-1.7 this is no table")
    assert (failed["status"], failed["code"], failed["rows"]) == ("failed", "not-a-table", None)
    assert failed["reason"] == "The file is a PDF: export the table as CSV or xlsx."
    lost = imported("name,price\nLamp,1\n")
    assert (lost["status"], lost["code"]) == ("failed", "no-key")
    noted = imported("sku,name,category,price,prise\nA,One,Lamps,1.00,2\n")
    assert (noted["status"], noted["applied"]) == ("done", 1)
    (unknown,) = seller.report(noted["import_id"])
    assert (unknown["row"], unknown["column"], unknown["code"]) == ("1", "prise", "unknown-column")


def test_a_workbook_that_no_memory_can_hold_fails_and_the_services_go_on(imported, tmp_path):
    far = write_far_cell(tmp_path / "far.xlsx", "XFD1048576")
    failed = imported(far.read_bytes())
    assert (failed["status"], failed["code"]) == ("failed", "too-costly")
    slow = imported(f"sku,name,category,price\nA,One,Lamps,({' ' * 45}1{' ' * 45}x\n")
    assert (slow["status"], slow["refused"]) == ("done", 1)
    assert imported("sku,name,category,price\nA,One,Lamps,1.00\n")["applied"] == 1


def test_who_may_send_and_read_files(shop, seller, imported, eventually):
    content = "sku,name,category,price,stock\nA,One,Lamps,1.00,5\n"
    import_id = imported(content)["import_id"]
    analyst = shop.as_principal(staff(seller.seller_id, "analyst"))
    assert seller.send(content, http=analyst).status_code == 403
    stranger = Seller(shop)
    assert seller.send(content, http=stranger.http).status_code == 404
    for path in (f"listing_imports/{import_id}", f"listing_imports/{import_id}/report.csv", "listings.csv"):
        assert stranger.http.get(f"{seller.path}/{path}").status_code == 404
    assert stranger.http.get(f"{stranger.path}/listing_imports/{import_id}").status_code == 404
    assert kind(seller.send(b"")) == (422, "empty-file")
    plain = seller.http.post(
        f"{seller.path}/listing_imports", content=b"x", headers={"content-type": "text/plain"}
    )
    assert kind(plain) == (415, "not-a-file")
    key = Principal(
        "key:1",
        frozenset({"seller"}),
        sellers={seller.seller_id: "manager"},
        scopes=frozenset({"listings:write"}),
    )
    by_key = seller.send(content.replace(",5", ",6"), http=shop.as_principal(key)).json()["import_id"]
    followed(seller, by_key, eventually)
    assert [row["code"] for row in seller.report(by_key)] == ["not-allowed"]


def test_a_seller_who_may_not_sell_imports_nothing(shop, seller):
    shop.sql(
        "INSERT INTO products.seller_status (seller_id, approved, changed_at) VALUES ($1, false, now())",
        seller.seller_id,
    )
    assert kind(seller.send("sku,price\nA,1\n")) == (409, "seller-not-approved")


def test_a_seller_has_a_limit_of_files_that_wait(shop, seller):
    for number in range(10):
        shop.sql(
            "INSERT INTO products.listing_imports (import_id, seller_id, sha256, dry_run, sets_stock, "
            "status, created_at, due_at) "
            "VALUES ($1, $2, $3, true, true, 'waiting', now(), now() + interval '1 day')",
            new_id(), seller.seller_id, bytes([number]),
        )  # fmt: skip
    refused = seller.send("sku,price\nA,1\n")
    assert (kind(refused), refused.headers["retry-after"]) == ((429, "too-many-imports"), "60")
