"""Statements of PostgreSQL, each declared with the function that runs it."""

import inspect
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import is_dataclass
from functools import wraps
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Concatenate, ParamSpec, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Runner = Callable[Concatenate[Any, Parameters], Awaitable[Result]]
"""A function of a connection, or of a transaction, and of the statement's parameters."""

_NAMED = re.compile(r"\$([a-z_]\w*)((?:\.\w+)*)")
_COLLECTIONS = (list, tuple, frozenset)


def statement(sql: str) -> Callable[[Runner[Parameters, Result]], Runner[Parameters, Result]]:
    '''Make a function run `sql`. Its body is its docstring; its annotations say what it takes and returns.

    The first parameter is the connection, or a `Transaction`; the statement may name what it has, such as
    `$tx.now`. The statement names each of the others: `$name`, or an attribute, `$version.author`. An
    attribute of a `Sequence` is the array of those of its elements:
    `$lines.quantity::integer[]`. PostgreSQL must be able to tell the type of each, so most have a cast.

    The function's result is a row (a dataclass, or a dict by the names of the columns), one value (of the
    first column), or a list, tuple or frozenset of either. None stands for no row, and so does False if the
    result is a `bool`. The keys of `dict[str, Version]` are the first column, its rows the others. Without a
    result, rows are ignored.

        @statement("SELECT version, author FROM versions WHERE name = $name::text")
        async def find_version(sql: Any, name: str) -> Version | None:
            """Return the version of a setting; None if there is none."""

    Raises:
        TypeError: the statement names what is not a parameter, or a parameter is not named.
    '''

    def declare(function: Runner[Parameters, Result]) -> Runner[Parameters, Result]:
        signature = inspect.signature(function)
        hints = get_type_hints(function)
        positional, names = _positional(sql, signature, hints, function.__qualname__)
        run = _run_for(hints.get("return", NoneType))

        @wraps(function)
        async def execute(on: Any, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            bound = signature.bind(on, *args, **kwargs)
            bound.apply_defaults()
            values = [read(bound.arguments) for read in names]
            result: Result = await run(getattr(on, "sql", on), positional, values)
            return result

        execute.sql = positional  # type: ignore[attr-defined]  # for tests, which prepare every statement
        return cast("Runner[Parameters, Result]", execute)

    return declare


def _positional(
    sql: str, signature: inspect.Signature, hints: dict[str, Any], function: str
) -> tuple[str, list[Callable[[Any], Any]]]:
    """Return the statement with `$1`, `$2`, …, and the function that reads each from the arguments."""
    first, *others = signature.parameters
    places: dict[str, int] = {}
    readers: list[Callable[[Any], Any]] = []

    def place(match: re.Match[str]) -> str:
        name, path = match[1], match[2].removeprefix(".")
        if name not in others and (name != first or not path):
            raise TypeError(f"{function}: the statement names ${name}, which is not a parameter")
        if match[0] not in places:
            readers.append(_reader(name, path, hints.get(name)))
            places[match[0]] = len(readers)
        return f"${places[match[0]]}"

    positional = _NAMED.sub(place, sql)
    if unused := [name for name in others if not any(re.match(rf"\${name}\b", used) for used in places)]:
        raise TypeError(f"{function}: the statement does not name ${', $'.join(unused)}")
    return positional, readers


def _reader(name: str, path: str, hint: Any) -> Callable[[Any], Any]:
    if not path:
        return lambda arguments: arguments[name]
    attribute = attrgetter(path)
    origin = get_origin(hint)
    if isinstance(origin, type) and issubclass(origin, Collection):
        return lambda arguments: [attribute(each) for each in arguments[name]]
    return lambda arguments: attribute(arguments[name])


def _run_for(returned: Any) -> Callable[[Any, str, list[Any]], Awaitable[Any]]:
    """Return what runs a statement and makes its result."""
    if returned is NoneType:
        return lambda connection, sql, values: connection.execute(sql, *values)
    origin = get_origin(returned)
    if origin in _COLLECTIONS:
        make = _maker(get_args(returned)[0])

        async def fetch(connection: Any, sql: str, values: list[Any]) -> Any:
            return origin(make(row) for row in await connection.fetch(sql, *values))

        return fetch
    if origin is dict and get_args(returned)[1] is not Any:
        value_of = _maker(get_args(returned)[1])

        async def fetch_by_key(connection: Any, sql: str, values: list[Any]) -> Any:
            found = {}
            for row in await connection.fetch(sql, *values):
                (_, key), *others = row.items()
                found[key] = value_of(dict(others))
            return found

        return fetch_by_key
    is_union = origin in (Union, UnionType)
    types = [each for each in get_args(returned) if each is not NoneType] if is_union else [returned]
    one = _maker(types[0]) if len(types) == 1 else _first
    nothing = False if returned is bool else None

    async def fetch_row(connection: Any, sql: str, values: list[Any]) -> Any:
        row = await connection.fetchrow(sql, *values)
        return nothing if row is None else one(row)

    return fetch_row


def _maker(of: Any) -> Callable[[Any], Any]:
    """Return what makes a row into a value of a type."""
    if is_dataclass(of) and isinstance(of, type):
        return lambda row: of(**row)
    if get_origin(of) is dict or of is dict or hasattr(of, "__required_keys__"):
        return dict
    if isinstance(of, type) and issubclass(of, tuple) and hasattr(of, "_fields"):
        return lambda row: of(**row)
    return _first


def _first(row: Any) -> Any:
    return next(iter(row.values()))
