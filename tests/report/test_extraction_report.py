"""The report of joint extraction: scores as evaluation has them, every text with gold beside predicted, curves."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from extraction_runs import ITEM_FAULTS, asked, extraction_records, extraction_run
from hypothesis import given, settings
from hypothesis import strategies as st
from report_runs import record, training_run, write_json
from rich.console import Console

from bythebook.evaluation import scores
from bythebook.records import Record, read_records, write_jsonl
from bythebook.report import Run, print_summary, render_report
from bythebook.report.extraction_explorer import FAULTS, extraction_data
from bythebook.report.extraction_scores import extraction_scores, type_scores
from bythebook.report.extractions import beside, extraction_of, is_extraction
from bythebook.report.plots import extent, panels
from bythebook.report.rows import extraction_rows, file_rows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extraction_run(tmp_path_factory.mktemp("extraction"))


@pytest.fixture(scope="module")
def records(run: Path) -> list[Record]:
    return read_records(run / "world_joint.ood.jsonl")


def _data(path: Path) -> dict[str, Any]:
    found = extraction_data(Run(path))
    assert found is not None
    return found


# ----------------------------------------------------------------------------------- scores


def test_scores_are_those_of_the_evaluation(records: list[Record]) -> None:
    wanted, found = scores(records), extraction_scores(records)
    assert found is not None
    assert (found["items"], found["k"]) == (wanted["n"], wanted["k"]) == (60, 2)
    assert [p["name"] for p in found["protocols"]] == ["NER", "REL", "REL+"]
    for protocol, shown in zip(wanted["protocols"].values(), found["protocols"], strict=True):
        for name in ("f1", "precision", "recall", "avg_at_k"):
            assert 0 < protocol[name] < 1
            assert shown[name] == pytest.approx(protocol[name])  # type: ignore[literal-required]
        assert shown["best_at_k"] == pytest.approx(protocol["best_at_k"]["2"])
    assert found["false_relations"] == wanted["false_relation_rate"] > 0
    assert found["relation_free"] == wanted["relation_free"] > 5
    for name, same in (("exact", "greedy"), ("format_rate", "format_rate"), ("tokens", "tokens")):
        assert found[name] == pytest.approx(wanted[same])  # type: ignore[literal-required]


def test_intervals_hold_their_figure_and_are_those_of_a_second_run(records: list[Record]) -> None:
    found = extraction_scores(records)
    assert found is not None
    for protocol in found["protocols"]:
        assert protocol["interval"] is not None
        assert protocol["f1"] is not None
        assert protocol["interval"][0] < protocol["f1"] < protocol["interval"][1]
    assert found["false_interval"] is not None
    assert found["false_relations"] is not None
    assert found["false_interval"][0] <= found["false_relations"] <= found["false_interval"][1]
    assert extraction_scores(records) == found
    one = extraction_scores([r for r in records if r.tags["guideline_id"] == records[0].tags["guideline_id"]])
    assert one is not None
    assert {p["interval"] for p in one["protocols"]} == {None}


def test_without_greedy_answers_the_samples_are_scored(records: list[Record]) -> None:
    sampled = [r for r in records if r.sample >= 0]
    found = extraction_scores(sampled)
    assert found is not None
    assert (found["items"], found["k"]) == (60, 2)
    for protocol in found["protocols"]:
        assert protocol["f1"] == pytest.approx(protocol["avg_at_k"], abs=0.02)
    assert extraction_scores([record_of_a_label()]) is None


def test_types_add_up_to_their_protocol(records: list[Record]) -> None:
    greedy = [r for r in records if r.sample == -1]
    rows = type_scores(records)
    assert rows == type_scores(greedy)
    for name, title in (("ner", "NER"), ("rel", "REL")):
        of = [row for row in rows if row["protocol"] == title]
        counts = [(r.counts or {})[name] for r in greedy]
        assert sum(row["gold"] for row in of) == sum(c[0] + c[2] for c in counts)
        right = sum((row["recall"] or 0) * row["gold"] for row in of)
        assert right == pytest.approx(sum(c[0] for c in counts))
        assert [row["gold"] for row in of] == sorted((row["gold"] for row in of), reverse=True)


def record_of_a_label() -> Record:
    return record(random.Random(0), 1, -1, 1.0)


# ----------------------------------------------------------------------------------- items


def test_records_tell_their_form(records: list[Record]) -> None:
    assert all(is_extraction(r) for r in records)
    label = record_of_a_label()
    assert not is_extraction(label)
    for answer in ("{", '{"x": []}', "{Cause-Effect}(e1,e2)", "[]", None):
        assert not is_extraction(label.model_copy(update={"answer": answer}))
    raw = label.model_copy(update={"gold": None, "answer": '{"ner": [["a", "T"]]}'})
    assert is_extraction(raw)
    assert is_extraction(label.model_copy(update={"gold": "sha256:0123456789abcdef"}))


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=30) | st.recursive(st.none() | st.text(max_size=3), st.lists, max_leaves=8).map(
    lambda x: json.dumps({"ner": x, "rel": [x, ["a", "b", "c"]]})))  # fmt: skip
def test_any_kept_answer_is_read(text: str) -> None:
    found = extraction_of(text)
    assert found is None or all(isinstance(e.text, str) for e in found.entities)
    gold, answer = beside(found, found)
    if found is not None:
        assert gold is not None
        assert answer is not None
        assert set(gold.entities + gold.relations + answer.entities + answer.relations) <= {"right"}
    assert extraction_of('{"ner": ' + "[" * 100_000) is None


def test_gold_and_answer_stand_beside_each_other() -> None:
    gold = extraction_of('{"ner": [["a","M"],["b","M"],["c","T"]], "rel": [["a","R","b"],["b","S","c"],["a","S","c"]]}')
    said = extraction_of('{"ner": [["a","M"],["b","T"],["d","T"]], "rel": [["b","R","a"],["b","R","c"],["d","S","a"]]}')
    kept, answer = beside(gold, said)
    assert kept is not None
    assert answer is not None
    assert (kept.entities, answer.entities) == (("right", "type", "alone"), ("right", "type", "alone"))
    assert (kept.relations, answer.relations) == (("direction", "type", "alone"), ("direction", "type", "alone"))
    assert beside(gold, None)[1] is None
    missed = beside(gold, None)[0]
    assert missed is not None
    assert set(missed.entities + missed.relations) == {"alone"}


def test_every_mistake_is_found_for_what_it_is(run: Path) -> None:
    data = _data(run)
    seen = Counter[str]()
    for row in data["rows"]:
        mistake = data["items"][row[0]][4]["mistake"]
        faults, outcome = [data["faults"][i] for i in row[5]], data["outcomes"][row[4]]
        seen[mistake] += 1
        if mistake == "nothing":
            assert (faults, outcome) == ([], "right")
        elif mistake == "silent":
            assert outcome == "silent"
            assert set(faults) <= {"missed_entity", "missed_relation"}
        elif mistake == "garbled":
            assert outcome == "none"
        else:
            assert faults == [mistake]
            assert outcome in ("partly", "wrong", "silent")
    assert set(seen) == {"nothing", *ITEM_FAULTS, "silent", "garbled"}
    assert FAULTS == ITEM_FAULTS


def test_mentions_stand_where_the_page_marks_them(run: Path) -> None:
    data = _data(run)
    marked = 0
    for row in data["rows"]:
        units = data["texts"][data["items"][row[0]][3]].encode("utf-16-le")
        for side in (row[2], row[3]):
            for text, kind, start, end, _ in side["e"] if side else ():
                if text == "the sky above":
                    assert (start, end) == (None, None)
                else:
                    assert units[2 * start : 2 * end].decode("utf-16-le") == text
                    assert data["types"][kind]
                    marked += 1
    assert marked > 100
    assert sum(text.startswith("\U0001d11e") for text in data["texts"]) == 2


def test_arguments_that_are_no_entities_are_marked_too(tmp_path: Path) -> None:
    kept = extraction_records(asked("id", 8), 0)
    only = [r.model_copy(update={"gold": _without_ner(r.gold), "answer": _without_ner(r.answer)}) for r in kept]
    write_jsonl(tmp_path / "world_joint.id.jsonl", only)
    write_json(tmp_path / "evaluation.json", {"model": "m"})
    data = _data(tmp_path)
    places = [(row, row[2]["m"]) for row in data["rows"] if row[2]["r"]]
    assert places
    for row, spans in places:
        assert {len({head, tail}) for head, _, tail, _ in row[2]["r"]} == {2}
        assert len(spans) == len({m for head, _, tail, _ in row[2]["r"] for m in (head, tail)})


def _without_ner(text: str | None) -> str | None:
    return None if text is None else json.dumps({"rel": json.loads(text)["rel"]})


# ----------------------------------------------------------------------------------- the page


def _sections(page: str) -> list[str]:
    return re.findall(r'<h2 id="([\w-]+)"', page)


def test_the_page_shows_scores_types_and_texts(run: Path) -> None:
    page = render_report(Run(run))
    assert _sections(page) == ["extraction-scores", "texts"]
    for words in ("annotator, NER", "annotator, REL+", "name a relation where the text has none", "Entity types, NER"):
        assert words in page
    for row in extraction_rows(run):
        for protocol in row["protocols"]:
            assert protocol["f1"] is not None
            assert f"{100 * protocol['f1']:.1f}<small>" in page
    assert page.count('type="application/json"') == 1
    assert 'id="records"' not in page


def test_labels_and_extractions_have_a_part_each(tmp_path: Path, records: list[Record]) -> None:
    training_run(tmp_path)
    write_jsonl(tmp_path / "records" / "trained.ood.jsonl", records)
    page = render_report(Run(tmp_path))
    assert _sections(page) == ["scores", "extraction-scores", "training", "documents", "texts", "recipe"]
    assert {row["file"] for row in file_rows(tmp_path)} == {"rollouts", "test"}
    assert [row["file"] for row in extraction_rows(tmp_path)] == ["trained.ood"]
    assert len(_data(tmp_path)["rows"]) == 60


def test_licensed_texts_leave_counts_and_no_words(tmp_path: Path) -> None:
    extraction_run(tmp_path, 20, keep_text=False)
    data = _data(tmp_path)
    assert data["texts"] == data["types"] == data["relations"] == []
    assert {row[2] for row in data["rows"]} == {row[3] for row in data["rows"]} == {None}
    for row in data["rows"]:
        if data["items"][row[0]][4]["mistake"] == "missed_entity":
            assert [data["faults"][i] for i in row[5]] == ["missed_entity"]
    assert type_scores(read_records(tmp_path / "world_joint.id.jsonl")) == []
    page = render_report(Run(tmp_path))
    assert "By type" not in page
    assert asked("id", 20)[1].text not in page


def test_rollouts_of_extraction_are_shown_by_step(tmp_path: Path, records: list[Record]) -> None:
    update = {"schema_": "bythebook.rollout/1", "text": None}
    rows = [r.model_copy(update={**update, "step": i // 20}) for i, r in enumerate(r for r in records if r.sample >= 0)]
    write_jsonl(tmp_path / "records" / "rollouts.jsonl", rows)
    data = _data(tmp_path)
    assert len(data["rows"]) == len(rows)
    assert data["items"][0][0].startswith("step 0 · ")
    assert "training rollouts" in render_report(Run(tmp_path))


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script>"
    written = json.dumps({"ner": [[hostile, hostile]], "rel": [[hostile, hostile, hostile]]})
    one = extraction_records(asked("id", 1), 0)[0]
    update = {"text": hostile, "gold": written, "answer": written, "errors": (hostile,), "id": hostile}
    bad = one.model_copy(update=update)
    write_jsonl(tmp_path / "world_joint.id.jsonl", [bad])
    write_json(tmp_path / "evaluation.json", {"model": hostile})
    page = render_report(Run(tmp_path))
    assert "<script>alert" not in page
    assert page.count("<script") == 3


def test_the_terminal_has_a_table_of_extraction(run: Path) -> None:
    console = Console(record=True, width=160)
    print_summary(run, console)
    text = console.export_text()
    assert "Joint extraction by file of records" in text
    assert "world_joint.ood" in text
    assert "Scores by file of records" not in text


# ----------------------------------------------------------------------------------- curves


def test_every_split_has_its_curve_of_accuracy_and_of_f1(tmp_path: Path) -> None:
    splits = ("dev", "test", "test_ood")
    lines: list[dict[str, object]] = []
    for step in range(4):
        found = {f"{split}_{name}": 0.1 * step for split in splits for name in ("accuracy", "f1")}
        lines.append({"step": step, "f1": 0.2 * step, "eval": found})
    write_jsonl(tmp_path / "metrics.jsonl", lines)
    drawn = Run(tmp_path).metrics()
    shown = {panel.title: panel for panel in panels(drawn, extent([drawn]))}
    assert set(shown) == {"Accuracy", "F1 of entities and relations"}
    f1 = shown["F1 of entities and relations"]
    assert [line.legend for line in f1.lines] == ["training rollouts", "dev", "test", "test ood"]
    assert len({line.style for line in f1.lines}) == 4
    assert [len(line.dots) for line in f1.lines] == [0, 4, 4, 4]
    known = [{"step": 1, "eval": {"id_f1": 0.5, "ood_f1": 0.25, "fresh_f1": 0.1}}]
    write_jsonl(tmp_path / "metrics.jsonl", known)
    drawn = Run(tmp_path).metrics()
    (panel,) = panels(drawn, extent([drawn]))
    assert [(line.legend, line.style) for line in panel.lines] == [
        ("in-domain", "id"),
        ("out-of-domain", "ood"),
        ("fresh", "third"),
    ]
