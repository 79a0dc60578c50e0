"""Whether a program keeps to the allow-list: its syntax tree, looked at before anything of it runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bythebook.sandbox.inside.allowed import ATTRIBUTES, MODULES, NODES, UNAVAILABLE

__all__ = ["Refused", "checked"]


class Refused(Exception):
    """The program may not run; the message says why, without quoting it at length."""


def checked(source: str, entry: str) -> ast.Module:
    """The tree of a program that may run: what is compiled is what was looked at. Refused for one that may not, that is
    no Python, or that defines no function `entry` at its top level."""
    tree = parsed(source)
    for node in ast.walk(tree):
        fault = _fault(node)
        if fault:
            raise Refused(f"line {getattr(node, 'lineno', 1)}: {fault}")
    unavailable = sorted({n.id for n in _loaded(tree) if n.id in UNAVAILABLE} - _bound(tree))
    if unavailable:
        raise Refused(f"the name {unavailable[0]} is not available")
    if not any(isinstance(node, ast.FunctionDef) and node.name == entry for node in tree.body):
        raise Refused(f"no function {entry}")
    return tree


def parsed(source: str) -> ast.Module:
    """The tree of a text, whatever it is. Refused where there is none."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise Refused(f"not a program: {type(error).__name__}") from None


def _fault(node: ast.AST) -> str | None:
    """What is wrong about one node, or None."""
    if not isinstance(node, NODES):
        return f"{type(node).__name__} is not allowed"
    if isinstance(node, ast.Attribute):
        if node.attr not in ATTRIBUTES:
            return f"the attribute {node.attr[:40]} is not allowed"
        if not isinstance(node.ctx, ast.Load):
            return "attributes are not set or deleted"
    if isinstance(node, ast.Import | ast.ImportFrom):
        return _import_fault(node)
    if isinstance(node, ast.MatchClass) and node.kwd_attrs:
        return "a pattern may not look up attributes"
    hidden = next((name for name in _names(node) if name.startswith("__")), None)
    return f"the name {hidden[:40]} is not allowed" if hidden else None


def _import_fault(node: ast.Import | ast.ImportFrom) -> str | None:
    named = [a.asname or "" for a in node.names]
    if any(name.startswith("__") for name in named):
        return "an import may not bind a hidden name"
    if isinstance(node, ast.Import):
        bad = next((a.name for a in node.names if a.name not in MODULES), None)
        return f"the module {bad[:40]} is not allowed" if bad is not None else None
    if node.level or node.module not in MODULES:
        return f"the module {(node.module or '.')[:40]} is not allowed"
    bad = next((a.name for a in node.names if a.name not in MODULES[node.module]), None)
    return f"{node.module}.{bad[:40]} is not allowed" if bad is not None else None


def _names(node: ast.AST) -> Iterator[str]:
    """The names in one node itself, whatever they are there for."""
    for field in ("id", "name", "arg", "rest"):
        value = getattr(node, field, None)
        if isinstance(value, str):
            yield value
    if isinstance(node, ast.Nonlocal):
        yield from node.names


def _loaded(tree: ast.Module) -> Iterator[ast.Name]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))


def _bound(tree: ast.Module) -> set[str]:
    """Every name that the program binds somewhere."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
            found.update(_names(node))
        if isinstance(node, ast.alias):
            found.add(node.asname or node.name)
    return found
