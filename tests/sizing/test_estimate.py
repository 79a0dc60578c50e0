from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from bythebook.prompts import PromptStyle, render
from bythebook.recipe import load_recipe
from bythebook.sizing import estimate, estimate_lines, resolved_json, resolved_text
from bythebook.tasks import world

SMALL = ("data.options.train=24", "training.max_steps=5")


def test_prompts_are_counted_by_the_models_own_tokenizer() -> None:
    transformers = pytest.importorskip("transformers")
    from bythebook.generation import embedded_path

    found = estimate(load_recipe("r1_re_tiny", SMALL))
    tokenizer = transformers.AutoTokenizer.from_pretrained(embedded_path())
    style = PromptStyle(template="short", rendering="rules")
    lengths = [
        len(tokenizer.apply_chat_template(render(e, style), add_generation_prompt=True)["input_ids"])
        for e in world.load(seed=0, k=4, train=24)["train"]
    ]
    assert found["prompts"]["longest"] == max(lengths)
    assert found["prompts"]["mean"] == pytest.approx(sum(lengths) / 24)
    assert found["prompts"]["how"] == "the model's tokenizer"


def test_tokens_of_rl_by_hand() -> None:
    found = estimate(load_recipe("r1_re_tiny", [*SMALL, "rollout.prompts_per_step=6", "rollout.num_generations=4"]))
    step = found["tokens"]["step"]
    assert step["completions"] == 24
    assert step["prompt_tokens"] == round(24 * found["prompts"]["mean"])
    assert step["completion_tokens_at_most"] == 24 * 32
    assert found["tokens"]["in_all"] == {name: 5 * n for name, n in step.items()}
    assert found["tokens"]["passes"] == pytest.approx(5 * 6 / 24)


def test_tokens_of_sft_are_those_of_its_targets() -> None:
    pytest.importorskip("transformers")
    found = estimate(load_recipe("r1_re_tiny_sft", SMALL))
    # `<answer> Name-Half(e1,e2)</answer>` and the end: six tokens; five where the answer is `Other`.
    assert found["prompts"]["longest_completion"] == 6
    assert 5 <= found["prompts"]["mean_completion"] <= 6
    assert found["tokens"]["step"]["completions"] == 16


def test_without_tokenizer_tokens_are_estimated_from_characters_and_it_says_so(fixtures: Path) -> None:
    path = f"data.path={json.dumps(str(fixtures / 'semeval2010_task8'))}"
    found = estimate(load_recipe("r1_re", [path]))
    assert "not on this machine" in found["prompts"]["how"]
    from bythebook.tasks import semeval2010

    characters = [
        len(render(e, PromptStyle())[0]["content"])
        for e in semeval2010.load(fixtures / "semeval2010_task8", split="r1re")["train"]
    ]
    assert found["prompts"]["longest"] == pytest.approx(max(characters) / 3.5, abs=1)
    assert found["memory"]["80"]["gpus"] == 8
    assert found["memory"]["141"]["gpus"] == 4
    assert found["notes"] == []


@pytest.mark.parametrize("name", ["r1_re", "r1_re_llama", "r1_re_sft", "r1_re_mixed"])
def test_without_data_it_says_what_it_can(name: str) -> None:
    found = estimate(load_recipe(name))
    assert found["model"]["parameters"] in (7_615_616_512, 8_030_261_248)
    assert found["prompts"] is found["memory"] is None
    assert "--path" in found["notes"][0]
    assert "states alone take" in found["notes"][1]


def test_lora_needs_far_less() -> None:
    lora = "model.lora={r: 16, alpha: 32, dropout: 0.0, target_modules: all-linear}"
    whole, adapters = (
        estimate(load_recipe("r1_re", more))["notes"][1] for more in ([], [lora, "model.dtype=bfloat16"])
    )
    assert "152.3 GB" in whole  # 20 bytes a parameter: with the reference model
    assert "15.9 GB" in adapters  # 2 bytes a parameter, and 16 of each of 40 million in the adapters


def test_a_warm_start_gives_the_size_of_the_model() -> None:
    assert estimate(load_recipe("r1_re_semeval_tiny"))["model"]["source"] == "the recipe"


def test_an_unknown_model_leaves_the_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = estimate(load_recipe("r1_re_tiny", [*SMALL, "model.path=some/model"]))
    assert found["model"] is found["memory"] is None
    assert found["tokens"]["step"]["completions"] == 96
    assert "some/model" in found["notes"][0]


def test_a_micro_batch_that_fits_nowhere_is_said_to() -> None:
    found = estimate(load_recipe("r1_re_tiny", [*SMALL, "rollout.max_completion_length=9000000"]))
    assert found["memory"]["80"] is None
    assert "lower training.micro_batch_size" in "\n".join(estimate_lines(found))


def test_the_dry_run_is_the_recipe_under_comments() -> None:
    recipe = load_recipe("r1_re_tiny", SMALL)
    text = resolved_text(recipe)
    assert yaml.safe_load(text) == json.loads(json.dumps(recipe.model_dump(mode="json")))
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert any("80 GB GPUs: 1 needed" in line for line in comments)
    assert resolved_json(recipe)["estimate"] == estimate(recipe)
