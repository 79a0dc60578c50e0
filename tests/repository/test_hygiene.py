"""What may not stand in the repository: code that executes text, paths of one machine, loose ends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_EXECUTING = {"eval", "exec", "compile", "__import__"}
_EXECUTES_PROGRAMS = "sandbox/inside/run.py"
"""The one file that executes text: in a process that has given up everything else."""
_EXECUTING_ANYWHERE = {"literal_eval", "unsafe_load", "full_load"}
_UNPICKLING = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}

# Where a pattern could match itself it is written in pieces.
_MACHINE_PATHS = re.compile(r"(?<![\w.~\-])/(?:work|root|tmp|home/\w+|Users/\w+)/")
_HOSTS = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("files", "pythonhosted", "org"),
            ("registry", "npmjs", "org"),
            ("deb", "debian", "org"),
            ("archive", "ubuntu", "com"),
            ("conda", "anaconda", "org"),
            ("download", "pytorch", "org"),
        )
    )
)
_LOOSE_ENDS = re.compile(
    r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")) + r")\b"
)


def executing(source: str) -> list[str]:
    """`line: name` of everything in `source` that executes or unpickles text."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in _EXECUTING | _EXECUTING_ANYWHERE:
                names = [node.func.id]
            elif isinstance(node.func, ast.Attribute):
                names = [n for n in (node.func.attr,) if n in _EXECUTING_ANYWHERE]
            for keyword in node.keywords:
                unsafe = keyword.arg in ("allow_pickle", "shell", "trust_remote_code")
                if unsafe and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False):
                    names.append(str(keyword.arg))
                if keyword.arg == "weights_only" and getattr(keyword.value, "value", True) is False:
                    names.append("weights_only=False")
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names if a.name.split(".")[0] in _UNPICKLING]
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").split(".")[0]
            names = [module] if module in _UNPICKLING else []
            names += [a.name for a in node.names if a.name in _EXECUTING_ANYWHERE]
        found += [f"{node.lineno}: {name}" for name in names]  # type: ignore[attr-defined]
    return found


def _texts(root: Path, tracked: list[str]) -> Iterator[tuple[str, str]]:
    for path in tracked:
        if (root / path).is_symlink():  # what it points to is in the list itself
            continue
        data = (root / path).read_bytes()
        if b"\0" not in data:
            yield path, data.decode("utf-8", errors="replace")


def _hits(pattern: re.Pattern[str], root: Path, tracked: list[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in _texts(root, tracked)
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize(
    "source",
    [
        "eval(x)",
        "exec(x)",
        "compile(x, '', 'exec')",
        "import ast\nast.literal_eval(x)",
        "from ast import literal_eval",
        "import pickle",
        "from pickle import loads",
        "import yaml\nyaml.unsafe_load(x)",
        "np.load(f, allow_pickle=True)",
        "subprocess.run(x, shell=True)",
        "load(x, trust_remote_code=flag)",
        "torch.load(f, weights_only=False)",
    ],
)
def test_what_executes_text_is_seen(source: str) -> None:
    assert executing(source)


@pytest.mark.parametrize("source", ["model.eval()", "re.compile(x)", "np.load(f, allow_pickle=False)", "evaluate(x)"])
def test_what_only_looks_like_it_is_let_through(source: str) -> None:
    assert executing(source) == []


@pytest.mark.parametrize("text", ["see /" + "work/x", "'/" + "root/.venv'", "(/" + "home/ann/x)", "/tm" + "p/y"])
def test_a_path_of_one_machine_is_seen(text: str) -> None:
    assert _MACHINE_PATHS.search(text)


@pytest.mark.parametrize("text", ["a/work/b", "tests/root/x", "https://example.org/home/x", "./root/x"])
def test_a_relative_path_is_let_through(text: str) -> None:
    assert not _MACHINE_PATHS.search(text)


def test_nothing_in_the_package_executes_text(package: Path) -> None:
    files = sorted(package.rglob("*.py"))
    assert len(files) > 10
    found = {str(f.relative_to(package)): hits for f in files if (hits := executing(f.read_text(encoding="utf-8")))}
    inside = found.pop(_EXECUTES_PROGRAMS)
    assert sorted(hit.partition(": ")[2] for hit in inside) == ["compile", "exec"]
    assert found == {}


def test_no_file_names_a_path_of_one_machine(root: Path, tracked: list[str]) -> None:
    assert _hits(_MACHINE_PATHS, root, tracked) == []


def test_no_file_names_a_package_registry(root: Path, tracked: list[str]) -> None:
    assert _hits(_HOSTS, root, tracked) == []


def test_no_file_has_loose_ends(root: Path, tracked: list[str]) -> None:
    assert _hits(_LOOSE_ENDS, root, tracked) == []


def test_only_the_embedded_models_are_large(root: Path, tracked: list[str]) -> None:
    large = {path: size for path in tracked if (size := (root / path).stat().st_size) > 1_000_000}
    models = {f"src/bythebook/{name}/model.safetensors" for name in ("embedded", "embedded_joint")}
    assert set(large) == models
    assert max(large.values()) <= 10_000_000


def test_every_module_says_what_it_is(package: Path) -> None:
    silent = [
        path.relative_to(package).as_posix()
        for path in sorted(package.rglob("*.py"))
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_every_folder_of_modules_is_a_package(package: Path) -> None:
    folders = {p.parent for p in package.rglob("*.py")}
    assert sorted(str(f.relative_to(package)) for f in folders if not (f / "__init__.py").exists()) == []


def test_tests_are_files_with_names_of_their_own(root: Path) -> None:
    files = [p for p in (root / "tests").rglob("*.py") if p.name != "conftest.py"]
    assert [p for p in files if p.name == "__init__.py"] == []
    assert sorted({p.name for p in files if [q.name for q in files].count(p.name) > 1}) == []
