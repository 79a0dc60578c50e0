"""One rendering a batch: every prompt of a batch shares it, another batch has another, a second run has the same."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import RecipeError
from bythebook.guidelines import Variation, load_from_library, vary
from bythebook.prompts import PromptStyle, render
from bythebook.recipe import PromptSection, Recipe
from bythebook.records import read_jsonl, read_records
from bythebook.schema import ExtractionGold, Gold
from bythebook.tasks import task_named
from bythebook.tasks.world import answer_only, examples
from bythebook.training import train
from bythebook.training.data import rl_dataset, rl_row, varied_sft_dataset
from bythebook.training.variation import RowVariation, batch_variation
from bythebook.types import Entity, Example, Label, Span

BOTH = PromptSection(template="short", rendering="rules", shuffle_relations=True, rename_labels="permute")
STYLE = PromptStyle(template="short", rendering="rules")
VARIED = ("prompt.shuffle_relations=true", "prompt.rename_labels=permute")


def _target(example: Example, _: Any) -> str:
    return answer_only(example)


def _questions(n: int) -> list[Example]:
    """`n` sentences under one guideline of real prose."""
    book = load_from_library("semeval2010")
    entities = tuple(Entity(id=i, span=Span(start=a, end=b)) for i, a, b in (("e1", 0, 4), ("e2", 10, 14)))
    gold = Label(name="Cause-Effect", direction="(e1,e2)")
    return [
        Example(id=f"q{i}", text=f"rain makes mud, {i}", entities=entities, gold=gold, guideline=book, domain="d")
        for i in range(n)
    ]


# ----------------------------------------------------------------------------------- what a recipe asks for


def test_a_recipe_that_asks_for_nothing_changes_nothing() -> None:
    plain = PromptSection(template="short", rendering="rules")
    assert batch_variation(plain, 0, 3).changes_nothing
    assert not RowVariation([], lambda e: {}, plain, 0).active


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"shuffle_relations": True}, Variation(shuffle_relations="5/2")),
        ({"rename_labels": "opaque"}, Variation(rename_labels="5/2")),
        ({"rename_labels": "permute"}, Variation(permute_labels="5/2")),
        (
            {"shuffle_relations": True, "rename_labels": "opaque"},
            Variation(shuffle_relations="5/2", rename_labels="5/2"),
        ),
    ],
)
def test_each_key_of_a_recipe_has_its_variation(asked: dict[str, Any], expected: Variation) -> None:
    assert batch_variation(PromptSection(template="short", rendering="rules", **asked), 5, 2) == expected


# ----------------------------------------------------------------------------------- rows of RL


def test_rows_of_a_batch_share_the_beginning_of_their_prompts(embedded: tuple[Any, Any]) -> None:
    _, tokenizer = embedded
    questions = _questions(6)
    prompt = PromptSection(template="r1_re", rendering="condensed", shuffle_relations=True, rename_labels="opaque")
    style = PromptStyle()
    varied = RowVariation(questions, lambda e: rl_row(e, tokenizer, style), prompt, 0)
    rows = [{**row, "row": i} for i, row in enumerate(rl_dataset(questions, tokenizer, style))]
    beginnings = {}
    for batch in range(3):
        shown = varied([row for row in rows for _ in range(2)], batch)
        contents = [row["prompt"] if isinstance(row["prompt"], str) else row["prompt"][0]["content"] for row in shown]
        heads = {content[: content.index("# Sentence")] for content in contents}
        assert len(heads) == 1
        beginnings[batch] = heads.pop()
        gold = Gold.from_json(shown[0]["gold"])
        assert gold.label in gold.grammar.labels
        assert f"## {gold.label.name}\nDefinition: the cause brings about the effect" in beginnings[batch]
        assert "Cause-Effect" not in contents[0]
        assert len({id(row) for row in shown}) == 12
    assert len(set(beginnings.values())) == 3
    assert varied(rows, 1) == varied(rows, 1)
    assert [row["prompt"] for row in varied(rows[:1], 1)] == [row["prompt"] for row in varied(rows, 1)[:1]]


def test_rows_in_any_order_get_their_own_example(embedded: tuple[Any, Any]) -> None:
    _, tokenizer = embedded
    sentences = examples("train", 8, seed=3)
    varied = RowVariation(sentences, lambda e: rl_row(e, tokenizer, STYLE), BOTH, 0)
    rows = [{**row, "row": i} for i, row in enumerate(rl_dataset(sentences, tokenizer, STYLE))]
    for row in varied([rows[i] for i in (5, 0, 5, 2)], 7):
        own = sentences[row["row"]]
        expected = vary([own], batch_variation(BOTH, 0, 7))[0]
        assert (row["example_id"], row["guideline_hash"]) == (own.id, expected.guideline.hash)
        assert Gold.from_json(row["gold"]).label == expected.gold
        assert row["variation"] == "shuffle_relations=0/7 permute_labels=0/7"


def test_rows_of_joint_extraction_have_gold_in_the_words_of_their_prompt(embedded: tuple[Any, Any]) -> None:
    _, tokenizer = embedded
    sentences = task_named("world_joint").read(None, train=6, sub_tasks="re_plus end2end")["train"]
    varied = RowVariation(sentences, lambda e: rl_row(e, tokenizer, STYLE), BOTH, 0)
    rows = [{**row, "row": i} for i, row in enumerate(rl_dataset(sentences, tokenizer, STYLE))]
    shown = varied(rows, 2)
    for row, plain in zip(shown, rows, strict=True):
        gold = ExtractionGold.from_json(row["gold"])
        assert {d.code for d in gold.extraction_schema.admits(gold.extraction)} <= {"type_signature"}
        content = row["prompt"] if isinstance(row["prompt"], str) else row["prompt"][0]["content"]
        schema = gold.extraction_schema
        assert all(name in content for name in (*schema.entity_types, *schema.relation_names))
        assert (row["guideline_hash"], row["prompt"]) != (plain["guideline_hash"], plain["prompt"])
    assert [row["gold"] for row in shown] != [row["gold"] for row in rows]


def test_a_run_shows_one_rendering_a_step_and_goes_on_with_it_when_resumed(
    short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = short_rl(*VARIED, "data.options.k=8", "training.max_steps=3", "training.save_steps=1")
    train(recipe, output=tmp_path / "run", quiet=True)
    file = tmp_path / "run" / "records" / "rollouts.jsonl"
    whole = list(read_records(file))
    known = {e.id: e for e in task_named("world").read(None, **recipe.data.options)["train"]}
    renderings = defaultdict(set)
    for record in whole:
        renderings[record.step].add(record.tags["variation"])
        shown = vary([known[record.id]], batch_variation(recipe.prompt, recipe.seed, record.step or 0))[0]
        assert shown.gold is not None
        assert (record.guideline, record.gold) == (shown.guideline.hash, shown.gold.text)
    seed = recipe.seed
    assert renderings == {step: {f"shuffle_relations={seed}/{step} permute_labels={seed}/{step}"} for step in range(3)}
    # Back to the oldest checkpoint that was kept.
    shutil.rmtree(tmp_path / "run" / "model")
    kept = sorted((tmp_path / "run" / "checkpoints").glob("checkpoint-*"))
    assert len(kept) > 1
    for newer in kept[1:]:
        shutil.rmtree(newer)
    train(recipe, output=tmp_path / "run", quiet=True, resume=True)
    assert list(read_records(file)) == whole


def test_a_run_without_variation_has_no_tags(rl_run: tuple[Recipe, Path]) -> None:
    records = read_records(rl_run[1] / "records" / "rollouts.jsonl")
    assert {tuple(r.tags) for r in records} == {()}


# ----------------------------------------------------------------------------------- rows of SFT


def _varied(sentences: list[Example], tokenizer: Any, prompt: PromptSection, **options: Any) -> list[dict[str, Any]]:
    settings = {"prefilled": False, "batches": 5, "batch_size": 4} | options
    return list(varied_sft_dataset(sentences, tokenizer, STYLE, _target, prompt, 0, **settings))


def test_a_batch_of_sft_has_one_rendering_and_every_epoch_every_example(embedded: tuple[Any, Any]) -> None:
    _, tokenizer = embedded
    sentences = examples("train", 10, seed=4, per_guideline=1)
    rows = _varied(sentences, tokenizer, BOTH)
    assert len(rows) == 20
    texts = [tokenizer.decode(row["input_ids"]) for row in rows]
    seen = []
    for batch in range(5):
        shown = vary(sentences, batch_variation(BOTH, 0, batch))
        expected = {tokenizer.decode(tokenizer(_text(e, tokenizer))["input_ids"]): e.id for e in shown}
        seen += [
            next(i for whole, i in expected.items() if text.startswith(whole))
            for text in texts[4 * batch : 4 * batch + 4]
        ]
    assert sorted(seen[:10]) == sorted(seen[10:]) == sorted(e.id for e in sentences)
    assert seen[:10] != seen[10:]
    assert _varied(sentences, tokenizer, BOTH) == rows


def _text(example: Example, tokenizer: Any) -> str:
    return str(tokenizer.apply_chat_template(render(example, STYLE), tokenize=False, add_generation_prompt=True))


def test_the_loss_is_on_the_answer_in_its_new_words(embedded: tuple[Any, Any]) -> None:
    _, tokenizer = embedded
    sentences = examples("train", 4, seed=5)
    for batch, row in enumerate(_varied(sentences, tokenizer, BOTH, batch_size=1)):
        labels = [x for x in row["labels"] if x != -100]
        answers = {f"<answer>{e.gold}</answer>" for e in vary(sentences, batch_variation(BOTH, 0, batch))}
        written = tokenizer.decode(labels, skip_special_tokens=True).replace(" ", "")
        assert written in {a.replace(" ", "") for a in answers}


def test_packed_rows_share_the_guideline_in_its_rendering(embedded: tuple[Any, Any]) -> None:
    _, tokenizer = embedded
    sentences = examples("train", 12, seed=6, per_guideline=4)
    plain = PromptSection(template="short", rendering="rules")
    for prompt in (plain, BOTH):
        rows = _varied(sentences, tokenizer, prompt, batches=3, batch_size=3, sentences_per_row=4)
        assert len(rows) == 9
        assert {max(row["segments"]) for row in rows} == {4}
        assert all(row["segments"].count(0) > 20 for row in rows)


def test_sft_with_variation_runs_and_repeats(short_sft: Callable[..., Recipe], tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        train(short_sft(*VARIED), output=tmp_path / name, quiet=True)
        found.append([row["loss"] for _, row in read_jsonl(tmp_path / name / "metrics.jsonl") if "loss" in row])
    assert found[0] == found[1]
    assert len(found[0]) == 2
    train(short_sft(), output=tmp_path / "plain", quiet=True)
    plain = [row["loss"] for _, row in read_jsonl(tmp_path / "plain" / "metrics.jsonl") if "loss" in row]
    assert plain != found[0]


def test_batches_of_like_length_do_not_go_with_a_rendering_each(
    short_sft: Callable[..., Recipe], tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="group_by_length mixes the batches"):
        train(short_sft(*VARIED, "training.group_by_length=true"), output=tmp_path, quiet=True)
