"""Tree-edit accuracy of values under keys, the second figure of Efficient Medical VIE (arXiv 2506.13363).

    accuracy = max(0, 1 − TED(answer, gold) / TED(nothing, gold))

as document understanding has it (Kim et al., arXiv 2111.15664). A key, an item of a list and a leaf are a
node each; to insert, delete or rename one costs 1. The paper states no costs: unit costs are our choice. Empty leaves
are dropped, keys have no order, items of lists have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import JsonValue

from bythebook.metrics.key_values import pruned

__all__ = ["tree_accuracy", "tree_distance"]

_Label = tuple[str, str]
"""(kind, text): a key and a leaf of the same text are different."""


class _Tree(NamedTuple):
    labels: list[_Label]
    """In post-order."""
    first: list[int]
    """Of each node the place of the leftmost leaf below it."""

    @property
    def key_roots(self) -> list[int]:
        """Of all nodes with the same leftmost leaf the last one."""
        return sorted({leaf: place for place, leaf in enumerate(self.first)}.values())


def tree_distance(answer: Mapping[str, JsonValue], gold: Mapping[str, JsonValue]) -> int:
    """The least number of insertions, deletions and renamings that turn one into the other (Zhang and Shasha 1989)."""
    return _distance(_tree(answer), _tree(gold))


def tree_accuracy(answer: Mapping[str, JsonValue] | None, gold: Mapping[str, JsonValue]) -> float | None:
    """See above; 0 without an answer, None where the gold states nothing."""
    wanted = _tree(gold)
    size = len(wanted.labels) - 1
    if not size:
        return None
    said = _tree(answer or {})
    # As many edits are needed at least as the trees differ in size: a bloated answer is not worth the comparison.
    if len(said.labels) - 1 >= 2 * size:
        return 0.0
    return max(0.0, 1.0 - _distance(said, wanted) / size)


def _tree(values: Mapping[str, JsonValue]) -> _Tree:
    tree = _Tree([], [])
    _add(tree, ("root", ""), pruned(dict(values)))
    return tree


def _add(tree: _Tree, label: _Label, value: JsonValue) -> int:
    """Add a node with what stands below it; the place of its leftmost leaf."""
    leaves = [_add(tree, name, inner) for name, inner in _children(value)]
    first = leaves[0] if leaves else len(tree.labels)
    tree.labels.append(label)
    tree.first.append(first)
    return first


def _children(value: JsonValue) -> Iterator[tuple[_Label, JsonValue]]:
    if isinstance(value, dict):
        yield from ((("key", key), value[key]) for key in sorted(value))
    elif isinstance(value, list):
        yield from ((("item", ""), item) for item in value)
    elif value is not None:
        yield ("leaf", str(value)), None


def _distance(one: _Tree, other: _Tree) -> int:
    found = [[0] * len(other.labels) for _ in one.labels]
    for a in one.key_roots:
        for b in other.key_roots:
            _fill(found, one, other, a, b)
    return found[-1][-1]


def _fill(found: list[list[int]], one: _Tree, other: _Tree, a: int, b: int) -> None:
    """The distances of all pairs of subtrees on the left spines of a and b, from those of smaller forests."""
    left, above = one.first[a], other.first[b]
    row = list(range(b - above + 2))
    rows = [row]
    for i in range(left, a + 1):
        row = [rows[0][0] + i - left + 1]
        rows.append(row)
        for j in range(above, b + 1):
            edit = min(rows[-2][j - above + 1], row[-1]) + 1
            if one.first[i] == left and other.first[j] == above:
                renamed = rows[-2][j - above] + (one.labels[i] != other.labels[j])
                row.append(min(edit, renamed))
                found[i][j] = row[-1]
            else:
                before = rows[one.first[i] - left][other.first[j] - above]
                row.append(min(edit, before + found[i][j]))
