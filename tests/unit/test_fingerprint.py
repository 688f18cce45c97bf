from pathlib import Path

import pytest

from jobs.connectors.build import SOURCES
from jobs.fingerprint import function_code, java_tokens, sql_tokens
from jobs.rankings import logic as rankings
from jobs.recommendations import logic as recommendations

STATE = """package souk.flink.visits;

/** A product. */
public class VisitProduct {
    public String productId = "a // b"; // what was seen
    public char quote = '"';
}
"""


def code(folder: Path, source: str, name: str = "VisitProduct") -> str:
    package = folder / name / "souk" / "flink" / "visits"
    package.mkdir(parents=True, exist_ok=True)
    (package / f"{name}.java").write_text(source)
    return function_code({"pairs_of_visits": "souk.flink.visits.VisitPairs"}, folder / name)


def test_sql_tokens_keep_quoted_texts_and_hints_and_drop_comments() -> None:
    assert sql_tokens("SELECT/*+ A('b') */ 'it''s -- x', `a  b` -- c\nFROM t /* d */") == [
        "SELECT", "/", "*", "+", "A", "(", "'b'", ")", "*", "/", "'it''s -- x'", ",", "`a  b`", "FROM", "t",
    ]  # fmt: skip


def test_java_tokens_keep_literals_and_drop_comments() -> None:
    assert java_tokens('a = "/* x */\\""; /** doc */ c = \'"\'; // end') == [
        "a", "=", '"/* x */\\""', ";", "c", "=", "'\"'", ";",
    ]  # fmt: skip


def test_a_comment_in_java_does_not_change_the_code_of_functions(tmp_path: Path) -> None:
    same = (
        STATE.replace("A product.", "A product of a visit.")
        .replace("    ", "\t")
        .replace("// what was seen", "")
    )

    assert code(tmp_path, same) == code(tmp_path, STATE)


@pytest.mark.parametrize(
    ("old", "new"),
    [("productId", "id"), ("String", "long"), ("a // b", "a // c"), ("VisitProduct", "Item")],
)
def test_another_field_type_value_or_class_name_changes_the_code_of_functions(
    tmp_path: Path, old: str, new: str
) -> None:
    before = code(tmp_path, STATE)

    assert code(tmp_path, STATE.replace(old, new)) != before


def test_the_code_of_every_function_of_a_job_is_found() -> None:
    for functions in (rankings.FUNCTIONS, recommendations.FUNCTIONS):
        assert len(function_code(functions, SOURCES)) == 16


def test_functions_without_sources_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"souk\.flink\.gone"):
        function_code({"gone": "souk.flink.gone.Gone"}, tmp_path)
