from __future__ import annotations

import json
from pathlib import Path

import pytest

from bythebook.metrics.semeval2010 import OFFICIAL
from bythebook.recipe import load_recipe
from bythebook.records import read_records
from bythebook.studies.runs import run_recipe

ROOT = Path(__file__).parents[2]
SHORT = [
    "training.max_steps=2",
    "rollout.prompts_per_step=2",
    "rollout.num_generations=2",
    "rollout.max_completion_length=8",
    "training.batch_size=4",
    "training.micro_batch_size=4",
    "training.save_steps=0",
    "evaluation.every=0",
    "evaluation.max_new_tokens=8",
]
WARM = [
    "training.max_steps=3",
    "training.batch_size=2",
    "training.micro_batch_size=2",
    "training.sentences_per_row=2",
    "training.save_steps=0",
    "evaluation.every=0",
    "model.scratch.hidden_size=40",
    "model.scratch.mlp_size=64",
    "model.scratch.vocabulary=800",
]


@pytest.mark.slow
@pytest.mark.parametrize("source", ["fixture", "real"])
def test_semeval_from_scratch_runs_from_warm_start_to_official_score(
    source: str, tmp_path: Path, fixtures: Path, request: pytest.FixtureRequest
) -> None:
    if source == "real":
        data = request.getfixturevalue("licensed_data") / "semeval2010_task8"
    else:
        data = fixtures / "semeval2010_task8"
    recipe = load_recipe(
        "r1_re_semeval_tiny", [*SHORT, f"data.path={json.dumps(str(data))}", "evaluation.final_limit=40"]
    )
    found = run_recipe(recipe, tmp_path / "run", quiet=True, warm_overrides=WARM)
    assert set(found["scores"]) >= {"start", "trained", "majority class", "majority relation", "bag of words"}
    for model in ("start", "trained"):
        official = found["scores"][model]["test"]["official"][OFFICIAL]
        assert official is None or 0 <= official <= 1
    assert json.loads((tmp_path / "run/scores.json").read_text()) == found["scores"]
    assert Path(found["report"]).is_file()
    for name in ("start", "trained"):
        records = read_records(tmp_path / f"run/records/{name}.test.jsonl")
        assert records
        # Licensed sentences could come back in a completion, so none is kept.
        assert all(r.completion is None for r in records)
    assert (tmp_path / "run/warm_start/model/config.json").exists()
