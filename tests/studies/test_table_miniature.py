"""The miniature of Table-R1: kinds of questions told apart, and arms that are asked in another serialisation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bythebook.recipe import load_recipe
from bythebook.records import Record, write_jsonl
from bythebook.studies.miniature import work
from bythebook.studies.miniature.arms import QUICK, SPLITS, Claim, Size
from bythebook.studies.miniature.figures import excess, figure, found_of, kinds_of
from bythebook.studies.miniature.results import keep_experiments, results, verdicts
from bythebook.studies.miniature.systems import MINIATURES
from bythebook.studies.miniature.work import recipe_of
from bythebook.tasks.world.tables import KINDS
from bythebook.types import Example

TABLE_R1 = MINIATURES["table_r1"]


def _record(number: int, sample: int, kind: str, correct: bool) -> Record:
    return Record(
        schema="bythebook.prediction/1",
        id=f"t{number}",
        domain=kind,
        gold="g",
        answer="a",
        correct=correct,
        well_formed=True,
        status="ok",
        value=1.0,
        completion="c",
        finish_reason="stop",
        tokens=3,
        guideline="one for all",
        tags={"guideline_id": f"t{number}"},
        sample=sample,
    )


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Two seeds: the start is right about every look-up and no claim, RL about all."""
    for seed in range(2):
        folder = tmp_path / "run" / f"seed{seed}"
        for arm, right in (("start", {"lookup"}), ("rl", {"lookup", "claim"})):
            for split in SPLITS:
                asked = [(n, "lookup" if n % 2 else "claim") for n in range(8)]
                rows = [_record(n, sample, kind, kind in right) for n, kind in asked for sample in range(-1, 2)]
                write_jsonl(folder / "records" / f"{arm}.{split}.jsonl", rows)
            curve = {"step": 1, "loss": 0.5, "reward": 1.0, "format_rate": 0.75, "accuracy": 0.25, "kl": 1.0}
            write_jsonl(folder / "arms" / arm / "metrics.jsonl", [curve])
        (folder / "size.json").write_text(json.dumps({"system": "table_r1"}), encoding="utf-8")
    keep_experiments(tmp_path / "run", tmp_path / "kept")
    return tmp_path / "kept"


def test_a_figure_is_that_of_the_kinds_asked_for(kept: Path) -> None:
    seeds = sorted(kept.glob("seed*"))
    assert kinds_of(seeds) == ["claim", "lookup"]
    assert figure(seeds[0], "start", "id", "avg") == 0.5
    assert figure(seeds[0], "start", "id", "avg", ("lookup",)) == 1
    assert figure(seeds[0], "start", "id", "avg", ("claim",)) == 0
    assert figure(seeds[0], "start", "id", "avg", ("no such kind",)) is None
    found = excess(seeds, "start", 0.25, "id", "avg", ("lookup",))
    assert found is not None
    assert found.difference == 0.75


def test_a_claim_about_one_kind_is_held_against_that_kind(kept: Path) -> None:
    seeds = sorted(kept.glob("seed*"))
    claims = Claim("claims", "rl", ("start",), kinds=("claim",)), Claim("look-ups", "rl", ("start",), kinds=("lookup",))
    about_claims, about_look_ups = (found_of(claim, seeds) for claim in claims)
    assert about_claims.comparisons[0].values == (1, 0)
    assert about_claims.verdict == "confirmed"
    assert about_look_ups.comparisons[0].values == (1, 1)
    assert about_look_ups.verdict == "cannot be tested at this size"  # both are above the ceiling


def test_the_page_has_a_table_by_kind_and_both_curves(kept: Path) -> None:
    page = results(kept)
    assert "### Avg@K by kind of question\n\n|  | ID claim | ID lookup | OOD claim | OOD lookup |" in page
    assert "| start, of mixed care and form | 0.0 [0.0, 0.0] | 100.0 [100.0, 100.0] | 0.0" in page
    assert "|  | reward | format_rate | accuracy |" in page
    assert "| 1 | 0.75 | 0.25 | – |" in page.replace("1 → 1 → 1 → 1", "1") or "0.75" in page
    assert [row["verdict"] for row in verdicts(kept)][:4] == [
        "cannot be tested at this size",
        "cannot be tested at this size",
        "confirmed",
        "confirmed",
    ]


def test_other_miniatures_have_no_table_by_kind(kept: Path) -> None:
    for file in kept.glob("seed*/size.json"):
        file.write_text(json.dumps({"system": "archer"}), encoding="utf-8")
    assert "by kind" not in results(kept)


def test_claims_name_kinds_that_there_are() -> None:
    assert {kind for claim in TABLE_R1.claims for kind in claim.kinds} == set(KINDS) - {"list"}


def test_the_start_is_made_from_scratch() -> None:
    recipe = recipe_of(TABLE_R1.arm("start"), 0, Size(), questions=TABLE_R1.questions)
    assert recipe
    assert recipe.model.path == "scratch"


def test_arms_differ_in_what_they_pay_for_the_form_alone() -> None:
    arms = [arm for arm in TABLE_R1.arms if arm.recipe == "table_r1_tiny"]
    recipes = [load_recipe(str(arm.recipe), arm.overrides) for arm in arms]
    assert len(recipes) == 5
    assert len({recipe.model_copy(update={"reward": None}).model_dump_json() for recipe in recipes}) == 1
    paid = [
        (r.reward.name, r.reward.options.get("format_weight"), r.reward.options.get("form"))
        for r in recipes
        if r.reward
    ]
    assert len(set(paid)) == 5


def test_an_arm_that_is_only_asked_asks_another_s_model_in_its_own_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: dict[str, Any] = {}

    class Model:
        class settings:
            from bythebook.prompts import PromptStyle as _style

            style = _style(template="short")

    def load(path: str | Path) -> Any:
        seen["path"] = path
        return Model()

    def ask(model: Any, examples: list[Example], **_: Any) -> list[Record]:
        seen.setdefault("texts", []).extend(e.text for e in examples)
        return []

    monkeypatch.setattr(work, "load_model", load)
    monkeypatch.setattr(work, "evaluate_examples", ask)
    monkeypatch.setattr(work, "train", lambda *_, **__: pytest.fail("nothing is trained"))
    assert work.run_arm("table_r1", "rl_csv", str(tmp_path), 0, QUICK) == "rl_csv"
    assert seen["path"] == tmp_path / "arms" / "rl" / "model"
    assert len(seen["texts"]) == QUICK.in_domain + QUICK.out_of_domain
    assert all("," in text.split("\n")[3] and "|" not in text for text in seen["texts"])
