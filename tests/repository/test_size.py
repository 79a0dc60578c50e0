"""Files and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast
from pathlib import Path

_LONGEST_FILE = 400
_LONGEST_FUNCTION = 50
_LONGEST_FUNCTION_P90 = 40

# path in the package, or path:function → why it may be longer.
_MAY_BE_LONGER: dict[str, str] = {}


def functions_of(source: str) -> dict[str, int]:
    """Qualified name → lines, from `def` to the last line, of every function in `source`."""
    found: dict[str, int] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = prefix
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}{child.name}"
                if not isinstance(child, ast.ClassDef):
                    found[name] = (child.end_lineno or child.lineno) - child.lineno + 1
                name += "."
            visit(child, name)

    visit(ast.parse(source), "")
    return found


def _sizes(package: Path) -> tuple[dict[str, int], dict[str, int]]:
    files, functions = {}, {}
    for path in sorted(package.rglob("*.py")):
        name, text = path.relative_to(package).as_posix(), path.read_text(encoding="utf-8")
        files[name] = len(text.splitlines())
        functions.update({f"{name}:{function}": lines for function, lines in functions_of(text).items()})
    return files, functions


def test_lines_are_counted_from_def_to_the_last_line() -> None:
    source = (
        "class A:\n    @property\n    def f(self):\n        x = (\n            1)\n        def g():\n            pass\n"
    )
    assert functions_of(source) == {"A.f": 5, "A.f.g": 2}


def test_files_are_short(package: Path) -> None:
    files, _ = _sizes(package)
    assert len(files) > 10
    assert {name: n for name, n in files.items() if n > _LONGEST_FILE and name not in _MAY_BE_LONGER} == {}


def test_functions_are_short(package: Path) -> None:
    _, functions = _sizes(package)
    assert {name: n for name, n in functions.items() if n > _LONGEST_FUNCTION and name not in _MAY_BE_LONGER} == {}


def test_nine_functions_in_ten_are_shorter_still(package: Path) -> None:
    lengths = sorted(_sizes(package)[1].values())
    assert lengths[len(lengths) * 9 // 10] <= _LONGEST_FUNCTION_P90


def test_exceptions_are_still_needed(package: Path) -> None:
    files, functions = _sizes(package)
    longer = {n for n, k in files.items() if k > _LONGEST_FILE} | {
        n for n, k in functions.items() if k > _LONGEST_FUNCTION
    }
    assert set(_MAY_BE_LONGER) <= longer
