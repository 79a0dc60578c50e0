from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError, InputError
from bythebook.evaluation import evaluate, evaluate_examples, scores, scores_by_domain
from bythebook.generation import Model, ModelSettings, Progress, Sampling
from bythebook.guidelines import load_guideline
from bythebook.prompts import PromptStyle
from bythebook.records import Record, read_records
from bythebook.tasks.documents import load
from bythebook.types import Completion, Example, Guideline

Answerer = Callable[[str, Sampling, int], str]
"""(prompt, sampling, number of the sample) → completion."""


class Scripted:
    """A model whose answers the test writes; remembers what it was asked."""

    name = "scripted"
    prefilled = False
    settings = ModelSettings()

    def __init__(self, answer: Answerer, fail_after: int | None = None) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Sampling]] = []
        self.calls = 0
        self.fail_after = fail_after

    def generate(
        self, prompts: Sequence[list[dict[str, str]]], sampling: Sampling, progress: Progress | None = None
    ) -> list[list[Completion]]:
        if self.fail_after is not None and self.calls >= self.fail_after:
            raise KeyboardInterrupt
        self.calls += 1
        out = []
        for (message,) in prompts:
            text = message["content"]
            self.asked.append((text, sampling))
            out.append([Completion(text=self.answer(text, sampling, i), tokens=5) for i in range(sampling.n)])
        return out

    def unknown_words(self, texts: Sequence[str]) -> tuple[str, ...]:
        return ()


def tagged(label: str) -> str:
    return f"<think>why</think><answer>{label}</answer>"


def right(prompt: str, sampling: Sampling, number: int) -> str:
    """Knows the fixture by its verbs."""
    sentence = prompt.rsplit("# Sentence", 1)[-1]
    for mark, label in (
        ("is fed by", "Feeds(e2,e1)"),
        ("feeds", "Feeds(e1,e2)"),
        ("hums", "none"),
        ("runs", "Operates(e1,e2)"),
        ("stands by", "Beside(e2,e1)"),
    ):
        if mark in sentence:
            return tagged(label)
    return tagged("Feeds(e1,e2)")


def changed(guideline: Guideline, **fields: Any) -> Guideline:
    return Guideline.model_validate({**guideline.model_dump(), **fields})


@pytest.fixture(scope="module")
def folder(fixtures: Path) -> Path:
    return fixtures / "machines"


@pytest.fixture(scope="module")
def examples(folder: Path) -> list[Example]:
    return load(folder / "sentences.jsonl", guideline=folder / "guideline.md")["test"]


def ask(model: Model, examples: Sequence[Example], **options: Any) -> list[Record]:
    sampling = options.pop("sampling", Sampling(max_new_tokens=20))
    return evaluate_examples(model, examples, style=PromptStyle(), sampling=sampling, **options)


def test_greedy_and_samples_of_every_example_in_order(examples: list[Example]) -> None:
    model = Scripted(right)
    records = ask(model, examples, samples=3)
    assert [(r.id, r.sample) for r in records] == [(e.id, n) for e in examples for n in (-1, 0, 1, 2)]
    assert Counter((s.temperature, s.n) for _, s in model.asked) == {(0.0, 1): 7, (1.0, 3): 7}
    assert [r.correct for r in records if r.sample == -1] == [True] * 6 + [None]
    labelled, unlabelled = records[0], records[-1]
    assert (labelled.gold, labelled.answer, labelled.value, labelled.status) == (
        "Feeds(e1,e2)",
        "Feeds(e1,e2)",
        3.0,
        "ok",
    )
    assert (unlabelled.gold, unlabelled.value, unlabelled.status) == (None, None, "unscored")
    assert labelled.tags["document"] == "s1"
    assert labelled.guideline == examples[0].guideline.hash


def test_symmetric_relation_is_right_in_either_direction(examples: list[Example]) -> None:
    for direction in ("(e1,e2)", "(e2,e1)"):
        (record,) = ask(Scripted(lambda p, s, n, d=direction: tagged("Beside" + d)), [examples[4]], samples=0)  # type: ignore[misc]
        assert (record.correct, record.answer) == (True, "Beside(e1,e2)")


def test_answer_without_reasoning_counts_in_accuracy_and_not_in_the_format_rate(examples: list[Example]) -> None:
    records = ask(Scripted(lambda p, s, n: "<answer>Feeds(e1,e2)</answer>"), examples[:1])
    found = scores(records)
    assert (found["greedy"], found["avg_at_k"], found["format_rate"]) == (1.0, 1.0, 0.0)
    assert {r.status for r in records} == {"malformed"}


def test_two_answers_are_no_answer(examples: list[Example]) -> None:
    twice = "<think>x</think><answer>Feeds(e1,e2)</answer><answer>Feeds(e1,e2)</answer>"
    (record,) = ask(Scripted(lambda p, s, n: twice), examples[:1], samples=0)
    assert (record.answer, record.correct) == (None, False)


def test_template_that_opens_thinking_is_taken_into_account(examples: list[Example]) -> None:
    model = Scripted(lambda p, s, n: "why</think><answer>Feeds(e1,e2)</answer>")
    (record,) = ask(model, examples[:1], samples=0)
    assert not record.well_formed
    model.prefilled = True
    (record,) = ask(model, examples[:1], samples=0)
    assert record.well_formed
    assert record.value == 3.0


def test_another_guideline_is_shown_and_the_gold_stays(examples: list[Example], folder: Path) -> None:
    other = changed(load_guideline(folder / "guideline.md"), title="Orchids", no_relation="zilch")
    model = Scripted(lambda p, s, n: tagged("zilch"))
    records = ask(model, examples[:3], samples=0, guideline_of=lambda e: other)
    assert all("Orchids" in text for text, _ in model.asked)
    assert {r.guideline for r in records} == {other.hash}
    assert [r.gold for r in records] == ["Feeds(e1,e2)", "Feeds(e2,e1)", "none"]
    assert [(r.answer, r.correct, r.well_formed) for r in records] == [("zilch", False, True)] * 3


def test_text_of_licensed_data_is_not_kept(examples: list[Example]) -> None:
    records = ask(Scripted(right), examples, keep_text=False)
    assert {(r.completion, r.text, r.entities) for r in records} == {(None, None, None)}


def test_records_hold_the_text_and_the_mentions_asked_about(examples: list[Example]) -> None:
    for example, record in zip(examples, ask(Scripted(right), examples, samples=0), strict=True):
        assert record.text == example.text
        assert record.entities is not None
        spans = {m.id: (m.start, m.end) for m in record.entities}
        assert spans == {e.id: (e.span.start, e.span.end) for e in example.entities}


def test_no_examples_no_records(examples: list[Example]) -> None:
    assert ask(Scripted(right), []) == []


def test_id_given_twice_and_samples_at_temperature_zero_are_refused(examples: list[Example]) -> None:
    with pytest.raises(DataError, match="two examples have the id 's1'"):
        ask(Scripted(right), [examples[0], examples[1], examples[0]])
    with pytest.raises(InputError, match="temperature 0"):
        ask(Scripted(right), examples, sampling=Sampling(temperature=0), samples=1)


# -------------------------------------------------------------------------------------------------------------- resume


def test_finished_run_is_not_asked_again(examples: list[Example], tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    first = ask(Scripted(right), examples, resume_path=file)
    written = file.read_bytes()
    silent = Scripted(right)
    assert ask(silent, examples, resume_path=file) == first
    assert silent.asked == []
    assert file.read_bytes() == written


@pytest.mark.parametrize("done", [1, 2, 3])
def test_interrupted_run_goes_on_without_loss_or_repetition(
    done: int, examples: list[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bythebook.evaluation.asking._CHUNK", 2)
    file = tmp_path / "records.jsonl"
    with pytest.raises(KeyboardInterrupt):
        ask(Scripted(right, fail_after=done), examples, resume_path=file)
    kept = read_records(file)
    assert len(kept) == {1: 2, 2: 10, 3: 12}[done]
    model = Scripted(right)
    records = ask(model, examples, resume_path=file)
    assert records == ask(Scripted(right), examples)
    assert Counter((r.id, r.sample) for r in read_records(file)) == Counter((r.id, r.sample) for r in records)
    assert len(model.asked) == 14 - {1: 2, 2: 4, 3: 6}[done]


def test_every_cut_of_the_file_is_mended(examples: list[Example], tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    whole = ask(Scripted(right), examples[:2], samples=1, resume_path=file)
    data = file.read_bytes()
    for cut in range(0, len(data), 37):
        file.write_bytes(data[:cut])
        assert ask(Scripted(right), examples[:2], samples=1, resume_path=file) == whole
        assert sorted(r.to_line() for r in read_records(file)) == sorted(r.to_line() for r in whole)


def test_more_samples_keep_the_ones_there_are(examples: list[Example], tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    few = ask(Scripted(right), examples, samples=2, resume_path=file)
    more = ask(Scripted(lambda p, s, n: tagged("Feeds(e1,e2)")), examples, samples=4, resume_path=file)
    assert [r for r in more if r.sample < 2] == few
    assert Counter(r.sample for r in read_records(file)) == dict.fromkeys((-1, 0, 1, 2, 3), 7)


def test_records_under_another_guideline_are_not_taken_for_these(
    examples: list[Example], folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "records.jsonl"
    other = changed(load_guideline(folder / "guideline.md"), version="2")
    ask(Scripted(right), examples, samples=0, resume_path=file, guideline_of=lambda e: other)
    model = Scripted(right)
    records = ask(model, examples, samples=0, resume_path=file)
    assert len(model.asked) == 7
    assert {r.guideline for r in records} == {examples[0].guideline.hash}
    assert len(read_records(file)) == 14


# -------------------------------------------------------------------------------------------------------------- scores


def record(name: str, sample: int, answer: str | None, gold: str | None = "A(e1,e2)", **more: Any) -> Record:
    return Record(
        schema="bythebook.prediction/1",
        id=name,
        domain=more.pop("domain", "d"),
        sample=sample,
        gold=gold,
        answer=answer,
        correct=None if gold is None else answer == gold,
        well_formed=more.pop("well_formed", True),
        status="unscored",
        **more,
    )


def test_scores_by_hand() -> None:
    rows = [
        record("x", -1, "A(e1,e2)", tokens=100),
        *(record("x", i, a, tokens=t) for i, (a, t) in enumerate([("A(e1,e2)", 2), ("B", 4), (None, 6), ("B", 8)])),
        record("y", -1, "B", well_formed=False),
        *(record("y", i, "A(e1,e2)", well_formed=i > 0, finish_reason="length") for i in range(4)),
    ]
    assert scores(rows) == {
        "n": 2,
        "k": 4,
        "greedy": 0.5,
        "avg_at_k": 5 / 8,
        "maj_at_k": 0.5,
        "pass_at_k": 1.0,
        "format_rate": 7 / 8,
        "no_answer_rate": 1 / 8,
        "truncated_rate": 0.5,
        "tokens": 5.0,
        "unscored": 0,
    }


def test_scores_of_greedy_records_alone_and_of_none() -> None:
    greedy = scores([record("x", -1, "A(e1,e2)", tokens=3), record("y", -1, None, tokens=5)])
    assert (greedy["greedy"], greedy["no_answer_rate"], greedy["tokens"], greedy["k"]) == (0.5, 0.5, 4.0, 0)
    assert [greedy[key] for key in ("avg_at_k", "maj_at_k", "pass_at_k")] == [None] * 3
    nothing = scores([])
    assert {key for key, value in nothing.items() if value is not None} == {"n", "k", "unscored"}


def test_unlabelled_examples_count_in_the_rates_only() -> None:
    rows = [record("x", 0, "A(e1,e2)"), record("u", 0, None, gold=None, well_formed=False)]
    found = scores(rows)
    assert (found["n"], found["avg_at_k"], found["format_rate"], found["no_answer_rate"]) == (2, 1.0, 0.5, 0.5)


def test_scores_of_each_domain() -> None:
    rows = [record("x", -1, "A(e1,e2)", domain="p"), record("y", -1, "B", domain="q")]
    assert {d: s["greedy"] for d, s in scores_by_domain(rows).items()} == {"p": 1.0, "q": 0.0}


# ------------------------------------------------------------------------------------------------------------ evaluate


def test_split_with_its_domains_and_resumable_records(folder: Path, tmp_path: Path) -> None:
    def run(model: Model, **more: Any) -> dict[str, Any]:
        return evaluate(
            model,
            "documents",
            path=folder / "sentences.jsonl",
            guideline=folder / "guideline.md",
            output=tmp_path / "out",
            **more,
        )

    found = run(Scripted(right))
    assert set(found) == {"documents/test"}
    assert (found["documents/test"]["n"], found["documents/test"]["avg_at_k"]) == (7, 1.0)
    assert {d: s["n"] for d, s in found["documents/test"]["domains"].items()} == {"workshop": 6, "pottery": 1}
    assert len(read_records(tmp_path / "out" / "documents.test.jsonl")) == 7 * 5
    silent = Scripted(right)
    assert run(silent) == found
    assert silent.asked == []
    for change in ({"seed": 1}, {"max_new_tokens": 3}, {"temperature": 0.5}):
        with pytest.raises(InputError, match="another setting of: sampling"):
            run(Scripted(right), **change)
    other = Scripted(right)
    other.name = "other"
    with pytest.raises(InputError, match="another setting of: model"):
        run(other)


def test_limit_split_and_what_is_unknown(folder: Path) -> None:
    options: dict[str, Any] = {"path": folder, "guideline": folder / "guideline.md", "samples": 0}
    model = Scripted(right)
    assert set(evaluate(model, "documents", limit=2, **options)) == {"documents/documents", "documents/sentences"}
    assert len(model.asked) == 4
    assert set(evaluate(model, "documents", split="sentences", **options)) == {"documents/sentences"}
    with pytest.raises(InputError, match=r"no split 'dev' here.*documents, sentences"):
        evaluate(model, "documents", split="dev", **options)
    with pytest.raises(InputError, match="no task 'document'"):
        evaluate(model, "document", **options)
    with pytest.raises(InputError, match="temperature"):
        evaluate(model, "documents", temperature=-1, **options)
    with pytest.raises(InputError, match="no option 'colour'"):
        evaluate(model, "documents", colour="red", **options)


def test_in_domain_and_out_of_domain_stand_side_by_side() -> None:
    model = Scripted(lambda p, s, n: tagged("Other"))
    found = evaluate(model, "world", samples=0, id=6, ood=10, train=0)
    assert found["id"]["n"] == 6
    assert found["ood"]["n"] == 10
    assert set(found) == {"world/id", "world/ood", "id", "ood"}


def test_output_that_cannot_be_written_is_told_before_any_work(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    model = Scripted(right)
    with pytest.raises(InputError, match=r"can't be written|can't be read"):
        evaluate(
            model,
            "documents",
            path=folder / "sentences.jsonl",
            guideline=folder / "guideline.md",
            output=tmp_path / "file" / "out",
        )
    assert model.asked == []


def test_retrained_checkpoint_at_the_same_path_is_another_model(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "model"
    checkpoint.mkdir()
    (checkpoint / "model.safetensors").write_bytes(b"before")
    monkeypatch.setattr("bythebook.evaluation.run.load_model", lambda name: Scripted(right))
    options: dict[str, Any] = {
        "path": folder / "sentences.jsonl",
        "guideline": folder / "guideline.md",
        "samples": 0,
        "output": tmp_path / "out",
    }
    evaluate(checkpoint, "documents", **options)
    evaluate(checkpoint, "documents", **options)
    (checkpoint / "model.safetensors").write_bytes(b"and after")
    with pytest.raises(InputError, match="another setting of: weights"):
        evaluate(checkpoint, "documents", **options)
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["model"] == "scripted"


def test_scripted_model_is_a_model(examples: list[Example]) -> None:
    assert isinstance(Scripted(right), Model)
    assert isinstance(examples[0].guideline, Guideline)
