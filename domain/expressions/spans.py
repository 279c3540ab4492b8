"""Where a node stands in the source. Each node's `lineno` is the offset of a token of it (parsing.py)."""

from dataclasses import dataclass

from jinja2 import nodes

from domain.expressions.parsing import Tree

Span = tuple[int, int]
"""Offset and length, in characters."""


@dataclass(frozen=True, slots=True)
class Spans:
    tree: Tree
    source: str

    def of(self, node: nodes.Node) -> Span:
        """As near as its tokens tell; at least one character."""
        start = self._start(node)
        return start, max(self._end(node) - start, 1)

    def of_test(self, node: nodes.Test) -> Span:
        """Of the test's name: the node stands at its `is`."""
        return max(self.source.find(node.name, node.lineno + 2), 0), len(node.name)

    def _start(self, node: nodes.Node) -> int:
        while True:
            match node:
                case nodes.Getattr() | nodes.Getitem() | nodes.Filter() | nodes.Test() | nodes.Call() if node.node:
                    node = node.node
                case nodes.BinExpr():
                    node = node.left
                case nodes.Compare():
                    node = node.expr
                case nodes.CondExpr():
                    node = node.expr1
                case nodes.Concat() | nodes.Output() if node.nodes:
                    node = node.nodes[0]
                case nodes.Not() if isinstance(node.node, nodes.Test):
                    node = node.node
                case _:
                    return min(node.lineno, len(self.source))

    def _end(self, node: nodes.Node) -> int:
        ends = self.tree.ends
        while True:
            match node:
                case nodes.Getattr():
                    return ends.get(self.source.find(node.attr, node.lineno), node.lineno + 1)
                case nodes.BinExpr():
                    node = node.right
                case nodes.Compare() if node.ops:
                    node = node.ops[-1].expr
                case nodes.Concat() | nodes.Output() if node.nodes:
                    node = node.nodes[-1]
                case nodes.CondExpr() if node.expr2 is not None:
                    node = node.expr2
                case nodes.Neg() | nodes.Pos():
                    node = node.node
                case nodes.Not() if not isinstance(node.node, nodes.Test):
                    node = node.node
                case nodes.Test() | nodes.Not():
                    test = node.node if isinstance(node, nodes.Not) else node
                    assert isinstance(test, nodes.Test)
                    return sum(self.of_test(test))
                case nodes.Tuple() if node.items:
                    node = node.items[-1]
                case _:
                    return ends.get(node.lineno, node.lineno + 1)
