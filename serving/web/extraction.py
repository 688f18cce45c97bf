"""Collects the texts of pages, and updates the files of their translations.

    .venv/bin/python -m serving.web.extraction

New texts get an empty translation, which somebody must write; texts that no page has any more are removed.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file, extract_javascript, extract_python
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from clickhouse.analytics.catalogue import read_views
from clickhouse.metric_catalogue.definition import read_catalogue, read_domains
from common.configuration.definitions import DEFINITIONS
from common.settings import ROOT
from producers.services.products.picture_rules import REASONS
from serving.analytics.customer_segments import SEGMENTS
from serving.analytics.product_insights import NOTES
from serving.web.language import LANGUAGES, SOURCE
from serving.web.translation import catalogue_path

WEB = Path(__file__).parent

KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)}

PROBLEM = "status, kind, title"
"""What a class of problems sets. Most kinds are made by `problem(status, kind, title, detail)`."""

WIDTH = 110

Found = tuple[str | tuple[str, ...], str]
"""A text, or its forms for one and many, and the file that has it."""


def collect() -> Catalog:
    """Return every text of the pages, with the files that have it and without translations."""
    catalogue = Catalog(project="Souk", charset="utf-8")
    sources: tuple[Iterable[Found], ...] = (
        _of_files(WEB / "templates", "*.html", babel_extract, {"trimmed": "true", "silent": "false"}),
        _of_files(WEB, "*.py", extract_python),
        _of_files(WEB / "static", "*.js", extract_javascript),
        _of_catalogue(),
        _of_settings(),
        _of_problems(),
    )
    for source in sources:
        for text, file in source:
            catalogue.add(text, locations=[(file, 0)])
    return catalogue


def update(path: Path, locale: str) -> None:
    """Add what is new to the end of a file of translations, and remove what no page has any more."""
    with path.open("rb") as file:
        known = read_po(file, locale=locale)
    places = {message.id: place for place, message in enumerate(known)}
    collected = Catalog(project="Souk", charset="utf-8")
    for message in sorted(collect(), key=lambda each: places.get(each.id, len(places))):
        collected[message.id] = message
    collected.creation_date = known.creation_date
    known.update(collected, no_fuzzy_matching=True)
    with path.open("wb") as file:
        write_po(file, known, WIDTH, ignore_obsolete=True, include_lineno=False)


def _of_files(
    folder: Path, pattern: str, method: Callable[..., Any], options: dict[str, Any] | None = None
) -> Iterator[Found]:
    for path in sorted(folder.rglob(pattern)):
        found = extract_from_file(method, path, KEYWORDS, (), options)
        for _, text, _, _ in found:
            yield text, _name(path)


def _of_catalogue() -> Iterator[Found]:
    """Return the texts of metrics, their domains and dimensions, segments, and the views for analysts."""
    catalogue = "clickhouse/metric_catalogue"
    for domain, described in read_domains().items():
        yield from _texts(f"{catalogue}/domains.toml {domain}", described.title, described.description)
    for metric in read_catalogue().values():
        file = f"{catalogue}/{metric.domain}/{metric.name}.toml"
        yield from _texts(file, metric.title, metric.definition, metric.formula, *metric.edge_cases)
        for name, dimension in metric.dimensions.items():
            yield from _texts(f"{catalogue}/{name}", dimension.title, *dimension.labels.values())
        yield from _texts(f"{catalogue}/kinds", *metric.source.file.kinds.values())
    for segment in SEGMENTS:
        texts = (segment.title, segment.advice, segment.rule.capitalize())
        yield from _texts("serving/analytics/customer_segments.py", *texts)
    yield from _texts("serving/analytics/product_insights.py", *NOTES)
    yield from _texts("producers/services/products/picture_rules.py", *REASONS.values())
    for view in read_views().values():
        if view.is_of_sellers:
            comments = [column.comment for column in view.columns]
            yield from _texts(f"clickhouse/analytics/{view.name}", view.description, view.question, *comments)


def _of_settings() -> Iterator[Found]:
    """Return the texts of the settings that administrators change on a page."""
    for name, setting in DEFINITIONS.items():
        texts = (setting.description, setting.expected().capitalize(), getattr(setting, "unit", ""))
        yield from _texts(f"common/configuration/{name}", *texts)


def _of_problems() -> Iterator[Found]:
    """Return the titles of all problems, and the details of those of pages, as far as these are constants."""
    for room in ("common", "producers", "serving"):
        for path in sorted((ROOT / room).rglob("*.py")):
            code = path.read_text()
            if PROBLEM not in code and " = problem(" not in code:
                continue
            for node in ast.walk(ast.parse(code)):
                yield from ((text, _name(path)) for text in _titles(node))
                if path.is_relative_to(WEB):
                    yield from ((text, _name(path)) for text in _details(node))


def _titles(node: ast.AST) -> Iterator[str]:
    """Return the title in a line such as `status, kind, title = 404, "unknown-seller", "Unknown seller"`."""
    if _is_kind(node):
        yield from _constants(node.args[2:3])
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
        target = node.targets[0]
        if isinstance(target, ast.Tuple) and ast.unparse(target) == f"({PROBLEM})":
            yield from _constants(node.value.elts[2:])


def _details(node: ast.AST) -> Iterator[str]:
    """Return the text in `super().__init__("…")`."""
    if _is_kind(node):
        yield from _constants(node.args[3:4])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "__init__":
        yield from _constants(node.args[:1])


def _is_kind(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "problem"


def _constants(nodes: Iterable[ast.expr]) -> Iterator[str]:
    return (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _texts(file: str, *texts: str) -> Iterator[Found]:
    return ((text, file) for text in texts if text)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


if __name__ == "__main__":
    for language in LANGUAGES:
        if language != SOURCE:
            update(catalogue_path(language), language)
