"""The page's data: every record once, with its gold, text, clauses and samples; nothing judged again."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from many_documents import many_documents
from report_runs import record

from bythebook.errors import GuidelineError
from bythebook.guidelines import keep_guidelines, load_from_library
from bythebook.records import ROLLOUT_SCHEMA, read_records, write_jsonl
from bythebook.report import Run, render_report
from bythebook.report.explorer import explorer_data


def _data(path: Path) -> dict[str, Any]:
    found = explorer_data(Run(path))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return many_documents(tmp_path_factory.mktemp("many"), 200)


def test_every_record_is_one_row_with_its_verdict(run: Path) -> None:
    data = _data(run)
    assert data["models"] == ["start", "trained"]
    assert [s["label"] for s in data["sets"]] == ["test"]
    rows = [
        (data["items"][r[0]][0], data["models"][r[1]], _name(data, r[2]), data["statuses"][r[4]]) for r in data["rows"]
    ]
    wanted = [
        (r.id, model, r.answer, r.status)
        for model in data["models"]
        for r in read_records(run / "records" / f"{model}.test.jsonl")
    ]
    assert rows == wanted
    assert len(data["items"]) == len(data["texts"]) == 200


def _name(data: dict[str, Any], place: int | None) -> str | None:
    return None if place is None else data["labels"][place]


def test_right_and_wrong_are_those_of_the_records(run: Path) -> None:
    data = _data(run)
    for place, model in enumerate(data["models"]):
        outcomes = Counter(data["outcomes"][r[3]] for r in data["rows"] if r[1] == place)
        records = read_records(run / "records" / f"{model}.test.jsonl")
        assert outcomes["right"] == sum(r.correct is True for r in records)
        assert outcomes["none"] == sum(r.answer is None for r in records)
        assert sum(outcomes.values()) == len(records)


def test_mentions_are_those_of_the_records_and_lie_in_the_text(run: Path) -> None:
    data = _data(run)
    first = read_records(run / "records" / "start.test.jsonl")[0]
    assert first.entities is not None
    assert data["items"][0][5] == [[m.id, m.start, m.end, m.type] for m in first.entities]
    for item in data["items"]:
        assert all(data["texts"][item[4]][start:end].isalpha() for _, start, end, _ in item[5])


def test_wrong_labels_touch_clauses_and_say_whether_the_reasoning_has_their_words(run: Path) -> None:
    data = _data(run)
    assert len(data["books"]) == 1
    clauses = data["books"][0]["clauses"]
    touched = dict.fromkeys(data["outcomes"], 0)
    for row in data["rows"]:
        touched[data["outcomes"][row[3]]] += len(row[7])
        assert all(0 <= i < len(clauses) for i in [*row[7], *(i for i, _ in row[8])])
    assert touched["right"] == touched["none"] == 0
    assert all(touched[name] > 0 for name in ("label", "direction", "missed", "overread", "unknown"))
    assert any(i in row[7] for row in data["rows"] for i, _ in row[8])


def test_of_samples_the_greedy_completion_is_shown_and_the_answers_are_listed(demo: Path) -> None:
    data = _data(demo)
    row = next(
        r for r in data["rows"] if data["models"][r[1]] == "R1-RE RL" and data["items"][r[0]][1] == data["start"][1]
    )
    kept = [r for r in read_records(demo / "records" / "rl.ood.jsonl") if r.id == data["items"][row[0]][0]]
    greedy, samples = kept[0], kept[1:]
    assert greedy.sample == -1
    assert (row[6], _name(data, row[2])) == (greedy.completion, greedy.answer)
    assert [(_name(data, answer), right) for answer, right in row[13]] == [(r.answer, r.correct) for r in samples]


def test_a_demo_opens_with_rl_out_of_domain(demo: Path) -> None:
    data = _data(demo)
    model, where = data["start"]
    assert (data["models"][model], data["sets"][where]["label"]) == ("R1-RE RL", "out-of-domain")
    groups = {s["label"]: s["group"] for s in data["sets"]}
    assert groups["in-domain"] == groups["out-of-domain"] == ""
    assert groups["wrong guideline"] == "edited guideline"


def test_records_without_text_give_rows_without_text(tmp_path: Path, run: Path) -> None:
    bare = [
        r.model_copy(update={"text": None, "entities": None, "completion": None})
        for r in read_records(run / "records" / "trained.test.jsonl")
    ]
    write_jsonl(tmp_path / "records" / "trained.test.jsonl", bare)
    data = _data(tmp_path)
    assert data["texts"] == []
    assert {(item[4], item[5]) for item in data["items"]} == {(None, None)}
    assert {row[6] for row in data["rows"]} == {None}
    # The guideline is one of our library, so the clauses are known all the same.
    assert any(row[7] for row in data["rows"])


def test_records_of_a_baseline_join_the_documents_of_the_others(tmp_path: Path, run: Path) -> None:
    full = read_records(run / "records" / "trained.test.jsonl")
    bare = [r.model_copy(update={"text": None, "entities": None, "completion": None, "guideline": None}) for r in full]
    write_jsonl(tmp_path / "records" / "bag_of_words.test.jsonl", bare)
    write_jsonl(tmp_path / "records" / "trained.test.jsonl", full)
    data = _data(tmp_path)
    assert len(data["items"]) == 200
    assert {item[4] for item in data["items"]} == set(range(200))
    assert sorted(data["models"]) == ["bag of words", "trained"]


def test_only_the_last_rollouts_are_shown_and_the_page_says_so(tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = [record(rng, i % 7, i % 4, 0.5, schema=ROLLOUT_SCHEMA, step=i // 28) for i in range(1500)]
    write_jsonl(tmp_path / "records" / "rollouts.jsonl", rows)
    data = _data(tmp_path)
    assert len(data["rows"]) == 1000
    assert data["notes"] == ["rollouts: the last 1,000 of 1,500 rollouts"]
    assert data["items"][data["rows"][-1][0]][0] == f"step {1499 // 28} · w-{1499 % 7} · sample {1499 % 4}"


def test_texts_of_any_length_are_cut(tmp_path: Path, run: Path) -> None:
    long = read_records(run / "records" / "trained.test.jsonl")[0]
    long = long.model_copy(update={"text": "x" * 100_000, "completion": "y" * 100_000})
    write_jsonl(tmp_path / "records" / "trained.test.jsonl", [long])
    data = _data(tmp_path)
    assert data["texts"][0].endswith("x … [80,000 more characters]")
    assert data["rows"][0][6].endswith("y … [92,000 more characters]")


def test_an_evaluation_folder_is_a_run(tmp_path: Path, run: Path) -> None:
    (tmp_path / "evaluation.json").write_text(json.dumps({"model": "tiny"}), encoding="utf-8")
    for split in ("id", "ood"):
        write_jsonl(tmp_path / f"world.{split}.jsonl", read_records(run / "records" / "trained.test.jsonl")[:9])
    keep_guidelines(tmp_path, [load_from_library("semeval2010")])
    data = _data(tmp_path)
    assert data["models"] == ["tiny"]
    assert [s["label"] for s in data["sets"]] == ["world, in-domain", "world, out-of-domain"]
    assert data["start"] == [0, 1]
    page = render_report(Run(tmp_path))
    assert "world, in-domain" in page
    assert "world, out-of-domain" in page


def test_a_run_without_records_has_no_documents(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "metrics.jsonl", [{"step": 1, "loss": 2.0}])
    assert explorer_data(Run(tmp_path)) is None
    assert 'id="records"' not in render_report(Run(tmp_path))


def test_a_broken_file_of_guidelines_is_named(tmp_path: Path, run: Path) -> None:
    write_jsonl(tmp_path / "records" / "trained.test.jsonl", read_records(run / "records" / "trained.test.jsonl")[:1])
    (tmp_path / "guidelines.json").write_text('{"abc": {"title": 1}}', encoding="utf-8")
    with pytest.raises(GuidelineError, match=r"guidelines\.json: abc\.title: "):
        explorer_data(Run(tmp_path))
