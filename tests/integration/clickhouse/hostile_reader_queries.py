"""Generates queries with which a reader may try to read files, to connect, or to occupy the server.

Every query follows from its seed. `{file}` stands for the path of a file that nobody may read, `{url}` for
an address to which nobody may connect. Functions of every kind are called directly, by name, in strings and
in settings, with arguments that take long, and the texts are mutated.
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path

from clickhouse.sql_guard import allowlists

_WORDS = re.compile(r"\w+|\s+|'(?:[^'\\]|\\.)*'|.", re.DOTALL)


def _names(*files: str) -> list[str]:
    """Return the names of lists as the engine writes them."""
    folder = Path(allowlists.__file__).with_name("lists")
    lines = [line for file in files for line in (folder / f"{file}.txt").read_text().splitlines()]
    return sorted({line.split()[0] for line in lines if not line.startswith("#")})


_FUNCTIONS = _names("functions", "functions_refused")
_HIGHER_ORDER = _names("higher_order_functions")
_SEARCHES = _names("searches", "search_functions")

_CANARIES = (
    *(
        "file('{file}')",
        "`file`('{file}')",
        "FILE('{file}')",
        "\"file\"('{file}')",
        "sleep(3)",
        "sleepEachRow(3)",
    ),
    *("h3kRing(599405990164561919, 1000)", "length(h3kRing(599405990164561919, 1000))"),
    *(
        "(SELECT * FROM url('{url}', 'LineAsString', 'a String'))",
        "(SELECT * FROM file('{file}', 'LineAsString'))",
    ),
    *("(SELECT * FROM remote('{url}', system.one))", "arrayReduce('file', ['{file}'])"),
    *("hasAny(range(1000000), range(1000000, 2000000))", "file(concat('', '{file}'))"),
)
_NAMES = ("file", "`file`", '"file"', "(file)", "file AS f", "sleep", "h3kRing", "url", "hasAny", "position")
_LONG = (
    *(
        "repeat('a', 1000000)",
        "materialize(repeat('a', 1000000))",
        "'b' || repeat('a', 60000)",
        "repeat('ab', 500000)",
    ),
    *(
        "range(1000000)",
        "arrayMap(x -> toString(x), range(100000))",
        "leftPad('', 1000000, 'a')",
        "space(1000000)",
    ),
    *("arrayStringConcat(range(100000))", "[[[(0., 0.), (0., 1.), (1., 1.)]]]", "toString(range(100000))"),
    *(
        "hex(hex(hex(hex(repeat('a', 9999)))))",
        "toFixedString('a', 1000000)",
        "randomString(1000000)",
        "concat(s, s, s)",
    ),
    *(
        "arrayMap(x -> (cos(x), sin(x)), range(10000))",
        "replaceAll(s, 'a', 'aaaaaaaaaaaaaaaaa')",
        "number",
        "s",
    ),
    *(
        "arrayFold((a, x) -> concat(a, a), range(20), 'a')",
        "mapFromArrays(range(10000), range(10000))",
        "1000000000",
    ),
    *(
        "bitmapBuild(range(1000000))",
        "arrayWithConstant(1000000, 'a')",
        "1e300",
        "-1",
        "NULL",
        "[]",
        "''",
        "now()",
    ),
)
_PATTERNS = (
    *(
        "'(a?){500}a{500}b'",
        "'a+b|a'",
        "'.*a.*b.*c'",
        "'(a|b)*a(a|b){20}c'",
        "'a'",
        "'%a_a%b%'",
        "'%a%'",
        "s",
    ),
    *(
        "repeat('a', 60000)",
        "'a{1000}{1000}'",
        "concat('(a?){5', '00}b')",
        "'\\\\w+@\\\\w+'",
        "toString(number)",
    ),
)
_SETTINGS = (
    *(
        "filter = 'file(\\'{file}\\') != 1'",
        "select = 'file(\\'{file}\\')'",
        "limit = 1",
        "offset = 1",
        "order = 's'",
    ),
    *(
        "sort = 's'",
        "page = 1",
        "implicit_table_at_top_level = 'system.one'",
        "max_execution_time = 0",
        "readonly = 0",
    ),
    *(
        "readonly = 1",
        "max_memory_usage = 0",
        "max_block_size = 1000000",
        "allow_introspection_functions = 1",
    ),
    *("format_schema = '{file}'", "max_threads = 64", "enable_analyzer = 0", "final = 0", "`select` = '1'"),
)
_TABLES = (
    *(
        "numbers(3)",
        "numbers(1000000)",
        "system.one",
        "(SELECT 'abc' AS s, 1 AS number)",
        "system.functions",
        "zeros(9)",
    ),
    *(
        "values('s String, x String ALIAS file(\\'{file}\\')', ('a'))",
        "file('{file}', 'LineAsString')",
        "`{file}`",
    ),
    *(
        "url('{url}', 'LineAsString', 's String')",
        "merge(REGEXP('.*'), '.*')",
        "generateRandom('s String', 1, 100000)",
    ),
    *("remote('127.0.0.1', system.one)", "default.`{file}`", "executable('cat {file}', 'TSV', 's String')"),
    *("generateRandom('s String') LIMIT 9", "values('s String', ('a'), ('b'))", "view(SELECT 'a' AS s)"),
)
_ODD_TEXTS = (
    *(
        "\u00a0",
        "\u200b",
        "\x00",
        "$$",
        "$x$",
        "\u2019",
        "\\",
        "'",
        '"',
        "`",
        "--",
        "/*",
        "*/",
        ";",
        "(",
        ")",
        ",",
    ),
    *(
        "\u3000",
        "\n",
        "\x0b",
        "|>",
        "->",
        "::String",
        "#",
        "SETTINGS",
        "APPLY(file)",
        "* APPLY file",
        "COLUMNS('.')",
    ),
)


def hostile_reader_query(seed: int) -> str:
    """Return the query of a seed."""
    return _Generator(random.Random(seed)).query()


class _Generator:
    def __init__(self, draw: random.Random) -> None:
        self._draw = draw

    def query(self) -> str:
        """Return a query: a call of some function with large arguments, or one with canaries."""
        if self._chance(0.5):
            return self._plain()
        text = self._select(2)
        if self._chance(0.1):
            text = (
                self._pick(("EXPLAIN ", "EXPLAIN AST ", "EXPLAIN QUERY TREE ", "DESCRIBE (", "SET ", "/**/"))
                + text
            )
        if self._chance(0.2):
            text += f" SETTINGS {self._pick(_SETTINGS)}"
        if self._chance(0.1):
            text += self._pick(
                (" FORMAT JSON", " FORMAT Null", " INTO OUTFILE '{file}'", ";", "; SELECT 1", " --")
            )
        for _ in range(self._draw.choice((0, 0, 0, 1, 2))):
            text = self._mutated(text)
        if self._chance(0.02):
            text += self._pick(("'", "`", "/*", "$a$", "\\'")) * self._draw.randint(1, 30_000)
        return text

    def _plain(self) -> str:
        """Return a query that is refused for the call in it, or not at all."""
        call = self._draw.choice((self._search, self._any_call, self._any_call, self._by_any_name))(0)
        source = self._pick(
            ("numbers(3)", "(SELECT 'abc' AS s, 1 AS number)", "values('s String', ('a'), ('b'))")
        )
        return self._pick(
            ("SELECT {0} FROM {1}", "SELECT count() FROM {1} WHERE {0} != 7",
             "SELECT arrayMap(x -> {0}, [1, 2]) FROM {1}",
             "SELECT y FROM (SELECT {0} AS y FROM {1})", "WITH {0} AS y SELECT max(toString(y)) FROM {1}")
        ).format(call, source)  # fmt: skip

    def _by_any_name(self, _: int) -> str:
        values = self._pick(("[{}]", "[{}, {}]", "[{}], [{}]", "{}", "map(1, {})", "0, [{}]"))
        while "{}" in values:
            values = values.replace("{}", self._pick((*_LONG, *_PATTERNS)), 1)
        return f"ignore({self._pick(_HIGHER_ORDER)}({self._pick(_FUNCTIONS)}, {values}))"

    def _select(self, depth: int) -> str:
        expressions = ", ".join(self._expression(depth) for _ in range(self._draw.randint(1, 2)))
        source = f"({self._select(depth - 1)})" if depth and self._chance(0.2) else self._pick(_TABLES)
        inside = f" SETTINGS {self._pick(_SETTINGS)}" if self._chance(0.05) else ""
        where = f" WHERE {self._expression(depth)} != '1'" if self._chance(0.2) else ""
        with_ = f"WITH {self._expression(0)} AS f " if self._chance(0.1) else ""
        pipe = f" |> EXTEND {self._expression(0)} AS g" if self._chance(0.03) else ""
        return f"{with_}SELECT {expressions} FROM {source}{where}{pipe}{inside}"

    def _expression(self, depth: int) -> str:
        kinds = [self._canary, self._by_name, self._search, self._any_call, self._in_string, self._cast]
        if depth:
            kinds += [self._nested, self._lambda]
        return self._draw.choice(kinds)(depth)

    def _canary(self, _: int) -> str:
        return self._pick(_CANARIES)

    def _by_name(self, _: int) -> str:
        name = self._pick((*_NAMES, self._pick(_FUNCTIONS)))
        values = self._pick(
            ("['{file}']", "[3]", "[599405990164561919], [1000]", f"[{self._pick(_LONG)}]", "map(1, 2)")
        )
        return f"{self._pick(_HIGHER_ORDER)}({name}, {values})"

    def _search(self, _: int) -> str:
        arguments = [self._pick(_LONG), self._pick(_PATTERNS)]
        if self._chance(0.2):
            arguments.append(self._pick(("''", "'aaaaaaaaaaaa'", "1", "s")))
        if self._chance(0.1):
            self._draw.shuffle(arguments)
        if self._chance(0.2):
            word = self._pick(("LIKE", "ILIKE", "NOT LIKE", "REGEXP"))
            return f"({arguments[0]} {word} {arguments[1]})"
        return f"ignore({self._pick(_SEARCHES)}({', '.join(arguments)}))"

    def _any_call(self, _: int) -> str:
        arguments = [self._pick((*_LONG, *_PATTERNS)) for _ in range(self._draw.choice((1, 1, 2, 2, 3)))]
        return f"ignore({self._pick(_FUNCTIONS)}({', '.join(arguments)}))"

    def _in_string(self, _: int) -> str:
        name = self._pick(
            ("file", "aggThrow(1)", "kolmogorovSmirnovTest", "groupArray", self._pick(_FUNCTIONS))
        )
        text = self._pick((f"'{name}'", f"concat('{name[:2]}', '{name[2:]}')"))
        return f"{self._pick(('arrayReduce', 'initializeAggregation'))}({text}, [{self._pick(_LONG)}])"

    def _cast(self, _: int) -> str:
        kind = self._pick(
            ("'String'", "'AggregateFunction(sum, UInt8)'", "concat('Str', 'ing')", "'FixedString(999999)'")
        )
        return f"ignore(CAST({self._pick(_LONG)}, {kind}))"

    def _nested(self, depth: int) -> str:
        return self._pick(
            ("toString({})", "tuple({})", "[{}]", "({})", "if(1, {}, '')", "concat({}, '')", "-{}")
        ).replace("{}", self._expression(depth - 1))

    def _lambda(self, depth: int) -> str:
        return f"{self._pick(_HIGHER_ORDER)}(x -> {self._expression(depth - 1)}, ['{{file}}'])"

    def _mutated(self, text: str) -> str:
        words = _WORDS.findall(text)
        at = self._draw.randrange(len(words))
        word = words[at]
        words[at] = self._pick(
            (word.swapcase(), f"/*{word}*/", f"{word}/**/", "", word + word, f"`{word}`", f"({word})",
             f"{word} AS y", word + self._pick(_ODD_TEXTS), self._pick(_ODD_TEXTS) + word,
             self._pick(_NAMES), self._pick(_CANARIES))
        )  # fmt: skip
        return "".join(words)

    def _pick(self, texts: Sequence[str]) -> str:
        return self._draw.choice(texts)

    def _chance(self, share: float) -> bool:
        return self._draw.random() < share
