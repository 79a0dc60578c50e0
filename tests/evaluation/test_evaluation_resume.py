"""An evaluation that was killed goes on to the records of one that was not."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import InputError
from bythebook.evaluation import evaluate, evaluate_examples
from bythebook.generation import Model, ModelSettings, Progress, Sampling, load_model
from bythebook.records import Record, read_records
from bythebook.tasks.world import examples as world_examples
from bythebook.types import Completion, Example

SAMPLING = Sampling(temperature=1.0, max_new_tokens=24, seed=5, batch_size=4)


@pytest.fixture(scope="module")
def embedded() -> Model:
    return load_model("embedded")


@pytest.fixture
def ask(embedded: Model, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], list[Record]]:
    """Ask the embedded model about eight sentences, three at once: a greedy answer and two samples each."""
    monkeypatch.setattr("bythebook.evaluation.asking._CHUNK", 3)
    sentences = world_examples("id", 8, seed=1)

    def asked(file: Path) -> list[Record]:
        style = embedded.settings.style
        return evaluate_examples(embedded, sentences, style=style, sampling=SAMPLING, samples=2, resume_path=file)

    return asked


def test_a_kill_at_any_byte_changes_none(ask: Callable[[Path], list[Record]], tmp_path: Path) -> None:
    """A killed process leaves a beginning of the file, down to the middle of a line or of a character."""
    whole = ask(tmp_path / "whole.jsonl")
    assert len({r.completion for r in whole}) > 4  # the samples do differ
    data = (tmp_path / "whole.jsonl").read_bytes()
    for cut in [0, *random.Random(7).sample(range(1, len(data)), 9), len(data) - 1, len(data)]:
        file = tmp_path / f"{cut}.jsonl"
        file.write_bytes(data[:cut])
        assert ask(file) == whole
        assert file.read_bytes() == data, cut


def test_lost_lines_anywhere_are_made_again(ask: Callable[[Path], list[Record]], tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    whole = ask(file)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if random.Random(line).random() < 0.5]
    assert 0 < len(kept) < len(lines)
    file.write_text("".join(kept), encoding="utf-8")
    assert ask(file) == whole
    assert sorted(file.read_text(encoding="utf-8").splitlines(keepends=True)) == sorted(lines)


_SCRIPT = """
import os, signal, sys
from bythebook.evaluation import asking, evaluate
asking._CHUNK = 3
left = int(sys.argv[2])
append = asking.append_jsonl
def torn(path, rows):
    global left
    left -= 1
    if left == 0:
        lines = "".join(r.to_line() + "\\n" for r in rows)
        with open(path, "a", encoding="utf-8") as handle:
            handle.write(lines[: len(lines) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    append(path, rows)
asking.append_jsonl = torn
evaluate("embedded", "world", split="id", samples=2, max_new_tokens=24, output=sys.argv[1], id=8, ood=4, train=0)
"""


@pytest.mark.slow
def test_killed_processes_leave_nothing_to_lose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(output: Path, at: int) -> int:
        return subprocess.run([sys.executable, "-c", _SCRIPT, str(output), str(at)], env=dict(os.environ)).returncode

    assert run(tmp_path / "whole", 0) == 0
    assert [run(tmp_path / "killed", at) for at in (1, 2, 3)] == [-signal.SIGKILL] * 3
    assert run(tmp_path / "killed", 0) == 0
    for name in ("world.id.jsonl", "evaluation.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


# ------------------------------------------------------------------------------------- a model that asks one by one


class Separate:
    """Answers each prompt by itself; cannot answer the prompts that are in `ill`."""

    name, prefilled, settings, separate, chunk = "separate", False, ModelSettings(), True, 2

    def __init__(self, ill: Sequence[str] = (), error: str | None = "HTTP 500") -> None:
        self.ill, self.error = list(ill), error
        self.asked: list[tuple[str, int, int]] = []

    def generate(
        self, prompts: Sequence[list[dict[str, str]]], sampling: Sampling, progress: Progress | None = None
    ) -> list[list[Completion]]:
        out = []
        for (message,) in prompts:
            sentence = message["content"].rsplit("# Sentence", 1)[-1]
            self.asked.append((sentence, sampling.n, sampling.seed))
            done = Completion(text="<think>x</think><answer>none</answer>")
            if any(word in sentence for word in self.ill):
                done = Completion(text="", finish_reason="error", error=self.error)
            out.append([done] * sampling.n)
        return out

    def unknown_words(self, texts: Sequence[str]) -> tuple[str, ...]:
        return ()


@pytest.fixture
def given(fixtures: Path, tmp_path: Path) -> dict[str, Any]:
    """A task of seven sentences with an output folder, for `evaluate`; the files may be changed."""
    for name in ("sentences.jsonl", "guideline.md"):
        shutil.copy(fixtures / "machines" / name, tmp_path / name)
    files = {"path": tmp_path / "sentences.jsonl", "guideline": tmp_path / "guideline.md"}
    return {**files, "output": tmp_path / "out", "samples": 1, "max_new_tokens": 8}


def test_a_model_that_asks_one_by_one_is_asked_for_what_is_missing_only(given: dict[str, Any]) -> None:
    first = Separate(ill=["boiler"])
    found = evaluate(first, "documents", **given)
    assert found["documents/test"]["unscored"] == 4  # two sentences, greedy and one sample
    second = Separate()
    assert evaluate(second, "documents", **given)["documents/test"]["unscored"] == 0
    assert len(second.asked) == 4
    assert all("boiler" in sentence for sentence, _, _ in second.asked)
    assert set(second.asked) <= set(first.asked)  # with the same seed, wherever they stand now


def test_a_prompt_that_is_too_long_is_not_asked_again(given: dict[str, Any]) -> None:
    found = evaluate(Separate(ill=["boiler"], error=None), "documents", **given)
    again = Separate()
    assert evaluate(again, "documents", **given) == found
    assert again.asked == []


# --------------------------------------------------------------------------------------------- whose records these are


def _first_line(file: Path, **changes: str) -> None:
    first, *rest = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text(json.dumps({**json.loads(first), **changes}) + "\n" + "".join(rest), encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda given: _first_line(given["path"], text="The <e1>pump</e1> feeds the <e2>lathe</e2>."),
        lambda given: _first_line(given["path"], label="Feeds(e2,e1)"),
        lambda given: given["guideline"].write_text(
            given["guideline"].read_text(encoding="utf-8").replace("Version: 1", "Version: 2"), encoding="utf-8"
        ),
    ],
    ids=["text", "gold", "guideline"],
)
def test_records_of_other_examples_are_not_completed(
    change: Callable[[dict[str, Any]], None], given: dict[str, Any]
) -> None:
    evaluate(Separate(), "documents", **given)
    change(given)
    model = Separate()
    with pytest.raises(InputError, match=r"evaluation\.json: .*another setting of: examples of documents/test"):
        evaluate(model, "documents", **given)
    assert model.asked == []


@pytest.mark.parametrize(
    ("setting", "named"),
    [({"seed": 1}, "sampling"), ({"temperature": 0.5}, "sampling"), ({"max_new_tokens": 9}, "sampling")],
    ids=lambda x: next(iter(x)) if isinstance(x, dict) else None,
)
def test_records_of_other_settings_are_not_completed(
    setting: dict[str, Any], named: str, given: dict[str, Any]
) -> None:
    evaluate(Separate(), "documents", **given)
    with pytest.raises(InputError, match=f"another setting of: {named}"):
        evaluate(Separate(), "documents", **{**given, **setting})


def test_records_of_another_model_are_not_completed(given: dict[str, Any]) -> None:
    evaluate(Separate(), "documents", **given)
    other = Separate()
    other.name = "other"
    with pytest.raises(InputError, match="another setting of: model"):
        evaluate(other, "documents", **given)


def test_more_examples_more_samples_and_another_batch_size_may_come(given: dict[str, Any]) -> None:
    evaluate(Separate(), "documents", limit=2, **given)
    model = Separate()
    evaluate(model, "documents", batch_size=1, **{**given, "samples": 2})
    records = read_records(given["output"] / "documents.test.jsonl")
    assert len({(r.id, r.sample) for r in records}) == len(records) == 7 * 3
    assert len(model.asked) == 5 + 7  # greedy answers of five more; each sentence for its second sample


def test_further_splits_join(tmp_path: Path, embedded: Model) -> None:
    size: dict[str, Any] = {"samples": 0, "max_new_tokens": 8, "output": tmp_path, "id": 2, "ood": 2, "train": 0}
    evaluate(embedded, "world", split="id", **size)
    evaluate(embedded, "world", split="ood", **size)
    assert list(json.loads((tmp_path / "evaluation.json").read_text())["examples"]) == ["world/id", "world/ood"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"examples": 3}'], ids="empty torn list number".split())
def test_a_note_that_is_none_is_named(text: str, given: dict[str, Any]) -> None:
    given["output"].mkdir()
    (given["output"] / "evaluation.json").write_text(text)
    with pytest.raises(InputError, match=r"evaluation\.json: .*choose another output folder"):
        evaluate(Separate(), "documents", **given)


@pytest.mark.parametrize("field", ["text", "gold"])
def test_a_record_of_another_example_under_the_same_id_is_named(field: str, tmp_path: Path, fixtures: Path) -> None:
    from bythebook.tasks.documents import load

    folder = fixtures / "machines"
    examples: list[Example] = load(folder / "sentences.jsonl", guideline=folder / "guideline.md")["test"]
    file = tmp_path / "records.jsonl"

    def asked() -> list[Record]:
        model = Separate()
        style = model.settings.style
        return evaluate_examples(model, examples, style=style, sampling=SAMPLING, samples=0, resume_path=file)

    asked()
    _first_line(file, **{field: "The saw hums." if field == "text" else "none"})
    with pytest.raises(InputError, match=f"holds an answer for another {field} under the id 's1'"):
        asked()
