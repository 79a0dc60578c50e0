"""A results page is what its command prints from the kept records."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[2] / "docs" / "results"
ROOMS = {
    "archer": "miniature",
    "one_shot": "miniature",
    "med_rlvr": "miniature",
    "reward_bridge": "reward_bridge",
}
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")


def _alike(one: str, other: str) -> bool:
    """Equal but for one unit of a last digit, which depends on the order in which a processor adds up."""
    digits = len(one.partition(".")[2].partition("e")[0])
    return one == other or abs(float(one) - float(other)) <= 1.01 * 10.0**-digits


@pytest.mark.slow
@pytest.mark.parametrize("system", ROOMS)
def test_a_page_is_recomputed_from_its_records(system: str) -> None:
    page = (RESULTS / f"{system}.md").read_text(encoding="utf-8")
    written = page.partition("\n---\n")[2].strip()
    found = import_module(f"bythebook.studies.{ROOMS[system]}.results").results(RESULTS / system).strip()
    assert _NUMBER.sub("#", written) == _NUMBER.sub("#", found)
    pairs = list(zip(_NUMBER.findall(written), _NUMBER.findall(found), strict=True))
    assert [pair for pair in pairs if not _alike(*pair)] == []
    assert len(pairs) > 50


@pytest.mark.parametrize("system", ROOMS)
def test_a_page_names_the_commands_that_make_it(system: str) -> None:
    page = (RESULTS / f"{system}.md").read_text(encoding="utf-8")
    assert f"bythebook reproduce {system} --output" in page
    assert f"python -m bythebook.studies.{ROOMS[system]}.results docs/results/{system}\n" in page
    assert "--keep runs/" in page
