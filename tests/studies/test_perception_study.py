"""The study of Perception-R1: what is noted of a record, McNemar's tests over kept records, arms that differ in what
their names say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bythebook.errors import InputError
from bythebook.evaluation.change import described
from bythebook.recipe import Recipe
from bythebook.records import Record, write_jsonl
from bythebook.studies.miniature.arms import SPLITS, Size
from bythebook.studies.miniature.figures import figure
from bythebook.studies.miniature.mcnemar_table import mcnemar_of, perceived_in
from bythebook.studies.miniature.perception_notes import perception_notes
from bythebook.studies.miniature.results import keep_experiments, results
from bythebook.studies.miniature.systems import MINIATURES
from bythebook.studies.miniature.work import noted, recipe_of
from bythebook.studies.reproduce import reproduce

STUDY = MINIATURES["perception_r1"]
FACTS = ["the circle is at b2", "the circle is red"]
COUNT = 12


def record(completion: str | None, *, name: str = "s", sample: int = 0, right: bool = True) -> Record:
    return Record(
        schema="bythebook.prediction/1",
        id=name,
        domain="colour",
        sample=sample,
        gold="red",
        correct=right,
        well_formed=True,
        status="ok" if right else "wrong",
        value=1.0,
        completion=completion,
        guideline="g",
        tags={"annotations": json.dumps(FACTS), "guideline_id": "colour"},
    )


@pytest.mark.parametrize(
    ("thinking", "perceived", "recall", "hedged"),
    [
        ("b2 is a large red circle", "1", "1", "0"),
        ("b1 is a large red circle", "0", "0.5", "0"),
        ("the circle is at b1 b2 . the circle is red blue", "0", "0", "1"),
        ("all is seen clearly", "0", "0", "0"),
        ("", "0", "0", "0"),
    ],
)
def test_what_is_noted_of_a_description(thinking: str, perceived: str, recall: str, hedged: str) -> None:
    found = record(f"<think> {thinking}</think><answer> red</answer>")
    notes = perception_notes(found)
    assert (notes["perceived"], notes["recall"], notes["hedged"]) == (perceived, recall, hedged)
    assert notes["assured"] == str(int("clearly" in thinking))
    assert (notes["perceived"] == "1") is described(found)
    assert notes["repeated"] == "0"


def test_what_is_said_again_is_noted_and_what_failed_is_not() -> None:
    said = "a1 is a small blue star . b2 is a large red circle"
    twice = perception_notes(record(f"<think> {said} . {said}</think><answer> red</answer>"))
    # 29 words make 22 runs of 8, of which those that begin in the second saying were there before.
    assert float(twice["repeated"]) == pytest.approx(5 / 22, abs=1e-3)
    assert twice["perceived"] == "1"
    assert perception_notes(record(None)) == {}
    rows = noted(STUDY, [record("<think>b2 is a red circle</think><answer>red</answer>")])
    assert perceived_in(rows[0]) is True
    assert perceived_in(record(None)) is None
    assert noted(MINIATURES["archer"], [record(None)]) == [record(None)]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Two seeds: the start sees the facts of 2 questions of 12, `perception` those of 11, `accuracy` the same 2."""
    saw = {"start": 2, "perception": 11, "accuracy": 2}
    for seed in range(2):
        folder = tmp_path / "run" / f"seed{seed}"
        for arm, seen in saw.items():
            for split in SPLITS:
                rows = [
                    record(
                        f"<think> {'b2' if i < seen else 'b1'} is a red circle</think><answer> red</answer>",
                        name=f"s{i}",
                        sample=sample,
                        right=i != 0 or arm == "start",
                    )
                    for i in range(COUNT)
                    for sample in range(-1, 2)
                ]
                write_jsonl(folder / "records" / f"{arm}.{split}.jsonl", noted(STUDY, rows))
        (folder / "size.json").write_text(json.dumps({"system": "perception_r1"}), encoding="utf-8")
    keep_experiments(tmp_path / "run", tmp_path / "kept")
    return tmp_path / "kept"


def test_mcnemar_over_kept_records_by_hand(kept: Path) -> None:
    seeds = sorted(kept.glob("seed*"))
    found = mcnemar_of(seeds, "start", "perception", "ood", perceived_in)
    assert [(one.gained, one.lost, one.n, one.p) for one in found if one] == [(9, 0, COUNT, 2 / 2**9)] * 2
    assert mcnemar_of(seeds, "start", "accuracy", "ood", perceived_in) == [None, None]
    assert mcnemar_of(seeds, "start", "yes_judge", "ood", perceived_in) == [None, None]
    assert figure(seeds[0], "perception", "ood", "perceived") == pytest.approx(11 / 12)
    assert figure(seeds[0], "start", "id", "facts") == pytest.approx((2 + 10 * 0.5) / 12, abs=1e-3)
    assert figure(seeds[0], "perception", "ood", "described") == pytest.approx(11 / 12)
    assert figure(seeds[0], "yes_judge", "id", "facts") is None


def test_the_page_has_the_tests_beside_the_differences(kept: Path) -> None:
    tables = results(kept)
    assert "| + γ·r_v, presence | OOD | all facts | +75.0 | 18 | 0 | 0.0039, 0.0039 |" in tables
    assert "| + γ·r_v, presence | ID | right answer | -8.3 | 0 | 2 | 1, 1 |" in tables
    assert "| accuracy alone | ID | all facts | – | – | – | – |" in tables
    assert f"{COUNT} pairs a seed" in tables
    assert tables.index("### Descriptions") < tables.index("### McNemar's tests") < tables.index("### Claims")


def test_kept_records_have_figures_and_no_text(kept: Path) -> None:
    from bythebook.records import read_records

    (first, *_) = read_records(kept / "seed0" / "records" / "start.id.jsonl.gz")
    assert first.completion is None
    assert set(first.tags) == {"guideline_id", "perceived", "recall", "hedged", "repeated", "assured"}


def _recipe(arm: str) -> Recipe:
    recipe = recipe_of(STUDY.arm(arm), 0, Size(), begin=Path("model"), questions=STUDY.questions)
    assert recipe is not None
    return recipe


def test_every_arm_is_asked_two_hundred_questions_and_more_of_both_kinds() -> None:
    assert all(n >= 200 for n in STUDY.questions.sizes(Size()).values())
    assert set(STUDY.questions.sizes(Size())) == {"id", "unusual"}


def test_arms_differ_in_what_is_paid_and_in_nothing_else() -> None:
    plain = _recipe("accuracy").model_dump(exclude={"reward"})
    for arm in STUDY.arms[1:]:
        recipe = _recipe(arm.name)
        own = recipe.model_dump(exclude={"reward"})
        if arm.name == "accuracy_unusual":
            assert own["data"]["options"].pop("habit") == 0
            own["data"]["options"]["habit"] = plain["data"]["options"]["habit"]
            assert recipe.reward == _recipe("accuracy").reward
        assert own == plain
        assert recipe.reward is not None
        assert recipe.reward.options["window"] == 8
    terms = {arm: _recipe(arm).reward.options.get("repetition", 2.0) for arm in ("perception", "no_repetition")}  # type: ignore[union-attr]
    assert terms == {"perception": 2.0, "no_repetition": 0.0}


def test_the_start_is_its_own_whatever_model_is_named(tmp_path: Path) -> None:
    recipe = recipe_of(STUDY.arms[0], 0, Size(model="another"), questions=STUDY.questions)
    assert recipe is not None
    assert recipe.model.path == "scratch"
    with pytest.raises(InputError, match="makes its own model"):
        reproduce("perception_r1", tmp_path, model="another")
    assert not list(tmp_path.iterdir())
