"""A built wheel, installed outside the checkout, has everything it needs."""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: what an earlier build left in the checkout can't get into it."""
    folder = tmp_path_factory.mktemp("build")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, folder)
    shutil.copytree(root / "src", folder / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder / "dist"),
        str(folder),
    ]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = (folder / "dist").glob("bythebook-*.whl")
    return path


@pytest.fixture(scope="module")
def outside(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel installed; third-party packages are the ones of this environment."""
    folder = tmp_path_factory.mktemp("outside")
    venv.create(folder / "env", symlinks=True)
    python = folder / "env" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True, timeout=120)
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    # Listed in a .pth file, that folder comes after the wheel, and its own .pth files (an editable install) don't act.
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "third_party.pth").write_text("".join(f"{path}\n" for path in sorted(paths)))
    return folder


def run(outside: Path, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a program of that environment, in a folder that is not the checkout."""
    program, *arguments = command
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(
        [str(outside / "env" / "bin" / program), *arguments],
        cwd=outside,
        env=clean,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_the_wheel_holds_every_file_of_the_package(wheel: Path, package: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("bythebook/")}
    # `examples` is a link in the checkout and a folder in the wheel.
    walked = [Path(folder) / name for folder, _, names in os.walk(package, followlinks=True) for name in names]
    source = {path.relative_to(package.parent).as_posix() for path in walked}
    assert inside == {name for name in source if "__pycache__" not in name}


@pytest.mark.parametrize(
    "part",
    [
        "bythebook/py.typed",
        "bythebook/prompts/templates/r1_re.jinja",
        "bythebook/guidelines/library/semeval2010.md",
        "bythebook/recipes/*.yaml",
        "bythebook/report/templates/*",
        "bythebook/examples/guideline.md",
        "bythebook/embedded/*.safetensors",
        "bythebook/embedded/*tokenizer.json",
        "bythebook/embedded_joint/*.safetensors",
    ],
)
def test_the_wheel_holds(wheel: Path, part: str) -> None:
    assert fnmatch.filter(zipfile.ZipFile(wheel).namelist(), part)


def test_the_wheel_holds_only_the_package_and_its_metadata(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert len(tops) == 2
    assert {top.split("-")[0] for top in tops} == {"bythebook"}


def test_the_package_that_runs_is_the_wheel(outside: Path) -> None:
    result = run(outside, "python", "-c", "import bythebook; print(bythebook.__file__)")
    assert result.stdout.startswith(str(outside)), result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["train", "--help"]])
def test_the_command_shows_its_help(outside: Path, arguments: list[str]) -> None:
    result = run(outside, "bythebook", *arguments)
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout
    assert run(outside, "python", "-m", "bythebook", *arguments).returncode == 0


def test_the_command_lists_the_recipes(outside: Path) -> None:
    result = run(outside, "bythebook", "recipes", "--json")
    assert result.returncode == 0, result.stderr
    rows = json.loads(result.stdout)
    assert rows
    assert all({"name", "system", "paper", "needs"} <= set(row) for row in rows)


def test_the_library_and_the_templates_are_read_from_the_wheel(outside: Path) -> None:
    code = (
        "import bythebook\n"
        "from bythebook.prompts import render_guideline\n"
        "print(render_guideline(bythebook.load_from_library('semeval2010')))\n"
    )
    result = run(outside, "python", "-c", code)
    assert "Cause-Effect" in result.stdout, result.stderr


def test_the_demo_runs_outside_the_checkout(outside: Path) -> None:
    command = ["bythebook", "demo", "--quick", "--arm", "start", "--arm", "rl", "--workers", "1", "--json"]
    result = run(outside, *command, timeout=900)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert set(found["arms"]) == {"start", "rl"}
    assert (outside / found["report"]).is_file()
    annotated = json.loads((outside / "runs/demo/annotations.json").read_text())
    assert [len(block["rows"]) for block in annotated] == [5, 5]
