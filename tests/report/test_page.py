"""The page: whole, self-contained, safe with hostile text, and true whatever the figures are."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_runs import annotation_blocks, demo_run, write_json

from bythebook.errors import DataError, InputError
from bythebook.records import read_records, write_jsonl
from bythebook.report import Run, edit_rows, render_report, summary_rows, write_report
from bythebook.report.embed import assets
from bythebook.report.figures import percent
from bythebook.report.samples import before_and_after
from bythebook.report.story import story

_VOID = {"meta", "br", "img", "link", "input", "hr"}


class _Page(HTMLParser):
    """Checks nesting and collects what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(demo: Path) -> _Page:
    return _Page(render_report(Run(demo)))


def test_the_page_is_written_beside_the_records(tmp_path: Path, demo: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(demo, run)
    assert write_report(run) == run / "report.html"
    assert (run / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not (run / "report.html.part").exists()


def test_nothing_is_loaded_and_nothing_runs_but_what_the_policy_names(page: _Page) -> None:
    assert not {"link", "img", "iframe", "object", "embed", "form"} & {tag for tag, _ in page.tags}
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [
        {},
        {"type": "application/json", "id": "records"},
        {},
    ]
    for _, attributes in page.tags:
        assert not {"src", "srcset", "data", "style"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy == assets().policy


def test_every_link_leads_to_a_place_on_the_page(page: _Page) -> None:
    places = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = {(attributes["href"] or "")[1:] for tag, attributes in page.tags if tag == "a"}
    assert len(links) == 8
    assert links <= places


def test_every_diagram_and_table_says_what_it_shows(page: _Page) -> None:
    drawn = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("class") != "mark"]
    diagrams = [attributes for attributes in drawn if "aria-hidden" not in attributes]
    # The dots of six arms and their axis, all of which stand in the table, too.
    assert len(drawn) - len(diagrams) == 7
    # Three RL arms with six diagrams each; two fine-tuned ones with two.
    assert len(diagrams) == 3 * 6 + 2 * 2
    assert all(a["role"] == "img" and " from " in (a["aria-label"] or "") for a in diagrams)
    heads = [attributes for tag, attributes in page.tags if tag == "th"]
    assert heads
    assert all("scope" in attributes for attributes in heads)
    tables = sum(tag == "table" for tag, _ in page.tags)
    assert tables == sum(tag == "caption" for tag, _ in page.tags) == 3


def test_the_page_shows_the_figures_of_the_rows(page: _Page, demo: Path) -> None:
    for row in summary_rows(demo):
        scores = row["sets"]["ood"]
        assert scores is not None
        assert f"{row['label']} {scores['items']} {percent(scores['avg_at_k'])} [" in page.text


def test_the_first_lines_say_that_rl_elicits_and_what_careful_training_reached(demo: Path) -> None:
    rows = summary_rows(demo)
    first, *rest = story(Run(demo), rows)
    figures = {row["arm"]: percent((row["sets"]["ood"] or {})["avg_at_k"]) for row in rows}  # type: ignore[typeddict-item]
    assert "annotators of mixed diligence" in first
    assert f"{figures['start']} % before, {figures['rl']} % after" in first
    assert "raised accuracy" in first
    assert "mostly elicits" in first
    assert f"careful reasoning, which is what demonstrations would buy, reached {figures['sft_careful']} %" in first
    assert any(f"ended at {figures['sft_answers']} %" in text and "stopped reading" in text for text in rest)
    chance = next(row["chance"] for row in edit_rows(demo) if row["edit"] == "wrong_guideline")
    assert any("With a wrong guideline" in text and f"(chance: {percent(chance)} %)" in text for text in rest)


@pytest.mark.parametrize(
    ("rl", "says", "does_not_say"),
    [
        (0.10, ["lowered", "did not bring out"], ["raised", "mostly elicits", "more than sharper"]),
        (0.58, ["raised", "mostly elicits", "does not measurably beat both"], ["this is more than sharper sampling"]),
    ],
)
def test_the_story_follows_the_figures(tmp_path: Path, rl: float, says: list[str], does_not_say: list[str]) -> None:
    run = demo_run(tmp_path, seed=1, items=240, accuracy={"rl": rl})
    told = " ".join(story(Run(run), summary_rows(run)))
    assert [phrase for phrase in says if phrase not in told] == []
    assert [phrase for phrase in does_not_say if phrase in told] == []


def test_a_run_in_which_nothing_changed_claims_no_gain(tmp_path: Path, demo: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(demo, run)
    shutil.copy(run / "records" / "start.ood.jsonl", run / "records" / "rl.ood.jsonl")
    told = " ".join(story(Run(run), summary_rows(run)))
    assert "did not measurably change" in told
    assert "did not bring out" in told
    assert not [phrase for phrase in ("raised", "mostly elicits", "more than sharper") if phrase in told]
    assert "No kept item is wrong before and right after" in _Page(render_report(Run(run))).text


def test_answer_only_training_that_gains_is_not_said_to_stop_reading(tmp_path: Path) -> None:
    run = demo_run(tmp_path, seed=1, accuracy={"sft_answers": 0.8})
    told = " ".join(story(Run(run), summary_rows(run)))
    assert "out of domain, above its start" in told
    assert "stopped reading" not in told


def test_the_sentence_shown_is_wrong_before_and_right_after(demo: Path, page: _Page) -> None:
    pair = before_and_after(Run(demo))
    assert pair is not None
    assert pair.mended
    assert (pair.before.correct, pair.after.correct) == (False, True)
    assert pair.before.id == pair.after.id
    assert pair.before.tags["case"] == "exception"
    assert pair.prompt is not None
    assert f"office {pair.before.id[2:]}, allegedly replaces" in page.text


def test_annotations_stand_side_by_side_with_marks_and_warnings(page: _Page) -> None:
    marks = [attributes["class"] for tag, attributes in page.tags if tag == "mark"]
    # One pair in the prompt, five sentences.
    assert (marks.count("e1"), marks.count("e2")) == (6, 6)
    assert page.text.count("answer changed") == 4
    assert page.text.count("Warning: the model never saw 'pancake'") == 2
    assert {a["class"] for t, a in page.tags if t == "span" and a.get("class", "").startswith("line")} >= {
        "line added",
        "line removed",
    }


HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} <think><e1>\x00\u202e&lt;"


def test_hostile_text_stays_text(tmp_path: Path, demo: Path, page: _Page) -> None:
    run = tmp_path / "run"
    shutil.copytree(demo, run)
    for file in (run / "records").glob("*.ood.jsonl"):
        rows = [
            r.model_copy(update={"completion": HOSTILE, "gold": HOSTILE, "id": HOSTILE + r.id})
            for r in read_records(file)
        ]
        write_jsonl(file, rows)
    write_json(run / "prompts.json", {})
    blocks = annotation_blocks()
    for block in blocks:
        block.update(title=HOSTILE, guideline=HOSTILE, diff="+" + HOSTILE)
        block["rows"] = [
            {"text": HOSTILE, "completion": HOSTILE, "thinking": None, "answer": HOSTILE, "warning": HOSTILE}
        ]
    write_json(run / "annotations.json", blocks)
    write_json(run / "environment.json", {HOSTILE: HOSTILE})
    described = json.loads((run / "demo.json").read_text(encoding="utf-8"))
    described.update(title=HOSTILE, started=HOSTILE, notes=[HOSTILE], commands=[HOSTILE])
    described["arms"] = [{**arm, "label": HOSTILE} for arm in described["arms"]]
    write_json(run / "demo.json", described)
    hostile = _Page(render_report(Run(run)))
    assert {tag for tag, _ in hostile.tags} <= {tag for tag, _ in page.tags}
    assert "{{ 7*7 }}" in hostile.text
    assert not [name for _, attributes in hostile.tags for name in attributes if name.startswith("on")]


def test_a_lone_surrogate_in_a_text_does_not_stop_the_page(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"title": "t", "arms": [{"name": "rl", "label": "RL"}]}', encoding="utf-8")
    (tmp_path / "environment.json").write_text('{"host": "\\ud800"}', encoding="utf-8")
    assert b"<dd>?</dd>" in write_report(tmp_path).read_bytes()


def test_a_demo_that_was_interrupted_early_gives_a_page(tmp_path: Path) -> None:
    write_json(tmp_path / "demo.json", {"title": "Early", "arms": [{"name": "rl", "label": "RL"}]})
    text = _Page(render_report(Run(tmp_path))).text
    assert "nothing can be said about a gain" in text
    assert "How to repeat it" in text


def test_an_ordinary_run_has_curves_scores_completions_and_recipe(training: Path) -> None:
    page = _Page(render_report(Run(training)))
    assert sum(tag == "svg" for tag, _ in page.tags) == 6
    assert "steps: 60" in page.text
    assert re.search(r"training rollouts items K .* training\d* 38 8 \d", page.text)
    assert "Errors and documents" in page.text


def test_an_ordinary_run_with_metrics_only_gives_a_page(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "metrics.jsonl", [{"step": 1, "loss": 2.0}])
    page = _Page(render_report(Run(tmp_path)))
    assert [a["aria-label"] for t, a in page.tags if t == "svg"] == [
        "Loss against training step: mean of the step from 2 at step 1 to 2 at step 1."
    ]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("demo.json", "{", "demo.json:1: not JSON"),
        ("demo.json", '{"title": "t", "arms": []}', "demo.json: arms: "),
        ("demo.json", '{"title": "t", "arms": [{"name": "../x", "label": "l"}]}', "demo.json: arms.0.name: "),
        ("annotations.json", '[{"title": "t"}]', "annotations.json: 0.guideline: "),
        ("records/rl.ood.jsonl", '{"id": "x"}', "rl.ood.jsonl:1: not a record"),
        ("arms/rl/metrics.jsonl", '{"reward": 1}', "metrics.jsonl:1: a line of metrics needs"),
        (
            "arms/rl/metrics.jsonl",
            '{"step": 1}\n{"step": NaN, "reward": 1}',
            "metrics.jsonl:2: a line of metrics needs",
        ),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, file: str, content: str, message: str) -> None:
    write_json(tmp_path / "demo.json", {"title": "t", "arms": [{"name": "rl", "label": "RL"}]})
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        write_report(tmp_path)
    assert message in str(caught.value)
    assert not (tmp_path / "report.html").exists()


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run"):
        write_report(tmp_path)
    with pytest.raises(InputError, match="no such run directory"):
        write_report(tmp_path / "absent")
