"""Both sides of the benches in this process: equal work, and a peer that is not held back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from transformers import Qwen2Model
from trl import GRPOTrainer

from bythebook.errors import InputError
from bythebook.generation import embedded_path
from bythebook.generation.shared.interface import NAME
from bythebook.studies.bench_sides import ProcessMemory, TurnsOver
from bythebook.training import objective
from bythebook.training.benches import replay, steps
from bythebook.training.benches.decoding import (
    Decoding,
    common_length,
    generate_after_prefix,
    generate_in_batches,
    rollouts,
)
from bythebook.training.benches.sentences import completed, prompts_of, reader, sentences
from bythebook.training.benches.workload import Workload, build, check, number_tokenizer

TINY = {"model": "tiny", "guideline": 24, "tail": 6, "prompts": 2, "group": 4, "completion": 5, "threads": 1}


class Counted:
    """So many turns, in this process."""

    def __init__(self, turns: int) -> None:
        self.left, self.values, self.meter = turns, list[Any](), ProcessMemory()

    def begin(self) -> None:
        if not self.left:
            raise TurnsOver

    def end(self, value: Any = None) -> None:
        self.left -= 1
        self.values.append(value)


def run(work: Any, turns: int = 1, **arguments: Any) -> list[Any]:
    """What a side gives in so many turns."""
    counted = Counted(turns)
    with pytest.raises(TurnsOver):
        work(counted, **arguments)
    return counted.values


def test_prompts_share_the_guideline_and_nothing_behind_it() -> None:
    workload = Workload(**{**TINY, "prompts": 30})
    prompts = workload.prompt_ids()
    assert {len(ids) for ids in prompts} == {30}
    assert len({tuple(ids[:24]) for ids in prompts}) == 1
    assert len({ids[24] for ids in prompts}) == 30
    assert prompts == workload.prompt_ids()
    assert min(min(ids) for ids in prompts) > 0
    tokenizer = number_tokenizer(64)
    assert tokenizer(tokenizer.batch_decode(prompts))["input_ids"] == prompts


def test_sizes_and_names_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="64 prompts can't differ"):
        Workload(**{**TINY, "prompts": 64}).prompt_ids()
    for wrong, said in (
        ({"device": "tpu"}, "no device 'tpu'"),
        ({"dtype": "int8"}, r"no dtype 'int8' \(float32 or bfloat16\)"),
        ({"loss_type": "x"}, r"no loss 'x' .*dapo, grpo, dr_grpo"),
        ({"model": "gpt"}, r"no shape 'gpt' .*qwen2-6m.*embedded"),
    ):
        with pytest.raises(InputError, match=said):
            check(Workload(**{**TINY, **wrong}))
    check(Workload(**TINY))


@pytest.mark.parametrize(("name", "vocabulary", "parameters"), [("qwen2-6m", None, 6_037_248), ("tiny", 128, 7_344)])
def test_shapes_have_the_size_they_claim(name: str, vocabulary: int | None, parameters: int) -> None:
    workload = Workload(model=name, vocabulary=vocabulary)
    model = build(workload)
    assert model.num_parameters() == parameters
    assert model.config.tie_word_embeddings
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), build(workload).parameters(), strict=True))


def test_the_embedded_shape_is_that_of_the_embedded_model() -> None:
    with safe_open(embedded_path() / "model.safetensors", framework="pt") as weights:
        wanted = {name: list(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
    found = {name: list(p.shape) for name, p in build(Workload(model="embedded")).named_parameters()}
    assert found == wanted


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The trainers that are made."""
    found: list[Any] = []
    make = steps.make_trainer
    monkeypatch.setattr(steps, "make_trainer", lambda *a: found.append(make(*a)) or found[-1])
    return found


@pytest.mark.parametrize("side", ["trl", "ours", "plain"])
def test_a_turn_is_one_step_with_its_generation(side: str, made: list[Any]) -> None:
    run(steps.step, 3, side=side, micro_batch=4, checkpointing=False, workload=TINY)
    (trainer,) = made
    assert trainer.state.global_step == 3
    assert trainer.args.gradient_accumulation_steps == 2
    generated = [x["completion_mask"].sum().item() for x in trainer._buffered_inputs]
    assert sum(generated) == 8 * 5
    assert (type(trainer) is GRPOTrainer) == (side == "trl")
    assert getattr(trainer, "shares_prefix", False) == (side == "ours")


def test_the_peer_is_trl_as_it_is_and_not_held_back(made: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    forwarded: list[tuple[int, ...]] = []
    forward = Qwen2Model.forward

    def watched(self: Any, input_ids: Any = None, **kwargs: Any) -> Any:
        forwarded.append(tuple(input_ids.shape))
        return forward(self, input_ids=input_ids, **kwargs)

    monkeypatch.setattr(Qwen2Model, "forward", watched)
    run(steps.step, side="trl", micro_batch=2, checkpointing=False, workload=TINY)
    (trainer,) = made
    # All rollouts are generated at once with a cache, however the update's batch is split; then one pass a micro-batch.
    assert forwarded == [(8, 30), *[(8, 1)] * 4, *[(2, 35)] * 4]
    assert trainer.model.config._attn_implementation == "sdpa"
    assert not trainer.model.is_gradient_checkpointing
    assert trainer.ref_model is None
    assert trainer.args.report_to == []


def test_activations_are_kept_or_not_as_asked(made: list[Any]) -> None:
    run(steps.step, side="trl", micro_batch=4, checkpointing=True, workload=TINY)
    assert made[0].model.is_gradient_checkpointing


@pytest.mark.parametrize("loss_type", ["dapo", "grpo", "dr_grpo"])
def test_a_recorded_step_is_equal(loss_type: str) -> None:
    (found,) = run(replay.compare, ours=8, peer=2, workload={**TINY, "loss_type": loss_type})
    assert found["loss"] < 1e-5
    assert found["gradient"] < 1e-4
    assert abs(found["loss_value"]) > 0.1


def test_a_loss_that_is_another_one_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = objective.policy_loss

    def wrong(logp: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        return right(logp * 1.01, *args, **kwargs)

    monkeypatch.setattr(objective, "policy_loss", wrong)
    (found,) = run(replay.compare, ours=8, peer=8, workload=TINY)
    assert found["gradient"] > 1e-3
    assert found["loss"] > 1e-3


def test_what_all_prompts_have_in_common() -> None:
    assert common_length([[1, 2, 3, 4], [1, 2, 5, 4], [1, 2, 3, 9]]) == 2
    assert common_length([[1, 2], [1, 2]]) == 1
    assert common_length([[1, 2, 3], [1, 2]]) == 1
    assert common_length([[1, 2], [3, 2]]) == 0


@pytest.mark.parametrize("batch_size", [2, 3, 8])
def test_the_peers_decode_alike_whatever_the_batch(batch_size: int) -> None:
    model = build(Workload(**{**TINY, "prompts": 5}))
    prompts = Workload(**{**TINY, "prompts": 5}).prompt_ids()
    prompts = [ids[: len(ids) - i % 3] for i, ids in enumerate(prompts)]
    alone = [generate_in_batches(model, [ids], Decoding(5, 1, pad=0, end=64))[0] for ids in prompts]
    how = Decoding(5, batch_size, pad=0, end=64)
    assert generate_in_batches(model, prompts, how) == alone
    assert generate_after_prefix(model, prompts, how) == alone
    assert {len(ids) for ids in alone} == {5}


def test_completions_end_before_the_end_token() -> None:
    model = build(Workload(**TINY))
    prompts = Workload(**TINY).prompt_ids()
    (first, *_), _ = whole = generate_in_batches(model, prompts, Decoding(5, 2, pad=0, end=64))
    cut = generate_in_batches(model, prompts, Decoding(5, 2, pad=0, end=first))
    assert cut[0] == []
    assert cut == [ids[: ids.index(first)] if first in ids else ids for ids in whole]


def test_rollouts_are_the_same_texts_on_all_sides() -> None:
    different = {**TINY, "prompts": 8, "group": 1}
    found = [
        run(rollouts, 2, side=side, batch_size=4, greedy=True, workload=different)
        for side in ("ours", "generate", "cached")
    ]
    assert found[0] == found[1] == found[2]
    assert [len(text.split()) for text in found[0][0]] == [5] * 8
    assert run(rollouts, side="ours", batch_size=8, greedy=False, workload=TINY) == [None]


def test_sentences_are_different_ones_under_one_guideline() -> None:
    texts = sentences(200, 0)
    assert len(set(texts)) == 200
    model, tokenizer = reader(Workload(vocabulary=8192, model="tiny"))
    assert len(tokenizer) == model.config.vocab_size == 8192
    ids = tokenizer(prompts_of(texts, tokenizer), add_special_tokens=False)["input_ids"]
    assert 900 < common_length(ids) < 1_300
    assert max(map(len, ids)) < common_length(ids) + 120


def test_the_peer_reads_the_prompts_that_annotate_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    from bythebook.annotation import annotate
    from bythebook.training.benches.sentences import GUIDELINE, shared_model

    workload = {"model": "tiny", "vocabulary": 1024, "threads": 1}
    texts = sentences(4, 0)
    found = annotate(texts, GUIDELINE, model=shared_model(Workload(**workload))(), max_new_tokens=4)  # type: ignore[arg-type]
    ((*theirs,),) = run(completed, peer="generate", texts=texts, batch_size=2, new_tokens=4, workload=workload)
    assert [prediction["completion"] for prediction in found] == theirs
    assert any(theirs)


def test_the_reward_is_a_share_of_tokens(tmp_path: Path) -> None:
    reward = steps.small_ids(64)
    assert reward(completion_ids=[[1, 2, 40, 50], [31, 32]], prompts=["x", "y"]) == [0.5, 0.5]
    assert steps.KINDS["trl"] is GRPOTrainer
    assert build(Workload(**TINY)).config._attn_implementation != NAME
