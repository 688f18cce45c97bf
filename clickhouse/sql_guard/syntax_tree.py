"""Reads the syntax tree of a query, in the form in which `EXPLAIN AST` prints it."""

import re
from dataclasses import dataclass, field

ALIAS = re.compile(r"\(alias ([^\s)]+)\)")
"""An alias in a tree."""

IN = re.compile(r"(?:global)?(?:not)?(?:null)?in(?:ignoreset)?", re.IGNORECASE)
"""The names of the functions of `IN`."""

_END = re.compile(r"(?: \(alias [^\n]*?\))?(?: \(children \d+\))?\Z")
_LINE = re.compile(r"(?P<indent> *+)(?P<kind>\w++)(?: (?P<name>\S++))?(?P<rest>.*)")


@dataclass(frozen=True, eq=False)
class Node:
    """A node of a tree. `place` is its place among its siblings, from 0."""

    kind: str
    name: str
    rest: str
    """What follows the name in the line: an alias, the number of children, or more of a literal."""
    parent: "Node | None"
    place: int
    children: list["Node"] = field(default_factory=list, repr=False)

    @property
    def function(self) -> "Node | None":
        """The function of which this node is a direct argument."""
        above = self.parent.parent if self.parent and self.parent.kind == "ExpressionList" else None
        return above if above and above.kind == "Function" else None

    @property
    def text(self) -> str:
        """The line without the kind, the alias and the number of children."""
        return self.literal or _END.sub("", f"{self.name}{self.rest}")

    @property
    def alias(self) -> str:
        """The alias; empty if there is none."""
        found = ALIAS.match(f"{self.name}{self.rest}", len(self.text) + 1)
        return found[1] if found else ""

    @property
    def literal(self) -> str:
        """The text of a literal as the tree prints it; empty for other nodes."""
        if self.kind != "Literal":
            return ""
        text = self.name + self.rest
        alias = text.rfind(" (alias ")
        return text[:alias] if text.endswith(")") and alias >= 0 else text


def tree_lines(tree: str) -> list[str]:
    """Return the lines of a tree, one per node.

    The engine escapes a line feed in a string. `str.splitlines` would also split at characters that it does
    not escape, such as a vertical tab, so that a string could contain further nodes.
    """
    return tree.rstrip("\n").split("\n")


def read_tree(tree: str) -> list[Node]:
    """Return the nodes of a tree in the order of its lines: a parent comes before its children."""
    nodes: list[Node] = []
    roots: list[Node] = []
    above: list[Node] = []
    for line in tree_lines(tree):
        match = _LINE.match(line)
        if match is None:
            continue
        del above[len(match["indent"]) :]
        parent = above[-1] if above else None
        siblings = parent.children if parent else roots
        node = Node(match["kind"], match["name"] or "", match["rest"], parent, len(siblings))
        siblings.append(node)
        nodes.append(node)
        above.append(node)
    return nodes


def arguments(function: Node) -> list[Node]:
    """Return the direct arguments of a function."""
    return [node for each in function.children if each.kind == "ExpressionList" for node in each.children]
