"""CrossRE as joint extraction: an entity type is in the guideline of its domain, or a fault that `data check` lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bythebook.schema import ExtractionSchema
from bythebook.tasks import crossre
from bythebook.tasks.crossre_joint import DOMAIN_TYPES, joint_guideline

MUSIC = {
    "doc_key": "music-dev-1",
    "sentence": ["Ilse", "Quarn", "sang", "at", "Brenn", "College", "in", "Alm", "."],
    "ner": [[0, 1, "musicalartist"], [4, 5, "university"], [7, 7, "location"]],
    "relations": [[0, 1, 7, 7, "physical", "", False, False], [4, 5, 7, 7, "physical", "", False, False]],
}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release whose one sentence of music names a university, which the guideline of music lacks."""
    (tmp_path / "crossre_data").mkdir()
    (tmp_path / "crossre_data" / "music-dev.json").write_text("\n" + json.dumps(MUSIC) + "\n", encoding="utf-8")
    return tmp_path


def test_an_entity_of_a_type_that_the_guideline_lacks_is_a_fault_with_its_line(release: Path) -> None:
    assert "university" not in DOMAIN_TYPES["music"]
    found = crossre.check(release)
    assert found["faults"] == [
        {
            "file": str(release / "crossre_data" / "music-dev.json"),
            "line": 2,
            "message": "an entity of the type 'university', which the guideline of music lacks; "
            "left out of joint extraction",
        }
    ]
    assert found["rows"] == {"music dev": 1}
    assert (found["counts"]["music dev"]["entities"], found["counts"]["music dev"]["relations"]) == (2, 1)
    inside = crossre.check(release / "crossre_data")
    assert inside["faults"] == found["faults"]


def test_it_is_left_out_of_joint_extraction_with_its_relations_and_of_nothing_else(release: Path) -> None:
    (row,) = crossre.load(release, sub_task="end2end")["dev"]
    assert row.extraction is not None
    assert [(e.text, e.type) for e in row.extraction.entities] == [("Ilse Quarn", "musicalartist"), ("Alm", "location")]
    assert [(r.head.text, r.tail.text) for r in row.extraction.relations] == [("Ilse Quarn", "Alm")]
    assert ExtractionSchema.of(row.guideline).admits(row.extraction) == ()
    labels = crossre.load(release)["dev"]
    assert [e.id for e in labels] == ["crossre-music-dev-1-1-3", "crossre-music-dev-1-2-3"]


def test_the_release_has_no_such_entity(licensed_data: Path) -> None:
    found = crossre.check(licensed_data / "crossre")
    assert not [f for f in found["faults"] if "lacks" in f["message"]]


def test_names_that_the_guideline_explains_are_known_for_names() -> None:
    for domain in DOMAIN_TYPES:
        assert "`misc`" in joint_guideline(domain).preamble
