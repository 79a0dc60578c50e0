"""RL on several domains through the real trainer: drawn by weights, paid by their own rewards, told apart."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run_files import differences

from bythebook.errors import RecipeError
from bythebook.mixtures import MixtureSampler
from bythebook.recipe import Recipe
from bythebook.records import Record, read_jsonl, read_records
from bythebook.rewards import reward
from bythebook.schema import gold_of
from bythebook.tasks import task_named
from bythebook.training import train

CHOICE = {
    "name": "choice",
    "task": "world_mcqa",
    "options": {"train": 16},
    "reward": {"name": "med_rlvr", "options": {"bad_format": -3, "right": 3}},
}
PHRASES = {"name": "phrases", "task": "world_fields", "options": {"train": 16, "seed": 5}}
PHRASES["reward"] = {"name": "free_answer", "options": {"wrong": -3, "right": 3}}
MIXED = {"labels": 0.4, "choice": 0.2, "phrases": 0.4}


def settings(also: list[dict[str, Any]] | None = None, mixture: dict[str, float] | None = None) -> list[str]:
    return [
        "data.name=labels",
        "data.options.train=16",
        f"data.also={json.dumps([CHOICE, PHRASES] if also is None else also)}",
        f"data.mixture={json.dumps(mixture or MIXED)}",
        "training.max_steps=4",
        "training.micro_batch_size=4",
    ]


@pytest.fixture(scope="module")
def mixed(short_rl: Callable[..., Recipe], tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """A recipe of three domains, and its run."""
    recipe, output = short_rl(*settings()), tmp_path_factory.mktemp("mixed")
    train(recipe, output=output, quiet=True)
    return recipe, output


def rollouts(output: Path) -> list[Record]:
    return read_records(output / "records" / "rollouts.jsonl")


def steps(output: Path) -> list[dict[str, Any]]:
    return [row for _, row in read_jsonl(output / "metrics.jsonl") if "loss" in row]


def examples_of(recipe: Recipe) -> dict[str, list[Any]]:
    d = recipe.data
    found = {"labels": task_named(d.task).read(None, **d.options)["train"]}
    return found | {str(m.name): task_named(m.task).read(None, **m.options)["train"] for m in d.also}


def test_prompts_are_those_the_sampler_draws_in_its_order(mixed: tuple[Recipe, Path]) -> None:
    recipe, output = mixed
    of = examples_of(recipe)
    sampler = MixtureSampler({name: len(rows) for name, rows in of.items()}, MIXED, seed=recipe.seed)
    drawn = [of[name][place].id for name, place in sampler.batch(8)]
    records = rollouts(output)
    groups = [records[i : i + 4] for i in range(0, len(records), 4)]
    assert [group[0].id for group in groups] == drawn
    assert all(len({r.id for r in group}) == 1 for group in groups)
    assert len(set(drawn)) == len(drawn)


def test_every_rollout_is_paid_by_its_domain(mixed: tuple[Recipe, Path]) -> None:
    recipe, output = mixed
    sections = {"labels": recipe.reward, **{str(m.name): m.reward for m in recipe.data.also}}
    golds = {e.id: e for rows in examples_of(recipe).values() for e in rows}
    seen = set()
    for record in rollouts(output):
        section = sections[record.tags["reward_of"]]
        assert section is not None
        assert record.completion is not None
        gold = gold_of(golds[record.id])
        assert gold is not None
        paid = reward(section.name, **section.options).verdict(record.completion, gold.to_json(), "stop")
        cut = reward(section.name, **section.options).verdict(record.completion, gold.to_json(), "length")
        assert record.value in (paid.value, cut.value)
        seen.add((record.tags["reward_of"], record.id.split("-")[0]))
    assert seen == {("labels", "world"), ("choice", "world_mcqa"), ("phrases", "fields")}


def test_metrics_are_told_domain_by_domain(mixed: tuple[Recipe, Path]) -> None:
    _, output = mixed
    for row in steps(output):
        of = [r for r in rollouts(output) if r.step == row["step"] - 1]
        names = {r.tags["reward_of"] for r in of}
        assert {key.split("/")[1] for key in row if key.startswith("domain/")} == names
        for name in names:
            mine = [r for r in of if r.tags["reward_of"] == name]
            assert row[f"domain/{name}/share"] == pytest.approx(len(mine) / len(of))
            assert row[f"domain/{name}/reward"] == pytest.approx(sum(r.value or 0.0 for r in mine) / len(mine))
            assert row[f"domain/{name}/accuracy"] == pytest.approx(sum(bool(r.correct) for r in mine) / len(mine))
            assert row[f"domain/{name}/format_rate"] == pytest.approx(sum(r.well_formed for r in mine) / len(mine))
        shares = [row[f"domain/{name}/share"] for name in names]
        assert sum(shares) == pytest.approx(1)


def test_training_ends_with_the_domain_that_is_drawn_and_has_none_left(
    mixed: tuple[Recipe, Path], short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    small = [{**CHOICE, "options": {"train": 2}}, PHRASES]
    recipe = short_rl(*settings(small), "training.max_steps=20", "training.lr_scheduler=linear")
    folder = train(recipe, output=tmp_path / "short", quiet=True)
    assert (folder / "config.json").is_file()
    sizes = {"labels": 16, "choice": 2, "phrases": 16}
    drawn = len(list(MixtureSampler(sizes, MIXED, seed=recipe.seed)))
    done = steps(tmp_path / "short")
    assert 0 < len(done) == drawn // 2 < 20
    counts = Counter(r.id for r in rollouts(tmp_path / "short"))
    assert set(counts.values()) == {4}
    # The learning rates are those of twenty steps.
    assert done[-1]["learning_rate"] > 0.5 * max(row["learning_rate"] for row in done)
    # A finished run is left as it is.
    before = (tmp_path / "short" / "metrics.jsonl").read_bytes()
    assert train(recipe, output=tmp_path / "short", resume=True, quiet=True) == folder
    assert (tmp_path / "short" / "metrics.jsonl").read_bytes() == before


def test_a_killed_run_goes_on_in_the_same_order(
    mixed: tuple[Recipe, Path], run: Callable[..., None], short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = short_rl(*settings(), "training.save_steps=1")
    run(recipe, tmp_path / "killed", at=("on_substep_end", 3))
    run(recipe, tmp_path / "killed", resume=True)
    assert differences(mixed[1], tmp_path / "killed") == []


def test_a_longer_run_begins_with_the_draws_of_a_shorter_one(
    mixed: tuple[Recipe, Path], short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    train(short_rl(*settings(), "training.max_steps=5"), output=tmp_path / "longer", quiet=True)
    first = [r.id for r in rollouts(mixed[1])]
    assert [r.id for r in rollouts(tmp_path / "longer")][: len(first)] == first


def test_one_domain_alone_may_be_another_than_the_own_task(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    train(short_rl(*settings(mixture={"phrases": 1.0})), output=tmp_path / "run", quiet=True)
    assert {r.tags["reward_of"] for r in rollouts(tmp_path / "run")} == {"phrases"}


@pytest.mark.parametrize(
    ("also", "said"),
    [
        ({**CHOICE, "reward": {"name": "probability"}}, "'probability' of the domain 'choice' has to ask a model"),
        ({**CHOICE, "reward": {"name": "judged"}}, "'judged' of the domain 'choice' has to ask a model"),
        (
            {**CHOICE, "reward": {"name": "med_rlvr"}},
            "pay in different ranges: labels -3 to 3, choice -1 to 1, phrases -3 to 3",
        ),
        ({**CHOICE, "reward": {"name": "r1_re", "options": {"tags": "plan"}}}, "the tags belong to the prompt"),
        ({**CHOICE, "options": {"train": 1}}, r"exhausted before the first step"),
    ],
)
def test_what_no_mixture_can_pay_is_refused(
    also: dict[str, Any], said: str, short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    mixture = {"choice": 1.0} if "exhausted" in said else MIXED
    with pytest.raises(RecipeError, match=said):
        train(short_rl(*settings([also, PHRASES], mixture)), output=tmp_path / "run", quiet=True)


def test_ranges_may_differ_where_the_recipe_says_so(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    also = [{**CHOICE, "reward": {"name": "med_rlvr"}}, PHRASES]
    recipe = short_rl(*settings(also), "data.reward_ranges=any", "training.max_steps=1")
    assert train(recipe, output=tmp_path / "run", quiet=True).is_dir()


def test_without_a_mixture_all_examples_are_in_one_heap_and_told_apart(
    short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = short_rl(*[s for s in settings() if not s.startswith("data.mixture")])
    train(recipe, output=tmp_path / "run", quiet=True)
    assert len({r.tags["reward_of"] for r in rollouts(tmp_path / "run")}) > 1
