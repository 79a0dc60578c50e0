from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bythebook.annotation import annotate, annotate_file
from bythebook.errors import DataError, GuidelineError, InputError, ModelError
from bythebook.generation import Model, ModelSettings, Progress, Sampling
from bythebook.guidelines import load_guideline
from bythebook.readers.documents import read_documents
from bythebook.types import Completion, FinishReason, Guideline


class Scripted:
    """A model whose answers the test writes; remembers what it was asked."""

    prefilled = False
    settings = ModelSettings(max_new_tokens=33)

    def __init__(
        self,
        answer: Callable[[str, int], str | Completion],
        fail_after: int | None = None,
        known: str | None = None,
        name: str = "scripted",
    ) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.samplings: list[Sampling] = []
        self.fail_after = fail_after
        self.known = None if known is None else frozenset(known.split())
        self.name = name

    def generate(
        self, prompts: Sequence[list[dict[str, str]]], sampling: Sampling, progress: Progress | None = None
    ) -> list[list[Completion]]:
        if self.fail_after is not None and len(self.samplings) >= self.fail_after:
            raise KeyboardInterrupt
        self.samplings.append(sampling)
        out = []
        for (message,) in prompts:
            sentence = message["content"].rsplit("# Sentence", 1)[-1].strip()
            self.asked.append(sentence)
            drawn = [self.answer(sentence, i) for i in range(sampling.n)]
            out.append([c if isinstance(c, Completion) else Completion(text=c) for c in drawn])
        return out

    def unknown_words(self, texts: Sequence[str]) -> tuple[str, ...]:
        if self.known is None:
            return ()
        words = dict.fromkeys(w.strip(".,;") for text in texts for w in text.split())
        return tuple(w for w in words if w not in self.known)


def tagged(label: str, thinking: str = "why") -> str:
    return f"<think>{thinking}</think><answer>{label}</answer>"


def always(label: str) -> Callable[[str, int], str]:
    return lambda sentence, number: tagged(label)


def by_pair(sentence: str, number: int) -> str:
    """Knows the fixture's documents by what is marked."""
    if "<e1>Ann</e1>" in sentence and "<e2>press</e2>" in sentence:
        return tagged("Operates(e1,e2)", "a person")
    if "<e1>press</e1>" in sentence:
        return tagged("Feeds(e2,e1)", "a device")
    return tagged("none")


@pytest.fixture(scope="module")
def folder(fixtures: Path) -> Path:
    return fixtures / "machines"


@pytest.fixture(scope="module")
def guideline(folder: Path) -> Guideline:
    return load_guideline(folder / "guideline.md")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


MARKED = "The <e1>pump</e1> feeds the <e2>boiler</e2>."


# ------------------------------------------------------------------------------------------------------ one prediction


def test_marked_sentence_becomes_one_grounded_prediction(guideline: Guideline) -> None:
    model = Scripted(always("Feeds(e2,e1)"))
    (row,) = annotate([MARKED], guideline, model=model)
    assert row == {
        "schema": "bythebook.prediction/1",
        "id": "1",
        "text": "The pump feeds the boiler.",
        "domain": None,
        "entities": [
            {"id": "e1", "start": 4, "end": 8, "text": "pump"},
            {"id": "e2", "start": 19, "end": 25, "text": "boiler"},
        ],
        "relations": [{"head": "e2", "tail": "e1", "type": "Feeds"}],
        "answers": [
            {
                "e1": "e1",
                "e2": "e2",
                "answer": "Feeds(e2,e1)",
                "status": "ok",
                "thinking": "why",
                "completion": tagged("Feeds(e2,e1)"),
                "finish_reason": "stop",
                "errors": [],
            }
        ],
        "answer": "Feeds(e2,e1)",
        "thinking": "why",
        "completion": tagged("Feeds(e2,e1)"),
        "status": "ok",
        "finish_reason": "stop",
        "errors": [],
        "guideline": {"name": "Machines", "hash": guideline.hash},
        "model": "scripted",
        "warnings": [],
    }
    assert model.asked == [MARKED]
    assert [(s.temperature, s.n, s.max_new_tokens) for s in model.samplings] == [(0.0, 1, 33)]


def test_pairs_of_a_document_are_merged_into_one_prediction(folder: Path, guideline: Guideline) -> None:
    documents = read_documents(folder / "documents.jsonl")
    model = Scripted(by_pair)
    first, second, third = annotate(documents, guideline, model=model)
    assert model.asked[:3] == [
        "<e1>Ann</e1> runs the press; the <e2>press</e2> feeds a furnace.",
        "<e1>Ann</e1> runs the press; the press feeds a <e2>furnace</e2>.",
        "Ann runs the press; the <e1>press</e1> feeds a <e2>furnace</e2>.",
    ]
    assert first["relations"] == [
        {"head": "t1", "tail": "t2", "type": "Operates"},
        {"head": "t3", "tail": "t2", "type": "Feeds"},
    ]
    assert [(a["e1"], a["e2"], a["answer"]) for a in first["answers"]] == [
        ("t1", "t2", "Operates(e1,e2)"),
        ("t1", "t3", "none"),
        ("t2", "t3", "Feeds(e2,e1)"),
    ]
    assert [first[key] for key in ("answer", "thinking", "completion")] == [None, None, None]
    assert [e["text"] for e in first["entities"]] == ["furnace", "Ann", "press"]
    assert (second["relations"], second["answer"], second["domain"]) == ([], "none", "joinery")
    assert len(third["answers"]) == 1
    assert [row["status"] for row in (first, second, third)] == ["ok"] * 3


def test_dict_as_on_disk_and_a_document_without_pairs(guideline: Guideline) -> None:
    row = {"id": "d", "text": "x", "entities": [{"id": "only", "start": 0, "end": 1}]}
    model = Scripted(always("none"))
    (found,) = annotate([row], guideline, model=model)
    assert (found["relations"], found["answers"], found["status"], found["id"]) == ([], [], "ok", "d")
    assert model.asked == []


def test_same_id_twice_does_not_mix_the_texts(guideline: Guideline) -> None:
    rows = [{"id": "1", "text": MARKED}, {"id": "1", "text": "<e1>a</e1> <e2>b</e2>"}]
    found = annotate(rows, guideline, model=Scripted(lambda s, n: tagged("Feeds(e1,e2)" if "pump" in s else "none")))
    assert [(row["answer"], len(row["answers"])) for row in found] == [("Feeds(e1,e2)", 1), ("none", 1)]


@pytest.mark.parametrize(
    ("completion", "answer", "status"),
    [
        ("<answer>Feeds(e1,e2)</answer>", "Feeds(e1,e2)", "ok"),
        (tagged("Eats(e1,e2)"), None, "malformed"),
        (tagged("Feeds"), None, "malformed"),
        ("no idea", None, "no_answer"),
        ("", None, "no_answer"),
        (tagged("Feeds(e1,e2)") + "<answer>none</answer>", None, "malformed"),
        (Completion(text="<think>and so on", finish_reason="length"), None, "truncated"),
        (Completion(text="", finish_reason="error", tokens=0), None, "unscored"),
    ],
)
def test_status_says_why_there_is_no_answer(
    completion: str | Completion, answer: str | None, status: str, guideline: Guideline
) -> None:
    (row,) = annotate([MARKED], guideline, model=Scripted(lambda s, n: completion))
    assert (row["answer"], row["status"]) == (answer, status)
    assert bool(row["relations"]) == (answer is not None)
    assert row["errors"] or status == "ok"
    expected: FinishReason = completion.finish_reason if isinstance(completion, Completion) else "stop"
    assert row["finish_reason"] == expected


def test_samples_vote_and_give_a_probability(guideline: Guideline) -> None:
    votes = ["none", "Beside(e2,e1)", "Eats(e1,e2)", "Beside(e1,e2)"]
    model = Scripted(lambda s, n: tagged(votes[n], str(n)))
    (row,) = annotate([MARKED], guideline, model=model, samples=4)
    assert row["relations"] == [{"head": "e1", "tail": "e2", "type": "Beside", "p": 0.5}]
    assert (row["thinking"], row["answers"][0]["p"]) == ("1", 0.5)
    assert [(s.temperature, s.n) for s in model.samplings] == [(1.0, 4)]


def test_samples_without_any_answer_have_no_probability(guideline: Guideline) -> None:
    (row,) = annotate([MARKED], guideline, model=Scripted(lambda s, n: "?"), samples=3)
    assert "p" not in row["answers"][0]
    assert row["status"] == "no_answer"


def test_prefilled_thinking_is_read(guideline: Guideline) -> None:
    model = Scripted(lambda s, n: "because</think><answer>none</answer>")
    model.prefilled = True
    (row,) = annotate([MARKED], guideline, model=model)
    assert (row["thinking"], row["errors"]) == ("because", [])


def test_words_outside_a_closed_vocabulary_get_a_warning_beside_their_annotation(guideline: Guideline) -> None:
    texts = [MARKED, "The <e1>pancake</e1> feeds the <e2>boiler</e2>."]
    model = Scripted(always("none"), known="The pump feeds the boiler", name="embedded")
    plain, odd = annotate(texts, guideline, model=model)
    assert plain["warnings"] == []
    assert odd["warnings"] == [
        "the embedded model never saw 'pancake'; its answer is a guess: use a hub model, --model …"
    ]


# ---------------------------------------------------------------------------------------------------- mistakes of users


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([MARKED, "<e1>a</e1>"], "text 2: the marks must be"),
        ([{"text": "x", "entities": [{"id": "a", "start": 0, "end": 9}]}], "text 1: entity 'a'"),
        ([5], "text 1 is a int"),
        (MARKED, "one text where a list of texts belongs"),
    ],
)
def test_text_that_cannot_be_annotated_is_a_data_error(texts: Any, message: str, guideline: Guideline) -> None:
    with pytest.raises(DataError, match=message):
        annotate(texts, guideline, model=Scripted(always("none")))


def test_guideline_and_model_that_are_not_there(guideline: Guideline) -> None:
    with pytest.raises(GuidelineError):
        annotate([MARKED], "no/such/guideline.md", model=Scripted(always("none")))
    with pytest.raises(ModelError):
        annotate([MARKED], guideline, model="./no/such/model")


# ---------------------------------------------------------------------------------------------------------------- files


def many(path: Path, count: int) -> Path:
    rows = [{"id": f"r{i}", "text": f"Pump {i}: <e1>a</e1> and <e2>b</e2>"} for i in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_file_is_annotated_once_and_kept(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "deep" / "out.jsonl"
    inputs = [folder / "sentences.jsonl", folder / "documents.jsonl"]
    found = annotate_file(inputs, output, folder / "guideline.md", Scripted(always("none")))
    assert found == {
        "written": 10,
        "kept": 0,
        "failed": 0,
        "partial": 0,
        "output": str(output),
        "errors": None,
        "warnings": [],
    }
    rows = lines(output)
    assert [row["id"] for row in rows] == ["s1", "s2", "s3", "s4", "s5", "sentences-7", "7", "d1", "d2", "d3"]
    assert rows[3]["text"] == "Zoë runs the kiln"
    silent = Scripted(always("none"))
    again = annotate_file(inputs, output, folder / "guideline.md", silent)
    assert (again["written"], again["kept"]) == (0, 10)
    assert silent.asked == []
    assert lines(output) == rows


def test_predictions_can_be_read_as_documents_again(folder: Path, guideline: Guideline, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    annotate_file(folder / "documents.jsonl", output, guideline, Scripted(by_pair))
    first = read_documents(output, guideline)[0]
    assert [(r.head, r.tail, r.type) for r in first.relations or ()] == [
        ("t1", "t2", "Operates"),
        ("t3", "t2", "Feeds"),
    ]


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_interrupted_run_goes_on_without_loss_or_repetition(
    chunks: int, guideline: Guideline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bythebook.annotation._CHUNK", 4)
    source, output = many(tmp_path / "in.jsonl", 15), tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        annotate_file(source, output, guideline, Scripted(always("none"), fail_after=chunks))
    assert len(lines(output)) == 4 * chunks
    model = Scripted(always("none"))
    found = annotate_file(source, output, guideline, model)
    assert (found["kept"], found["written"], len(model.asked)) == (4 * chunks, 15 - 4 * chunks, 15 - 4 * chunks)
    assert [row["id"] for row in lines(output)] == [f"r{i}" for i in range(15)]


def test_every_cut_of_the_output_is_mended(guideline: Guideline, tmp_path: Path) -> None:
    source, output = many(tmp_path / "in.jsonl", 3), tmp_path / "out.jsonl"
    annotate_file(source, output, guideline, Scripted(always("none")))
    data = output.read_bytes()
    for cut in range(0, len(data), 61):
        output.write_bytes(data[:cut])
        annotate_file(source, output, guideline, Scripted(always("none")))
        assert output.read_bytes() == data


def test_rows_that_cannot_be_annotated_are_listed_anew_by_each_run(guideline: Guideline, tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    good = {"id": "good", "text": MARKED}
    mute = {"id": "mute", "text": "<e1>a</e1> <e2>b</e2>"}
    source.write_text("\n".join([json.dumps(good), "{", '{"id": "raw", "text": " "}', json.dumps(mute)]))
    errors = tmp_path / "out.jsonl.errors.jsonl"

    def answer(sentence: str, number: int) -> str:
        return tagged("none") if "pump" in sentence else "no idea"

    for run in (1, 2):
        model = Scripted(answer)
        found = annotate_file(source, output, guideline, model)
        assert (found["failed"], found["errors"]) == (3, str(errors))
        assert len(model.asked) == (2 if run == 1 else 0)
        listed = lines(errors)
        assert Counter((row.get("line"), row.get("id"), row.get("status")) for row in listed) == Counter(
            [(2, None, None), (3, None, None), (None, "mute", "no_answer")]
        )
        assert [row["id"] for row in lines(output)] == ["good", "mute"]
    source.write_text(json.dumps(good))
    output.unlink()
    assert annotate_file(source, output, guideline, Scripted(answer))["errors"] is None
    assert not errors.exists()


def test_document_with_an_answer_for_some_pairs_is_partial_and_no_failure(
    folder: Path, guideline: Guideline, tmp_path: Path
) -> None:
    model = Scripted(lambda s, n: tagged("Feeds(e1,e2)") if "<e1>press</e1>" in s else "?")
    found = annotate_file(folder / "documents.jsonl", tmp_path / "out.jsonl", guideline, model)
    assert (found["written"], found["partial"], found["failed"]) == (3, 1, 2)
    first = lines(tmp_path / "out.jsonl")[0]
    assert (first["status"], first["relations"]) == ("no_answer", [{"head": "t2", "tail": "t3", "type": "Feeds"}])


def test_file_without_one_sound_row_is_a_data_error_and_writes_nothing(guideline: Guideline, tmp_path: Path) -> None:
    source = tmp_path / "raw.txt"
    source.write_text("<e1>Marked</e1> once.\nMore of <e2>it.\n")
    with pytest.raises(DataError, match=r"raw\.txt:1: the marks"):
        annotate_file(source, tmp_path / "out.jsonl", guideline, Scripted(always("none")))
    assert [p.name for p in tmp_path.iterdir()] == ["raw.txt"]


def test_empty_input_gives_an_empty_output(guideline: Guideline, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("")
    found = annotate_file(tmp_path / "in.jsonl", tmp_path / "out.jsonl", guideline, "./no/model/is/needed")
    assert (found["written"], found["failed"]) == (0, 0)
    assert (tmp_path / "out.jsonl").read_text() == ""


def test_same_id_in_two_files_is_listed(guideline: Guideline, tmp_path: Path) -> None:
    sources = [many(tmp_path / name, 2) for name in ("a.jsonl", "b.jsonl")]
    found = annotate_file(sources, tmp_path / "out.jsonl", guideline, Scripted(always("none")))
    assert (found["written"], found["failed"]) == (2, 2)
    assert all("another file already" in row["message"] for row in lines(tmp_path / "out.jsonl.errors.jsonl"))


def test_output_of_something_else_is_left_alone(guideline: Guideline, tmp_path: Path) -> None:
    source, output = many(tmp_path / "in.jsonl", 2), tmp_path / "out.jsonl"
    annotate_file(source, output, guideline, Scripted(always("none")))
    before = output.read_bytes()
    newer = Guideline.model_validate({**guideline.model_dump(), "version": "2"})
    with pytest.raises(InputError, match=r"out\.jsonl:1: holds predictions under another guideline \(Machines\)"):
        annotate_file(source, output, newer, Scripted(always("none")))
    with pytest.raises(InputError, match="predictions of another model"):
        annotate_file(source, output, guideline, Scripted(always("none"), name="other"))
    assert output.read_bytes() == before
    with pytest.raises(InputError, match=r"in\.jsonl:1: holds something else than predictions"):
        annotate_file(source, source, guideline, Scripted(always("none")))
    changed = source.read_text().replace("Pump 1", "Pump one")
    source.write_text(changed)
    with pytest.raises(InputError, match="another text under the id 'r1'"):
        annotate_file(source, output, guideline, Scripted(always("none")))
    output.write_bytes(before + before)
    with pytest.raises(InputError, match=":3: holds"):
        annotate_file(many(source, 2), output, guideline, Scripted(always("none")))


def test_output_that_cannot_be_written_is_told_before_any_work(guideline: Guideline, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    model = Scripted(always("none"))
    with pytest.raises(InputError, match="can't be written"):
        annotate_file(many(tmp_path / "in.jsonl", 1), tmp_path / "file" / "out.jsonl", guideline, model)
    assert model.asked == []


def test_warnings_of_guideline_and_texts_are_gathered_and_said(
    guideline: Guideline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = "Pump 0: 1: a and b one supplies the other with person runs two stand next to each nothing above holds"
    model = Scripted(always("none"), known=known)
    source = many(tmp_path / "in.jsonl", 3)
    found = annotate_file(source, tmp_path / "out.jsonl", guideline, model, progress=True)
    assert found["warnings"] == [
        "in the guideline: the model never saw 'material', 'device'; its answer is a guess: use a hub model, --model …",
        "the model never saw '2:'; its answer is a guess: use a hub model, --model …",
    ]
    said = capsys.readouterr()
    assert said.out == ""
    assert "annotated 3/3" in said.err
    assert "never saw 'material'" in said.err


def test_scripted_model_is_a_model() -> None:
    assert isinstance(Scripted(always("none")), Model)
