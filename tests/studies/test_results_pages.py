"""A results page is what its command prints from the kept records."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from bythebook.errors import InputError
from bythebook.studies.overview import ROOMS, overview

RESULTS = Path(__file__).parents[2] / "docs" / "results"
PAGES = sorted(path.name for path in RESULTS.iterdir() if path.name in ROOMS and path.name != "r2grpo")
"""The page on R²GRPO has its own form."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")


def _alike(one: str, other: str) -> bool:
    """Equal but for one unit of a last digit, which depends on the order in which a processor adds up."""
    digits = len(one.partition(".")[2].partition("e")[0])
    return one == other or abs(float(one) - float(other)) <= 1.01 * 10.0**-digits


@pytest.mark.slow
@pytest.mark.parametrize("system", PAGES)
def test_a_page_is_recomputed_from_its_records(system: str) -> None:
    page = (RESULTS / f"{system}.md").read_text(encoding="utf-8")
    written = page.partition("\n---\n")[2].strip()
    found = import_module(f"bythebook.studies.{ROOMS[system]}.results").results(RESULTS / system).strip()
    _same(written, found)


@pytest.mark.slow
def test_the_overview_is_recomputed_from_all_records() -> None:
    page = (RESULTS / "README.md").read_text(encoding="utf-8")
    assert "python -m bythebook.studies.overview docs/results\n" in page
    _same(page.partition("\n---\n")[2].strip(), overview(RESULTS).strip())


def test_a_folder_without_records_has_no_overview(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no kept records"):
        overview(tmp_path)


def _same(written: str, found: str) -> None:
    assert _NUMBER.sub("#", written) == _NUMBER.sub("#", found)
    pairs = list(zip(_NUMBER.findall(written), _NUMBER.findall(found), strict=True))
    assert [pair for pair in pairs if not _alike(*pair)] == []
    assert len(pairs) > 50


@pytest.mark.parametrize("system", PAGES)
def test_a_page_names_the_commands_that_make_it(system: str) -> None:
    page = (RESULTS / f"{system}.md").read_text(encoding="utf-8")
    assert f"bythebook reproduce {system} --output" in page
    assert f"python -m bythebook.studies.{ROOMS[system]}.results docs/results/{system}\n" in page
    assert "--keep runs/" in page
