import gzip
import zlib

import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from clickhouse.sql_guard.allowlists import REFUSED_FUNCTIONS, is_function
from clickhouse.sql_guard.errors import DatabaseError
from clickhouse.sql_guard.readable_databases import ReadableDatabases
from common.settings import Settings
from local.embedded_clickhouse.app import HostCheck
from local.embedded_clickhouse.compression import choose_encoding, compressor, decompress, native_block
from local.embedded_clickhouse.request import read_request
from local.embedded_clickhouse.users import User, Users

PACKED = {
    "": lambda data: data,
    "identity": lambda data: data,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstandard.compress,
    "native": native_block,
}


@pytest.mark.parametrize("encoding", PACKED)
@given(data=st.binary(max_size=3000), size=st.integers(1, 700))
def test_a_body_comes_out_of_its_encoding_as_it_went_in(encoding, data, size):
    packed = PACKED[encoding](data)
    chunks = (packed[at : at + size] for at in range(0, len(packed), size))

    assert b"".join(decompress(chunks, encoding)) == data


@pytest.mark.parametrize("encoding", ["gzip", "lz4", "zstd"])
def test_a_body_of_several_frames_is_one_body(encoding):
    packed = PACKED[encoding](b"one") + PACKED[encoding](b"two")

    assert b"".join(decompress([packed], encoding)) == b"onetwo"


@pytest.mark.parametrize("encoding", ["native", "lz4", "gzip", "deflate", "zstd"])
def test_an_answer_can_be_unpacked(encoding):
    made = compressor(encoding)
    packed = made.compress(b"abc" * 1000) + made.compress(b"") + made.compress(b"d") + made.flush()

    assert b"".join(decompress([packed], encoding)) == b"abc" * 1000 + b"d"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "lz4", "zstd", "native"])
def test_a_body_that_is_cut_off_or_broken_is_refused(encoding):
    packed = PACKED[encoding](bytes(range(256)) * 20)

    with pytest.raises(DatabaseError):
        b"".join(decompress([packed[:-5]], encoding))
    with pytest.raises(DatabaseError):
        b"".join(decompress([packed[:2] + b"\x00\x01\x02\x03\x04" + packed[7:]], encoding))


def test_an_unknown_encoding_is_refused():
    with pytest.raises(DatabaseError, match="UNKNOWN_COMPRESSION_METHOD"):
        b"".join(decompress([b"x"], "snappy"))


def test_the_answer_is_encoded_as_the_client_accepts():
    assert choose_encoding("zstd, gzip;q=0.5") == "gzip"
    assert choose_encoding("br") is None


def test_a_request_is_read_from_its_line_and_headers():
    query = b"query=SELECT+1&database=souk&param_a=%27x&max_threads=1&query_id=q1&session_id=s&compress=1"

    request = read_request(
        "GET", query, {"x-clickhouse-format": "CSV", "authorization": "Basic YWRtaW46cHc="}
    )

    assert (request.user, request.password) == ("admin", "pw")
    assert (request.query, request.database, request.format) == (b"SELECT 1", "souk", "CSV")
    assert (request.params, request.settings) == ({"a": "'x"}, {"max_threads": "1"})
    assert (request.query_id, request.session_id, request.response_encoding) == ("q1", "s", "native")


@pytest.mark.parametrize(
    ("said", "is_short"), [("20", True), ("1048576", True), ("1048577", False), ("0", False), (None, False)]
)
def test_a_body_is_short_only_where_the_client_says_so(said, is_short):
    headers = {"content-length": said} if said else {}

    assert read_request("POST", b"query=INSERT", headers).is_short is is_short


def test_a_setting_whose_name_is_not_a_name_is_refused():
    with pytest.raises(DatabaseError, match="UNKNOWN_SETTING"):
        read_request("GET", b"a%3D1%2Creadonly=0", {})


def test_a_password_that_is_wrong_says_neither_which():
    users = Users(Settings(clickhouse_admin_password="secret", clickhouse_analyst_password="sql", demo=True))

    assert users.authenticate("admin", "secret").writes
    assert not users.authenticate("analyst", "sql").writes
    assert not users.authenticate("default", "").writes
    assert users.authenticate("reader", "").pool != users.authenticate("serving", "").pool
    for name, password in [("admin", ""), ("admin", "no"), ("nobody", ""), ("reader", "x"), ("analyst", "")]:
        with pytest.raises(DatabaseError, match="AUTHENTICATION_FAILED"):
            users.authenticate(name, password)


@pytest.mark.parametrize("demo", [True, False])
def test_without_a_password_nobody_is_the_admin(demo):
    users = Users(Settings(clickhouse_admin_password="", demo=demo))

    with pytest.raises(DatabaseError, match="SOUK_CLICKHOUSE_ADMIN_PASSWORD"):
        users.authenticate("admin", "")


@pytest.mark.parametrize("name", ["reader", "default", "serving", "analyst"])
def test_without_a_password_a_user_connects_in_demo_mode_only(name):
    assert not Users(Settings(demo=True)).authenticate(name, "").writes
    for password in ("", "x"):
        with pytest.raises(DatabaseError, match="SOUK_CLICKHOUSE_ANALYST_PASSWORD"):
            Users(Settings(demo=False)).authenticate(name, password)


def test_a_reader_with_a_password_connects_without_demo_mode():
    users = Users(Settings(clickhouse_reader_password="mine", demo=False))

    assert not users.authenticate("reader", "mine").writes
    with pytest.raises(DatabaseError, match="AUTHENTICATION_FAILED"):
        users.authenticate("reader", "")


def test_without_landlock_nobody_connects_without_a_password():
    settings = Settings(demo=True, clickhouse_analyst_password="theirs")
    users = Users(settings, unconfined="the kernel refuses Landlock: Function not implemented")

    for name in ("reader", "default"):
        with pytest.raises(
            DatabaseError, match="Landlock: Function not implemented: connect as analyst"
        ) as refused:
            users.authenticate(name, "")
        assert refused.value.status == 403
    assert users.authenticate("analyst", "theirs").name == "analyst"
    assert Users(settings).authenticate("reader", "").name == "reader"


def test_databases_are_readable_by_list_and_internal_ones_by_name_only():
    listed = ReadableDatabases.parse("souk", " lab, ,")

    assert all(name in listed for name in ("souk", "lab", "system", "default", "information_schema"))
    assert not any(name in listed for name in ("", "other", "souk_rows", "lab_rows", "Souk", "*"))
    every = ReadableDatabases.parse("souk", "*")
    assert "other" in every
    assert not any(name in every for name in ("souk_rows", "SOUK_ROWS", "other_rows"))
    assert "souk_rows" in ReadableDatabases.parse("souk", "souk_rows")


KNOWN = {
    "readonly": "0",
    "log_comment": "",
    "allow_ddl": "1",
    "additional_table_filters": "{}",
    "format_schema": "",
    "receive_timeout": "300",
}
"""Settings of the engine that a reader may not change, and their values."""


def test_a_reader_may_ask_for_less_but_never_for_more():
    reader = User("reader", writes=False)

    asked = {"max_execution_time": "5", "max_threads": "1", "session_timezone": "UTC"}
    assert reader.effective_settings(asked, KNOWN).items() >= asked.items()
    for name in KNOWN:
        with pytest.raises(DatabaseError, match="READONLY"):
            reader.effective_settings({name: "2"}, KNOWN)
    with pytest.raises(DatabaseError, match="UNKNOWN_SETTING"):
        reader.effective_settings({"no_such_setting": "1"}, KNOWN)
    for value in ("0", "61", "-1"):
        with pytest.raises(DatabaseError, match="SETTING_CONSTRAINT_VIOLATION"):
            reader.effective_settings({"max_execution_time": value}, KNOWN)
    for value in ("x", "inf", "nan"):
        with pytest.raises(DatabaseError, match="CANNOT_PARSE_NUMBER"):
            reader.max_query_size(value)


def test_a_reader_may_give_a_setting_the_value_that_it_has():
    reader = User("reader", writes=False)

    for name, value in {
        "receive_timeout": "300",
        "readonly": "1",
        "allow_ddl": "true",
        "log_comment": "",
    }.items():
        assert name not in reader.effective_settings({name: value}, KNOWN)
    for name, value in {"receive_timeout": "301", "readonly": "0", "log_comment": "x"}.items():
        with pytest.raises(DatabaseError, match="READONLY"):
            reader.effective_settings({name: value}, KNOWN)


def test_a_limit_that_is_refused_says_why():
    reader = User("reader", writes=False)

    with pytest.raises(
        DatabaseError, match=r"0 would be no limit, which readers may not have\. It is at most 50000000"
    ):
        reader.effective_settings({"max_result_rows": "0"}, KNOWN)
    with pytest.raises(DatabaseError, match="shouldn't be greater than 50000000"):
        reader.effective_settings({"max_result_rows": "50000001"}, KNOWN)


def test_a_reader_may_set_a_time_limit_with_a_fraction_within_the_limit():
    reader = User("reader", writes=False)

    for value in ("0.5", "5e-1", "59.9"):
        assert reader.effective_settings({"max_execution_time": value}, KNOWN)["max_execution_time"] == value
    # ClickHouse rounds to microseconds, and 0 means no limit.
    for value in ("60.5", "0.0000001", "-0.5", "0.0"):
        with pytest.raises(DatabaseError, match="SETTING_CONSTRAINT_VIOLATION"):
            reader.effective_settings({"max_execution_time": value}, KNOWN)
    with pytest.raises(DatabaseError, match="SETTING_CONSTRAINT_VIOLATION"):
        reader.effective_settings({"max_rows_to_read": "0.5"}, KNOWN)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "lz4", "zstd"])
def test_a_bomb_comes_out_in_pieces_and_only_as_far_as_it_is_asked(encoding):
    packed = PACKED[encoding](bytes(100 << 20))
    steps = decompress([packed], encoding)

    assert 0 < len(next(steps)) <= 32 << 20
    assert sum(map(len, steps)) > 60 << 20


def test_a_native_block_that_claims_much_is_refused_before_it_is_read():
    claim = bytearray(native_block(b"x"))
    claim[21:25] = (1 << 27).to_bytes(4, "little")

    with pytest.raises(DatabaseError, match="TOO_LARGE_SIZE_COMPRESSED"):
        list(decompress([bytes(claim)], "native"))


@pytest.mark.parametrize(
    ("headers", "served"),
    [
        ({}, True),
        ({b"host": b"127.0.0.1:8123"}, True),
        ({b"host": b"[::1]:8123"}, True),
        ({b"host": b"localhost"}, True),
        ({b"host": b"ch.example:8123"}, True),
        ({b"host": b"evil.example"}, False),
        ({b"host": b"127.0.0.1.evil.example"}, False),
        ({b"host": b"["}, False),
        ({b"host": b"127.0.0.1:8000@evil.example"}, False),
        ({b"host": b"evil.example@127.0.0.1:8123"}, False),
        ({b"host": b"localhost/evil.example"}, False),
        ({b"host": b"localhost", b"origin": b"http://localhost:3000"}, True),
        ({b"host": b"localhost", b"origin": b"https://evil.example"}, False),
        ({b"host": b"localhost", b"origin": b"null"}, False),
        ({b"host": b"localhost", b"sec-fetch-site": b"cross-site"}, False),
        ({b"host": b"localhost", b"sec-fetch-site": b"none"}, True),
    ],
)
def test_a_browser_that_a_stranger_s_page_sends_is_not_served(headers, served):
    refusal = HostCheck("ch.example, other.example").refusal(headers)

    assert (refusal is None) == served
    assert served or "SOUK_CLICKHOUSE_HOSTS" in str(refusal)


@pytest.mark.parametrize("name", ["sum", "sumIf", "argMaxOrNull", "uniqExactMergeState", "toStartOfMinute"])
def test_a_function_of_the_list_is_a_reader_s_with_an_aggregate_s_suffix_too(name):
    assert is_function(name)


@pytest.mark.parametrize("name", ["file", "FILE", "fileIf", "dictGet", "joinGet", "nope", "State", ""])
def test_a_function_on_no_list_is_not_a_reader_s(name):
    assert not is_function(name)


def test_no_function_is_on_both_lists_nor_made_of_one_of_the_other():
    assert not any(map(is_function, REFUSED_FUNCTIONS))


def test_the_engine_s_text_becomes_code_name_and_status():
    error = DatabaseError.parse(
        "Streaming insert append failed: Code: 27. DB::Exception: Cannot (parse) it: (at row 2)\n: X. "
        "(CANNOT_PARSE_INPUT_ASSERTION_FAILED) (version 26.9.2.1)"
    )

    assert (error.code, error.name, error.status) == (27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", 400)
    assert error.message == "Cannot (parse) it: (at row 2)\n: X."
    assert error.text("26.9").startswith("Code: 27. DB::Exception: Cannot (parse)")
    assert DatabaseError.parse("something else").code == 1001
    assert DatabaseError(60, "UNKNOWN_TABLE", "").status == 404
    assert DatabaseError(241, "MEMORY_LIMIT_EXCEEDED", "").status == 500
