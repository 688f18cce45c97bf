"""Reads a mapping from its YAML file. Every mistake is one line that says where it is and what to do."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from common.errors import UserError
from producers.importer.mapped.mapping import Mapping

_MAX_BYTES = 1 << 20


def read_mapping(path: Path) -> Mapping:
    """Return the mapping in a file.

    Raises:
        UserError: the file can't be read, is not YAML, or is not a mapping.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UserError(f"{path} has more than {_MAX_BYTES:,} bytes: that is not a mapping")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"the mapping {path} can't be read ({error.strerror}): `./souk import --guess DIR` proposes one"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(f"the mapping {path} is not UTF-8: save it as UTF-8") from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, where: str) -> Mapping:
    """Return the mapping in a text; `where` names it in messages.

    Raises:
        UserError: the text is not YAML, or not a mapping.
    """
    try:
        parsed = YAML(typ="safe", pure=True).load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise UserError(f"{where}, line {line}: a key is given twice: keep one of them") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise UserError(f"{where}, line {line} is not YAML: {error.problem}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{where} is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(parsed, dict):
        raise UserError(f"{where} is not a mapping: it must have `name`, `files`, `order` and so on")
    try:
        return Mapping.model_validate(parsed)
    except ValidationError as error:
        raise UserError(f"{where}: {_first_mistake(error)}") from error


def _first_mistake(error: ValidationError) -> str:
    mistakes = error.errors()
    first = mistakes[0]
    place = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return f"{_explain(place, first)}{more}"


def _explain(place: str, mistake: Any) -> str:
    kind, message = mistake["type"], mistake["msg"].removeprefix("Value error, ")
    if kind == "missing":
        return f"`{place}` is missing: docs/import.md lists what a mapping needs"
    if kind == "extra_forbidden":
        return f"there is no `{place}` in a mapping: see docs/import.md"
    if kind == "string_type":
        return f"`{place}` must be a text: write it in quotes"
    if place:
        return f"`{place}`: {message}"
    return str(message)
