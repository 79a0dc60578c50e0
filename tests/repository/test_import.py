"""What the base installation can import: everything but models and training, without torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import bythebook

# Import names of what the `train` and `vllm` extras bring.
_EXTRAS = "accelerate datasets matplotlib peft safetensors scipy sklearn tokenizers torch transformers trl vllm".split()

# Runs a statement as the base installation would: what the extras bring can't be imported there.
_BASE_INSTALL = """\
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {extras!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}} in the base installation", name=name)
        return None

sys.meta_path.insert(0, Absent())
{statement}
"""


def in_base_install(package: Path, statement: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a statement in a fresh interpreter without the extras."""
    code = _BASE_INSTALL.format(extras=tuple(_EXTRAS), statement=statement)
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def floors(root: Path) -> list[list[str]]:
    """The rooms of the package, highest floor first, as the contract of import-linter names them."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    return [[room.strip(" ()") for room in layer.split("|")] for layer in layers]


def modules_of(package: Path, rooms: list[str]) -> list[str]:
    """Dotted names of all modules of those rooms."""
    paths = [p.relative_to(package.parent).with_suffix("") for p in sorted(package.rglob("*.py"))]
    names = [".".join(p.parts).removesuffix(".__init__") for p in paths]
    return [n for n in names if n.count(".") and n.split(".")[1] in rooms]


def test_the_extras_really_are_absent(package: Path) -> None:
    assert "in the base installation" in in_base_install(package, "import torch").stderr


def test_importing_the_package_loads_nothing_but_itself(package: Path) -> None:
    statement = (
        "before = set(sys.modules); import bythebook, json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    result = in_base_install(package, statement)
    assert result.returncode == 0, result.stderr
    loaded = {name.partition(".")[0] for name in json.loads(result.stdout)}
    assert loaded - set(sys.stdlib_module_names) == {"bythebook"}


def test_every_room_up_to_the_tasks_imports_without_the_extras(root: Path, package: Path) -> None:
    below = floors(root)
    below = below[next(i for i, rooms in enumerate(below) if "training" in rooms) + 1 :]
    with_torch = ("generation", "objectives")
    modules = modules_of(package, [room for rooms in below for room in rooms if room not in with_torch])
    assert len(modules) > 10
    result = in_base_install(
        package, "import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)", *modules
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("room", ["generation", "evaluation", "annotation", "report", "studies", "cli"])
def test_a_room_that_needs_models_loads_them_when_used_only(package: Path, room: str) -> None:
    result = in_base_install(package, f"import bythebook.{room}")
    assert result.returncode == 0, result.stderr


def test_every_module_imports_with_the_extras(root: Path, package: Path) -> None:
    modules = modules_of(package, [room for rooms in floors(root) for room in rooms])
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    result = subprocess.run(
        [sys.executable, "-c", code, *modules],
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["demo"], ["data"], ["train"], ["evaluate"], ["annotate"], ["score"], ["recipes"]]
)
def test_help_needs_no_extras(package: Path, arguments: list[str]) -> None:
    statement = "import runpy; runpy.run_module('bythebook', run_name='__main__', alter_sys=False)"
    result = in_base_install(package, statement, *arguments, "--help")
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout


def test_help_comes_within_half_a_second(package: Path) -> None:
    # Processor time, and the best of five, so that a busy machine doesn't fail it.
    code = "import os, subprocess, sys; subprocess.run([sys.executable, '-m', 'bythebook', '--help'], check=True, "
    code += "stdout=subprocess.DEVNULL); t = os.times(); print(t.children_user + t.children_system)"
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout)
        for _ in range(5)
    ]
    assert min(seconds) < 0.5


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = bythebook.nonsense
