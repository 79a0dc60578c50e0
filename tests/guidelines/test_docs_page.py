"""Every example of docs/guidelines.md is run: files are saved, commands are typed, and what they print is compared."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from bythebook import cli
from bythebook.guidelines import lint_file, load_guideline, parse_guideline, write_yaml

_FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r'findings\.(?:error|warning)\(\s*"([a-z0-9-]+)"|self\.error\(\s*"([a-z0-9-]+)"|code="([a-z0-9-]+)"')


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "guidelines.md").read_text(encoding="utf-8")


def test_the_page_does_what_it_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = _FENCE.findall(page)
    assert len(blocks) == page.count("\n```") // 2
    commands = 0
    for language, name, body in blocks:
        if name:
            (tmp_path / name).write_text(body, encoding="utf-8")
            continue
        assert language == "console"
        for asked in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, expected = asked.partition("\n")
            monkeypatch.setattr(sys, "argv", shlex.split(command))
            assert sys.argv[0] == "bythebook"
            code = cli.main()
            out = capsys.readouterr().out
            assert code == (1 if " error: " in expected else 0), out
            assert out.strip()
            if expected:
                assert out.rstrip("\n") == expected.rstrip("\n")
            commands += 1
    assert commands >= 7


def test_the_files_of_the_page_are_as_good_as_it_says(page: str, tmp_path: Path) -> None:
    files = {name: body for _, name, body in _FENCE.findall(page) if name}
    assert set(files) == {"kitchen.md", "broken.md", "wrapping.yaml"}
    for name, body in files.items():
        (tmp_path / name).write_text(body, encoding="utf-8")
    assert lint_file(tmp_path / "kitchen.md") == lint_file(tmp_path / "wrapping.yaml") == []
    book = load_guideline(tmp_path / "kitchen.md")
    assert parse_guideline(files["kitchen.md"]) == book
    (tmp_path / "kitchen.yaml").write_text(write_yaml(book), encoding="utf-8")
    assert load_guideline(tmp_path / "kitchen.yaml").hash == book.hash


def test_the_page_lists_every_code_there_is(page: str, package: Path) -> None:
    sources = (package / "guidelines").glob("*.py")
    found = {next(c for c in m if c) for f in sources for m in _CODE.findall(f.read_text(encoding="utf-8"))}
    # What is put together from a word of the document.
    found |= {"no-version", "no-domain"}
    table = page[page.index("| code |") : page.index("## The same as YAML")]
    listed = re.findall(r"`([a-z0-9-]+)`", table)
    assert len(listed) == len(set(listed))
    assert set(listed) == found
