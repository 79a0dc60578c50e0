"""Samples of joint extraction: `p`, Maj@K, abstention."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from joint_model import Extractor, written

from bythebook.annotation import annotate
from bythebook.guidelines import load_guideline
from bythebook.types import Guideline

ANN, PUMP, BOILER = ["Ann", "Person"], ["pump", "Device"], ["boiler", "Device"]
RUNS, FEEDS = ["Ann", "Operates", "pump"], ["pump", "Feeds", "boiler"]
TEXT = "Ann runs the pump by the boiler."
SAMPLES = [
    written([ANN, PUMP, BOILER], [RUNS, FEEDS]),
    written([ANN, PUMP], [RUNS]),
    written([ANN, PUMP, BOILER], []),
    "I can't say",
]


@pytest.fixture(scope="module")
def guideline(fixtures: Path) -> Guideline:
    return load_guideline(fixtures / "machines" / "guideline.md")


def drawn(samples: Sequence[str], guideline: Guideline, text: str = TEXT, **options: Any) -> dict[str, Any]:
    model = Extractor(lambda shown, number: samples[number])
    (row,) = annotate([text], guideline, model=model, samples=len(samples), **options)
    return row


def test_items_of_most_samples_are_kept_with_their_share(guideline: Guideline) -> None:
    row = drawn(SAMPLES, guideline)
    assert [(e["text"], e["p"]) for e in row["entities"]] == [("Ann", 0.75), ("pump", 0.75)]
    assert row["relations"] == []
    assert row["withheld"] == {
        "entities": [{"start": 25, "end": 31, "text": "boiler", "type": "Device", "p": 0.5}],
        "relations": [
            {
                "head": {"start": 0, "end": 3, "text": "Ann", "type": "Person"},
                "tail": {"start": 13, "end": 17, "text": "pump", "type": "Device"},
                "type": "Operates",
                "p": 0.5,
            },
            {
                "head": {"start": 13, "end": 17, "text": "pump", "type": "Device"},
                "tail": {"start": 25, "end": 31, "text": "boiler", "type": "Device"},
                "type": "Feeds",
                "p": 0.25,
            },
        ],
    }


def test_the_sample_shown_is_the_one_most_like_what_is_kept(guideline: Guideline) -> None:
    row = drawn(SAMPLES, guideline)
    # Kept are two entities: the second sample has one relation more, the third one entity more; the first of equals.
    assert row["completion"] == SAMPLES[1]
    assert row["status"] == "ok"


def test_more_than_half_of_the_samples_have_to_answer(guideline: Guideline) -> None:
    row = drawn(["?", SAMPLES[0], "?", SAMPLES[0]], guideline)
    assert (row["status"], row["entities"], row["completion"]) == ("no_answer", [], "?")
    row = drawn(["?", SAMPLES[0], SAMPLES[0]], guideline)
    assert (row["status"], len(row["entities"]), len(row["relations"])) == ("ok", 3, 2)


def test_one_item_in_two_windows_of_a_sample_counts_once(guideline: Guideline) -> None:
    text = "Ann runs the pump. The boiler is hot. Ann rests."
    samples = [written([BOILER], []), written([BOILER], []), written([], [])]
    row = drawn(samples, guideline, text, window=40, overlap=20)
    assert len(row["answers"]) == 2
    assert [(e["text"], e["p"]) for e in row["entities"]] == [("boiler", pytest.approx(2 / 3))]


def test_given_entities_have_no_p_and_their_relations_do(guideline: Guideline) -> None:
    document = {
        "text": TEXT,
        "entities": [
            {"id": "a", "start": 0, "end": 3, "type": "Person"},
            {"id": "p", "start": 13, "end": 17, "type": "Device"},
        ],
    }
    samples = [written(None, [RUNS]), written(None, [RUNS]), written(None, [])]
    model = Extractor(lambda shown, number: samples[number])
    (row,) = annotate([document], guideline, model=model, samples=3, sub_task="re_plus")
    assert row["relations"] == [{"head": "a", "tail": "p", "type": "Operates", "p": pytest.approx(2 / 3)}]
    assert not any("p" in e for e in row["entities"])


def test_items_below_the_threshold_are_withheld(guideline: Guideline) -> None:
    most = [SAMPLES[0], SAMPLES[0], SAMPLES[1]]
    assert [len(drawn(most, guideline)[key]) for key in ("entities", "relations")] == [3, 2]
    row = drawn(most, guideline, abstain_below=0.9)
    assert [e["text"] for e in row["entities"]] == ["Ann", "pump"]
    assert [r["type"] for r in row["relations"]] == ["Operates"]
    assert [e["text"] for e in row["withheld"]["entities"]] == ["boiler"]


def test_greedy_decoding_has_no_p(guideline: Guideline) -> None:
    (row,) = annotate([TEXT], guideline, model=Extractor(lambda shown, number: SAMPLES[0]))
    assert "withheld" not in row
    assert not any("p" in item for item in row["entities"] + row["relations"])


# ------------------------------------------------------------------------------------------------------ pair by pair

MARKED = "The <e1>pump</e1> feeds the <e2>boiler</e2>."


def votes(*labels: str) -> Extractor:
    return Extractor(lambda shown, number: f"<think>{number}</think><answer>{labels[number]}</answer>")


@pytest.mark.parametrize(("threshold", "status"), [(0.5, "ok"), (0.75, "ok"), (0.76, "abstained"), (1.0, "abstained")])
def test_a_label_of_too_few_votes_is_no_answer(threshold: float, status: str, guideline: Guideline) -> None:
    model = votes("Feeds(e1,e2)", "none", "Feeds(e1,e2)", "Feeds(e1,e2)")
    (row,) = annotate([MARKED], guideline, model=model, samples=4, abstain_below=threshold)
    assert row["status"] == row["answers"][0]["status"] == status
    assert row["answers"][0]["p"] == 0.75
    if status == "ok":
        assert row["relations"] == [{"head": "e1", "tail": "e2", "type": "Feeds", "p": 0.75}]
    else:
        assert (row["answer"], row["relations"]) == (None, [])
        assert row["errors"] == ["abstained: Feeds(e1,e2) has p = 0.75"]


def test_no_answer_at_all_is_not_called_abstention(guideline: Guideline) -> None:
    (row,) = annotate([MARKED], guideline, model=votes("?", "?"), samples=2, abstain_below=0.9)
    assert (row["status"], "p" in row["answers"][0]) == ("malformed", False)
