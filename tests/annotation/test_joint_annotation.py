"""Raw text in, entities and relations with offsets out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joint_model import Extractor, by_words, written

from bythebook.annotation import annotate
from bythebook.errors import DataError, InputError
from bythebook.guidelines import load_guideline
from bythebook.readers.documents import document_of
from bythebook.types import Completion, Guideline


@pytest.fixture(scope="module")
def guideline(fixtures: Path) -> Guideline:
    return load_guideline(fixtures / "machines" / "guideline.md")


@pytest.fixture(scope="module")
def untyped(guideline: Guideline) -> Guideline:
    relations = [r.model_copy(update={"head_types": (), "tail_types": ()}) for r in guideline.relation_types]
    return guideline.model_copy(update={"entity_types": (), "relation_types": tuple(relations)})


def constant(*answer: Any) -> Extractor:
    return Extractor(lambda text, number: answer)


def spans(row: dict[str, Any]) -> list[tuple[str, str | None]]:
    assert all(row["text"][e["start"] : e["end"]] == e["text"] for e in row["entities"])
    return [(e["text"], e.get("type")) for e in row["entities"]]


# --------------------------------------------------------------------------------------------------------- one window


def test_raw_text_becomes_entities_and_relations_with_offsets(guideline: Guideline) -> None:
    model = Extractor(by_words)
    (row,) = annotate(["Ann runs the pump beside the boiler."], guideline, model=model)
    assert row == {
        "schema": "bythebook.prediction/1",
        "id": "1",
        "text": "Ann runs the pump beside the boiler.",
        "domain": None,
        "sub_task": "end2end",
        "entities": [
            {"id": "t1", "start": 0, "end": 3, "text": "Ann", "type": "Person"},
            {"id": "t2", "start": 13, "end": 17, "text": "pump", "type": "Device"},
            {"id": "t3", "start": 29, "end": 35, "text": "boiler", "type": "Device"},
        ],
        "relations": [{"head": "t1", "tail": "t2", "type": "Operates"}],
        "answers": [
            {
                "start": 0,
                "end": 36,
                "answer": json.dumps(
                    {
                        "ner": [["Ann", "Person"], ["pump", "Device"], ["boiler", "Device"]],
                        "rel": [["Ann", "Operates", "pump"]],
                    }
                ),
                "status": "ok",
                "thinking": "so",
                "completion": row["completion"],
                "finish_reason": "stop",
                "left_out": [],
                "errors": [],
            }
        ],
        "answer": row["answers"][0]["answer"],
        "thinking": "so",
        "completion": written(*by_words("Ann runs the pump beside the boiler.")),
        "status": "ok",
        "finish_reason": "stop",
        "errors": [],
        "guideline": {"name": "Machines", "hash": guideline.hash},
        "model": "extractor",
        "warnings": [],
    }
    assert model.asked == ["Ann runs the pump beside the boiler."]
    assert "Find every entity in the text" in model.prompts[0]


def test_the_prediction_is_a_document_that_can_be_read_again(guideline: Guideline) -> None:
    (row,) = annotate(["Ann runs the pump. Bo runs the kiln."], guideline, model=Extractor(by_words))
    document, faults = document_of(row, "x", guideline, joint=True)
    assert faults == []
    assert document is not None
    assert [(r.head, r.tail) for r in document.relations or ()] == [("t1", "t2"), ("t3", "t4")]


def test_what_is_not_in_the_text_is_left_out_and_listed(guideline: Guideline) -> None:
    ner = [["Ann", "Person"], ["crane", "Device"], ["pump", "Device"]]
    rel = [
        ["Ann", "Operates", "crane"],
        ["Ann", "Operates", "pump"],
        ["pump", "Feeds", "line"],
        ["Ann", "Beside", "Ann"],
    ]
    (row,) = annotate(["Ann runs the pump on the line."], guideline, model=constant(ner, rel))
    assert spans(row) == [("Ann", "Person"), ("pump", "Device")]
    assert [(r["head"], r["type"], r["tail"]) for r in row["relations"]] == [("t1", "Operates", "t2")]
    assert row["answers"][0]["left_out"] == [
        {"code": "ungrounded", "item": ["crane", "Device"]},
        {"code": "ungrounded", "item": ["Ann", "Operates", "crane"]},
        {"code": "unlisted_argument", "item": ["pump", "Feeds", "line"]},
        {"code": "same_argument", "item": ["Ann", "Beside", "Ann"]},
    ]
    assert row["errors"][-4:] == [
        "ungrounded: crane, Device",
        "ungrounded: Ann, Operates, crane",
        "unlisted_argument: pump, Feeds, line",
        "same_argument: Ann, Beside, Ann",
    ]
    assert row["status"] == "ok"


def test_mentions_that_repeat_and_types_that_differ(guideline: Guideline) -> None:
    ner = [["pump", "Device"], ["pump", "Device"], ["Ann", "Person"], ["Ann", "Device"]]
    rel = [
        ["Ann", "Operates", "pump"],
        ["Ann", "Operates", "pump"],
        ["pump", "Beside", "Ann"],
        ["Ann", "Beside", "pump"],
    ]
    (row,) = annotate(["pump one, pump two, Ann."], guideline, model=constant(ner, rel))
    assert [(e["start"], e["type"]) for e in row["entities"]] == [
        (0, "Device"), (10, "Device"), (20, "Device"), (20, "Person"),
    ]  # fmt: skip
    found = [(r["head"], r["type"], r["tail"]) for r in row["relations"]]
    assert len(found) == len(set(found))
    # Symmetric: the mention that stands first is the head, however it was written.
    assert {(h, t) for h, kind, t in found if kind == "Beside"} <= {("t1", "t3"), ("t2", "t3")}


CUT_OFF = Completion(text='<think>x</think><answer>{"ner": [["pump", "Device"], ["An', finish_reason="length")


@pytest.mark.parametrize(
    ("completion", "status", "entities"),
    [
        ("no idea", "no_answer", 0),
        ("<think>x</think><answer>none</answer>", "malformed", 0),
        (Completion(text="<think>and so", finish_reason="length"), "truncated", 0),
        (CUT_OFF, "truncated", 1),
        (Completion(text="", finish_reason="error"), "unscored", 0),
        (Completion(text="", finish_reason="error", error="HTTP 500"), "unscored", 0),
        (written([], []), "ok", 0),
        (written([["pump", "Robot"]], []), "ok", 0),
    ],
)  # fmt: skip
def test_status_says_why_there_is_no_answer(
    completion: str | Completion, status: str, entities: int, guideline: Guideline
) -> None:
    (row,) = annotate(["Ann runs the pump."], guideline, model=Extractor(lambda text, number: completion))
    assert (row["status"], len(row["entities"])) == (status, entities)
    assert bool(row["errors"]) == (completion != written([], []))
    assert (row["answer"] is None) == (entities == 0 and status != "ok")


def test_rows_of_both_kinds_in_one_call(guideline: Guideline) -> None:
    def answer(text: str, number: int) -> Any:
        return "<think>x</think><answer>Feeds(e1,e2)</answer>" if "<e1>" in text else by_words(text)

    texts = ["The <e1>pump</e1> feeds the <e2>boiler</e2>.", {"id": "raw", "text": "Bo runs the kiln."}]
    marked, raw = annotate(texts, guideline, model=Extractor(answer))
    assert ("sub_task" in marked, marked["answer"]) == (False, "Feeds(e1,e2)")
    assert (raw["id"], raw["sub_task"], len(raw["relations"])) == ("raw", "end2end", 1)


# ----------------------------------------------------------------------------------------------------------- sub-tasks

DOCUMENT = {
    "id": "d",
    "text": "Ann runs the pump beside the boiler.",
    "entities": [
        {"id": "a", "start": 0, "end": 3, "type": "Person"},
        {"id": "p", "start": 13, "end": 17, "type": "Device"},
        {"id": "b", "start": 29, "end": 35, "type": "Device"},
    ],
    "relations": [{"head": "b", "tail": "p", "type": "Beside"}],
}


def test_given_entities_are_asked_pair_by_pair_unless_told_otherwise(guideline: Guideline) -> None:
    model = Extractor(lambda text, number: "<think>x</think><answer>none</answer>")
    (row,) = annotate([DOCUMENT], guideline, model=model)
    assert (len(row["answers"]), "sub_task" in row) == (3, False)
    (joint,) = annotate([DOCUMENT], guideline, model=Extractor(by_words), sub_task="end2end")
    assert [e["id"] for e in joint["entities"]] == ["t1", "t2", "t3"]


def test_ner_says_nothing_of_relations(guideline: Guideline) -> None:
    (row,) = annotate(["Ann runs the pump."], guideline, model=constant([["Ann", "Person"]]), sub_task="ner")
    assert spans(row) == [("Ann", "Person")]
    assert "relations" not in row
    assert (row["sub_task"], row["errors"]) == ("ner", [])


def test_re_plus_keeps_the_given_entities_and_their_ids(guideline: Guideline) -> None:
    rel = [["Ann", "Operates", "pump"], ["pump", "Beside", "boiler"], ["runs", "Feeds", "boiler"]]
    model = constant(None, rel)
    (row,) = annotate([DOCUMENT], guideline, model=model, sub_task="re_plus")
    assert json.loads(model.given[0] or "") == [["Ann", "Person"], ["pump", "Device"], ["boiler", "Device"]]
    assert [e["id"] for e in row["entities"]] == ["a", "p", "b"]
    assert row["relations"] == [
        {"head": "a", "tail": "p", "type": "Operates"},
        {"head": "p", "tail": "b", "type": "Beside"},
    ]
    assert row["answers"][0]["left_out"] == [{"code": "unlisted_argument", "item": ["runs", "Feeds", "boiler"]}]


def test_re_asks_the_given_pairs_only(guideline: Guideline) -> None:
    model = constant(None, [["boiler", "Feeds", "pump"], ["Ann", "Operates", "pump"]])
    (row,) = annotate([DOCUMENT], guideline, model=model, sub_task="re")
    assert json.loads(model.given[0] or "") == [["pump", "boiler"]]
    assert row["relations"] == [{"head": "b", "tail": "p", "type": "Feeds"}]
    assert row["answers"][0]["left_out"] == [{"code": "unasked_pair", "item": ["Ann", "Operates", "pump"]}]


def test_a_row_with_nothing_to_ask_is_done(guideline: Guideline) -> None:
    one = {"id": "one", "text": "Ann", "entities": [{"id": "a", "start": 0, "end": 3, "type": "Person"}]}
    (row,) = annotate([one], guideline, model=constant(None, []), sub_task="re_plus")
    assert (row["answers"], row["relations"], row["status"]) == ([], [], "ok")


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        ("Raw text.", {"sub_task": "re"}, "text 1: raw text without entities.*end2end"),
        ("Raw text.", {"sub_task": "re_plus"}, "text 1: raw text without entities"),
        ("<e1>a</e1> <e2>b</e2>", {"sub_task": "ner"}, "text 1: a marked sentence"),
        ({**DOCUMENT, "relations": None}, {"sub_task": "re"}, "text 1: .* the row names none .*re_plus"),
        ({"text": "x", "entities": [{"id": "u", "start": 0, "end": 1}]}, {"sub_task": "re_plus"}, "'u' has no type"),
        ("Raw text.", {"sub_task": "label"}, "no sub-task 'label' .*ner, re, re_plus, end2end"),
        ("Raw text.", {"sub_task": "all"}, "no sub-task 'all'"),
        ("Raw text.", {"window": 3}, "a window of 3 characters"),
        ("Raw text.", {"window": 100, "overlap": 80}, "an overlap of 80 characters"),
        ("Raw text.", {"abstain_below": 1.5, "samples": 2}, "p below 1.5"),
        ("Raw text.", {"abstain_below": 0.5}, "greedy decoding has"),
        ("Raw text.", {"samples": -1}, "-1 samples"),
    ],
)
def test_what_can_not_be_asked_is_told(row: Any, options: dict[str, Any], message: str, guideline: Guideline) -> None:
    with pytest.raises(InputError, match=message):
        annotate([row], guideline, model=constant([], []), **options)


def test_entity_types_are_needed_to_look_for_entities(untyped: Guideline) -> None:
    with pytest.raises(
        DataError, match="text 1: raw text without entities, and the guideline declares no entity types"
    ):
        annotate(["Raw text."], untyped, model=constant([], []))
    with pytest.raises(DataError, match="the sub-task ner asks for entity types"):
        annotate(["Raw text."], untyped, model=constant([], []), sub_task="ner")


# ------------------------------------------------------------------------------------------------------------- windows


def test_long_text_is_asked_in_windows_and_found_relations_count_once(guideline: Guideline) -> None:
    text = "Ann runs the pump. Bo runs the kiln. Ann runs the press. The boiler rests."
    model = Extractor(by_words)
    (row,) = annotate([text], guideline, model=model, window=40, overlap=20)
    assert model.asked == [
        "Ann runs the pump. Bo runs the kiln.",
        "Bo runs the kiln. Ann runs the press.",
        "Ann runs the press. The boiler rests.",
    ]
    assert [(a["start"], a["end"]) for a in row["answers"]] == [(0, 36), (19, 56), (37, 74)]
    whole = annotate([text], guideline, model=Extractor(by_words), window=200)[0]
    assert row["entities"] == whole["entities"]
    assert row["relations"] == whole["relations"]
    assert len(row["relations"]) == 3
    assert (row["answer"], row["completion"], row["status"]) == (None, None, "ok")


def test_one_window_that_fails_is_told_and_the_others_stay(guideline: Guideline) -> None:
    text = "Ann runs the pump. Bo runs the kiln. Ann runs the press. The boiler rests."
    model = Extractor(lambda shown, number: "?" if "press" in shown else by_words(shown))
    (row,) = annotate([text], guideline, model=model, window=40, overlap=0)
    assert [a["status"] for a in row["answers"]] == ["ok", "no_answer"]
    assert (row["status"], len(row["relations"])) == ("no_answer", 2)


def test_given_entities_go_to_the_windows_that_hold_them(guideline: Guideline) -> None:
    text = "Ann runs the pump. Bo runs the kiln."
    mentions = [("Ann", "Person"), ("pump", "Device"), ("Bo", "Person"), ("kiln", "Device")]
    entities = [{"id": w, "start": text.index(w), "end": text.index(w) + len(w), "type": kind} for w, kind in mentions]
    model = Extractor(lambda shown, number: (None, by_words(shown)[1]))
    (row,) = annotate([{"text": text, "entities": entities}], guideline, model=model, sub_task="re_plus", window=20)
    assert [json.loads(g or "") for g in model.given] == [
        [["Ann", "Person"], ["pump", "Device"]],
        [["Bo", "Person"], ["kiln", "Device"]],
    ]
    assert [(r["head"], r["tail"]) for r in row["relations"]] == [("Ann", "pump"), ("Bo", "kiln")]
    far = [{"head": "Ann", "tail": "kiln", "type": "Operates"}, {"head": "Bo", "tail": "kiln", "type": "Operates"}]
    asked = {"text": text, "entities": entities, "relations": far}
    (row,) = annotate([asked], guideline, model=model, sub_task="re", window=20)
    assert row["errors"] == ["unasked: no window holds the pair at [0, 35)"]
    assert [(r["head"], r["tail"]) for r in row["relations"]] == [("Bo", "kiln")]


def test_windows_follow_the_context_of_a_model_that_says_how_long_it_is(guideline: Guideline) -> None:
    text = "Ann runs the pump. " * 60
    unknown, short = Extractor(by_words), Extractor(by_words)
    short.context_tokens = 400  # type: ignore[attr-defined]
    annotate([text], guideline, model=unknown)
    annotate([text], guideline, model=short)
    assert [len(t) for t in unknown.asked] == [len(text.strip())]
    assert len(short.asked) > 3
    assert max(map(len, short.asked)) <= 256


WORDS = st.lists(
    st.sampled_from(["Ann", "Bo", "pump", "kiln", "runs", "the", "rests.", "stands.", "today"]), max_size=60
)


@settings(max_examples=40, deadline=None)
@given(words=WORDS, size=st.integers(16, 80))
def test_windows_find_every_entity_that_the_whole_text_has(guideline: Guideline, words: list[str], size: int) -> None:
    text = " ".join(words) or "rests."
    (whole,) = annotate([text], guideline, model=Extractor(by_words), window=10_000)
    (cut,) = annotate([text], guideline, model=Extractor(by_words), window=size)
    assert cut["entities"] == whole["entities"]
    ids = {e["id"] for e in cut["entities"]}
    assert all({r["head"], r["tail"]} <= ids for r in cut["relations"])


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=80), samples=st.integers(0, 3))
def test_whatever_a_model_writes_there_is_a_prediction(guideline: Guideline, text: str, samples: int) -> None:
    hostile = [text, f"<think>x</think><answer>{text}</answer>", f'<answer>{{"ner": [["{text}", "Device"]], "rel": 7}}']
    for completion in hostile:
        model = Extractor(lambda shown, number, c=completion: c)  # type: ignore[misc]
        (row,) = annotate(["Ann runs the pump."], guideline, model=model, samples=samples)
        json.dumps(row)
        spans(row)
