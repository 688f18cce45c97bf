"""Every request that a page sends to a service, found in its code, has a route there."""

import ast
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path

from common.settings import ROOT
from serving.commerce.commerce_client import service_of

WEB = ROOT / "serving" / "web"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def requests_in(path: Path) -> Iterator[tuple[str, str]]:
    """Return the method and the path of each request of a module: two arguments side by side."""
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    constants = {name: value for name, value in vars(module).items() if isinstance(value, str | int)}
    for node in ast.walk(ast.parse(path.read_text())):
        found = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
        for method, target in pairwise(found):
            if isinstance(method, ast.Constant) and method.value in METHODS:
                names = {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}
                if names <= constants.keys():
                    yield method.value, str(eval(ast.unparse(target), constants))  # our own code


def test_every_request_of_a_page_has_a_route() -> None:
    sent = {each for path in WEB.rglob("*.py") for each in requests_in(path)}
    of_services = {(method, path) for method, path in sent if path.startswith("/v1/")}
    assert len(of_services) > 60
    for method, path in of_services:
        assert service_of(method, path.partition("?")[0]), (method, path)
