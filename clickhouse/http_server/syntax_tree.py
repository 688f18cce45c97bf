"""Reads the syntax tree of a query, in the form in which `EXPLAIN AST` prints it."""

import re
from dataclasses import dataclass, field

_LINE = re.compile(r"(?P<indent> *+)(?P<kind>\w++)(?: (?P<name>\S++))?(?P<rest>.*)")


@dataclass(frozen=True, eq=False)
class Node:
    """A node of a tree. `number` is its place in the tree, `place` its place among its siblings, from 0."""

    number: int
    depth: int
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
    above: list[Node] = []
    children: list[int] = []
    for line in tree_lines(tree):
        match = _LINE.match(line)
        if match is None:
            continue
        depth = min(len(match["indent"]), len(above))
        del above[depth:]
        del children[depth + 1 :]
        if len(children) == depth:
            children.append(0)
        parent = above[-1] if above else None
        node = Node(
            len(nodes), depth, match["kind"], match["name"] or "", match["rest"], parent, children[depth]
        )
        children[depth] += 1
        if parent is not None:
            parent.children.append(node)
        nodes.append(node)
        above.append(node)
    return nodes


def arguments(function: Node) -> list[Node]:
    """Return the direct arguments of a function."""
    return [node for each in function.children if each.kind == "ExpressionList" for node in each.children]
