"""The file tree in the README is the repository.

The format: under the heading `## The tree` a fenced block, one path a line, two spaces deeper inside a folder, folders
end with `/`, then `# what it is`. A folder whose comment contains `…` is summarised: its content is not listed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

_LINE = re.compile(r"( *)(\S+)(?: +# (\S.*))?")


@dataclass(frozen=True)
class Tree:
    """The tree as written: `files` and summarised `folders` (these end with `/`), and files without a comment."""

    files: tuple[str, ...]
    folders: tuple[str, ...]
    bare: tuple[str, ...]


def read_tree(markdown: str) -> Tree:
    """The tree of a README. ValueError names a line that breaks the format."""
    section = re.search(r"^## The tree$(.*?)(?=^## |\Z)", markdown, re.M | re.S)
    block = re.search(r"^```\w*\n(.*?)^```$", section[1] if section else "", re.M | re.S)
    if block is None:
        raise ValueError("no fenced block under '## The tree'")
    files, folders, bare, above = [], [], [], [""]
    for line in block[1].splitlines():
        found = _LINE.fullmatch(line.rstrip())
        depth = len(found[1]) // 2 if found else -1
        if found is None or len(found[1]) % 2 or depth >= len(above):
            raise ValueError(f"not a line of the tree: {line!r}")
        del above[depth + 1 :]
        path, comment = above[depth] + found[2], found[3] or ""
        if not path.endswith("/"):
            files.append(path)
            bare += [] if comment else [path]
        elif "…" in comment:
            folders.append(path)
        else:
            above.append(path)
    return Tree(tuple(files), tuple(folders), tuple(bare))


def differences(tree: Tree, tracked: set[str]) -> dict[str, list[str]]:
    """What is wrong with the tree, by kind; empty where nothing is."""
    inside = {f: [t for t in tracked if t.startswith(f)] for f in tree.folders}
    covered = {t for found in inside.values() for t in found}
    listed = set(tree.files)
    kinds = {
        "in the repository, not in the tree": sorted(tracked - listed - covered),
        "in the tree, not in the repository": sorted(listed - tracked)
        + [f for f, found in inside.items() if not found],
        "listed twice or inside a summarised folder": sorted(
            f for f in listed if f in covered or tree.files.count(f) > 1
        ),
        "without a comment": list(tree.bare),
    }
    return {kind: paths for kind, paths in kinds.items() if paths}


_SAMPLE = """# Name

## The tree

```
Makefile               # what one types
src/pack/
  types.py             # the nouns
  inner/
    a.py               # a
  b.py                 # b
data/                  # ten rows each …
```

## After
"""
_SAMPLE_FILES = {"Makefile", "src/pack/types.py", "src/pack/inner/a.py", "src/pack/b.py", "data/x.txt", "data/y/z.txt"}


def test_a_tree_that_is_right_has_no_differences() -> None:
    assert differences(read_tree(_SAMPLE), _SAMPLE_FILES) == {}


@pytest.mark.parametrize(
    ("tracked", "kind", "path"),
    [
        (_SAMPLE_FILES | {"src/pack/inner/new.py"}, "in the repository, not in the tree", "src/pack/inner/new.py"),
        (_SAMPLE_FILES - {"src/pack/b.py"}, "in the tree, not in the repository", "src/pack/b.py"),
        (_SAMPLE_FILES - {"data/x.txt", "data/y/z.txt"}, "in the tree, not in the repository", "data/"),
    ],
)
def test_a_tree_that_is_wrong_is_seen(tracked: set[str], kind: str, path: str) -> None:
    assert differences(read_tree(_SAMPLE), tracked) == {kind: [path]}


def test_a_file_without_a_comment_is_seen() -> None:
    text = _SAMPLE.replace("# the nouns", "")
    assert differences(read_tree(text), _SAMPLE_FILES) == {"without a comment": ["src/pack/types.py"]}


def test_a_file_listed_twice_is_seen() -> None:
    text = _SAMPLE.replace("  b.py ", "  types.py  # again\n  b.py ")
    assert list(differences(read_tree(text), _SAMPLE_FILES)) == ["listed twice or inside a summarised folder"]


@pytest.mark.parametrize(
    "line", ["   odd.py   # three spaces", "        deep.py  # no such folder above", "two words.py"]
)
def test_a_line_out_of_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a line of the tree"):
        read_tree(_SAMPLE.replace("  b.py                 # b", line))


def test_the_readme_shows_the_repository(root: Path, tracked: list[str]) -> None:
    assert differences(read_tree((root / "README.md").read_text(encoding="utf-8")), set(tracked)) == {}
