"""RLPR through the trainer: the model itself computes what a rollout earns, and the filter follows the training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from run_files import differences
from transformers import AutoModelForCausalLM, AutoTokenizer

from bythebook.errors import RecipeError
from bythebook.generation import embedded_path
from bythebook.generation.chat import encode_prompts
from bythebook.objectives.probability_reward import ProbabilityRewardConfig
from bythebook.prompts import render, style_of
from bythebook.recipe import Recipe
from bythebook.records import read_jsonl, read_records
from bythebook.rewards.answers import gold_text
from bythebook.schema import read_gold
from bythebook.tasks import task_named
from bythebook.training import grpo as grpo_module
from bythebook.training import probability, probability_scorer, train
from bythebook.training.data import rl_row
from bythebook.training.probability_scorer import ProbabilityScorer, Reading, probability_config, reading_of
from bythebook.training.shared_prefix import PackScorer

PROBABILITY = ("reward.name=probability", "reward.options={}")
FILTER = "rollout.refill={rule: fixed, max_prompts: 6, deviation: {beta: 1.5, decay: 0.5, ignored: 0, collected: 1}}"


def test_records_hold_what_the_scorer_computed(
    short_rl: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float | None] = []

    class Watched(ProbabilityScorer):
        def __call__(self, *args: Any) -> list[float | None]:
            found = super().__call__(*args)
            given.extend(found)
            return found

    monkeypatch.setattr(grpo_module, "ProbabilityScorer", Watched)
    train(short_rl(*PROBABILITY), output=tmp_path, quiet=True)
    records = read_records(tmp_path / "records" / "rollouts.jsonl")
    assert [r.value for r in records] == pytest.approx(given)
    assert all(0 <= (r.value or 0) <= 1 for r in records)
    assert len({r.value for r in records}) > 2
    rows = [row for _, row in read_jsonl(tmp_path / "metrics.jsonl") if "reward" in row]
    for row in rows:
        assert row["reference_probability"] > row["reference_probability_bare"] > 0
        assert row["grad_norm"] > 0


def test_shared_prefixes_change_nothing(
    short_rl: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rollouts of the first step are the same; so must their rewards be."""
    bounds: list[int | None] = []

    def scorer(pack_tokens: int | None) -> PackScorer:
        bounds.append(pack_tokens)
        return PackScorer(pack_tokens)

    monkeypatch.setattr(probability, "PackScorer", scorer)
    values = []
    for share in ("true", "false"):
        output, settings = tmp_path / share, (f"rollout.share_prefix={share}", "training.pack_tokens=400")
        train(short_rl(*PROBABILITY, *settings), output=output, quiet=True)
        records = read_records(output / "records" / "rollouts.jsonl")
        values.append({(r.id, r.completion): r.value for r in records if r.step == 0})
    assert set(bounds) == {400}  # what bounds the memory of a step bounds this pass, too
    both = values[0].keys() & values[1].keys()
    assert both, "no rollout in common: the test says nothing"
    assert [values[0][k] for k in both] == pytest.approx([values[1][k] for k in both], abs=1e-5)


def test_the_filter_leaves_out_groups_of_small_deviation(
    short_rl: Callable[..., Recipe], run: Callable[..., None], tmp_path: Path
) -> None:
    small = ("training.max_steps=3", "training.save_steps=1", "training.micro_batch_size=4", "data.options.train=24")
    recipe = short_rl(*PROBABILITY, FILTER, *small)
    run(recipe, tmp_path / "whole")
    rows = [row for _, row in read_jsonl(tmp_path / "whole" / "metrics.jsonl") if "prompts_drawn" in row]
    # One and a half times the average deviation is more than most groups have.
    assert rows[0]["prompts_drawn"] == 2
    assert max(row["prompts_drawn"] for row in rows[1:]) > 2
    run(recipe, tmp_path / "killed", at=("on_substep_end", 2))
    run(recipe, tmp_path / "killed", resume=True)
    assert differences(tmp_path / "whole", tmp_path / "killed") == []


def test_options_of_a_recipe() -> None:
    assert probability_config({}) == ProbabilityRewardConfig()
    assert probability_config({"released": True}) == ProbabilityRewardConfig.released()
    assert probability_config({"score": "product"}).score == "product"
    with pytest.raises(RecipeError, match="has no option sharp"):
        probability_config({"sharp": 1})
    with pytest.raises(RecipeError, match="'max' is none of"):
        probability_config({"score": "max"})


def test_what_can_not_be_scored_is_none_and_moves_nothing(
    short_rl: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(ProbabilityScorer):
        def __call__(self, _: Any, prompts: Any, *__: Any) -> list[float | None]:
            return [None] * len(prompts)

    monkeypatch.setattr(grpo_module, "ProbabilityScorer", Silent)
    train(short_rl(*PROBABILITY), output=tmp_path, quiet=True)
    assert {r.value for r in read_records(tmp_path / "records" / "rollouts.jsonl")} == {None}
    rows = [row for _, row in read_jsonl(tmp_path / "metrics.jsonl") if "grad_norm" in row]
    assert [row["grad_norm"] for row in rows] == [0.0, 0.0]


# --------------------------------------------------------------------------------- as the published code reads r and r′

RELEASED = ("reward.name=probability", "reward.options={released: true, half_precision: false}")


def test_where_r_and_its_baseline_are_read() -> None:
    assert reading_of({}) == Reading()
    assert reading_of({"released": True}) == Reading(splice="released", bare="initial")
    assert reading_of({"released": True, "bare": "current"}) == Reading(splice="released")
    with pytest.raises(RecipeError, match="'later' is none of current, initial"):
        reading_of({"bare": "later"})
    with pytest.raises(RecipeError, match="opens the thinking"):
        ProbabilityScorer(ProbabilityRewardConfig(), "think", reading=Reading.released(), prefilled=True)


def test_the_published_baseline_is_that_before_training(
    short_rl: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorers: list[ProbabilityScorer] = []
    baselines: list[torch.Tensor] = []

    class Watched(ProbabilityScorer):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            scorers.append(self)

        def _looked_up(self, prompts: Any, references: Any) -> torch.Tensor:
            found = super()._looked_up(prompts, references)
            baselines.append(found)
            return found

    monkeypatch.setattr(grpo_module, "ProbabilityScorer", Watched)
    recipe = short_rl(*RELEASED, "training.learning_rate=1e-3")
    train(recipe, output=tmp_path, quiet=True)
    (scorer,) = scorers
    assert scorer.initial is not None
    # By hand, with the model that the run began with, every prompt computed in full.
    model, tokenizer = (c.from_pretrained(embedded_path()) for c in (AutoModelForCausalLM, AutoTokenizer))
    style = style_of(recipe.prompt)
    for example in task_named("world").read(None, **recipe.data.options)["train"]:
        row = rl_row(example, tokenizer, style)
        found = read_gold(row["gold"])
        assert found is not None
        gold = gold_text(found)
        (ids,) = encode_prompts(tokenizer, [render(example, style)])
        text = tokenizer(f" {gold} ", add_special_tokens=False, return_offsets_mapping=True)
        touched = [i for i, (a, b) in enumerate(text["offset_mapping"]) if a < 1 + len(gold) and b > 1]
        with torch.no_grad():
            p = model(torch.tensor([[*ids, *text["input_ids"]]])).logits[0, len(ids) - 1 : -1].softmax(-1)
        expected = float(torch.stack([p[i, text["input_ids"][i]] for i in touched]).mean())
        key = probability_scorer._key(row["prompt"], gold)
        assert scorer.initial[key] == pytest.approx(expected, abs=1e-6)
    # The policy changes from step to step, what is taken off does not.
    rows = [row for _, row in read_jsonl(tmp_path / "metrics.jsonl") if "reference_probability_bare" in row]
    assert [row["reference_probability_bare"] for row in rows] == pytest.approx(
        [float(found.mean()) for found in baselines], abs=1e-6
    )
    assert {round(float(x), 6) for found in baselines for x in found} <= {round(x, 6) for x in scorer.initial.values()}


def test_a_resumed_run_keeps_the_baseline_of_the_start(
    short_rl: Callable[..., Recipe], run: Callable[..., None], tmp_path: Path
) -> None:
    recipe = short_rl(*RELEASED, "training.max_steps=3", "training.save_steps=1", "training.learning_rate=1e-3")
    run(recipe, tmp_path / "whole")
    run(recipe, tmp_path / "killed", at=("on_step_end", 2))
    run(recipe, tmp_path / "killed", resume=True)
    assert differences(tmp_path / "whole", tmp_path / "killed") == []


def test_prompts_that_change_have_no_baseline_of_the_start(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="reads the prompts before training"):
        train(short_rl(*RELEASED, "prompt.shuffle_relations=true"), output=tmp_path, quiet=True)
    scorer = ProbabilityScorer(ProbabilityRewardConfig(), "think", reading=Reading.released())
    scorer.initial = {}
    with pytest.raises(RecipeError, match="for prompts that are not these"):
        scorer._looked_up(["another"], ["one"])


def test_a_batch_without_tags_is_told_once(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="no completion of a batch has <think>") as told:
        train(short_rl(*PROBABILITY, "rollout.max_completion_length=2"), output=tmp_path, quiet=True)
    assert len([w for w in told if "no completion of a batch" in str(w.message)]) == 1
