"""The prompt of `./souk sql`, without a server and without a terminal."""

from collections.abc import Callable, Iterator

from cli.sql import Completer, query_of, statements
from common.errors import PartUnavailable


def typed(*lines: str | type[BaseException]) -> Callable[[str], str]:
    """Return a reader of these lines; an exception is raised instead of a line."""
    following: Iterator[str | type[BaseException]] = iter((*lines, EOFError))

    def read(_: str) -> str:
        line = next(following)
        if isinstance(line, str):
            return line
        raise line

    return read


def test_a_statement_ends_with_a_semicolon_or_an_empty_line() -> None:
    read = typed("SELECT 1;", "SELECT", "  2", "", "", "SELECT ';'", "AS a;")

    assert list(statements(read)) == ["SELECT 1", "SELECT\n  2", "SELECT ';'\nAS a"]


def test_ctrl_c_drops_the_statement_and_quit_ends_the_prompt() -> None:
    read = typed("SELECT", KeyboardInterrupt, "SELECT 1;", "quit", "SELECT 2;")

    assert list(statements(read)) == ["SELECT 1"]


def test_commands_stand_alone() -> None:
    assert list(statements(typed("\\d", "help", "\\d orders"))) == ["\\d", "help", "\\d orders"]
    assert query_of("help", "analytics") == query_of("\\x", "analytics") == ""
    assert query_of("\\d o'; DROP", "analytics") == ""
    assert "database = 'analytics'" in query_of("\\d", "analytics")
    assert "'analytics.orders'" in query_of("\\d orders", "analytics")
    assert "'souk.seller'" in query_of("\\d souk.seller", "analytics")


def test_names_are_completed_in_any_case() -> None:
    completer = Completer(lambda: ["SELECT", "seller_id", "sellers", "sum"])

    assert completer.completions("sel") == ["SELECT", "seller_id", "sellers"]
    assert [completer("SELL", state) for state in range(3)] == ["seller_id", "sellers", None]
    assert completer.completions("") == []


def test_without_a_server_nothing_is_completed_until_it_answers() -> None:
    answers = iter([None, ["sum"]])

    def fetch() -> list[str]:
        found = next(answers)
        if found is None:
            raise PartUnavailable("ClickHouse does not answer")
        return found

    completer = Completer(fetch)

    assert completer.completions("s") == []
    assert completer.completions("s") == ["sum"]
