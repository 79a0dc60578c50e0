"""Log-probs from a pack beside those of each sequence alone, for several architectures."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
import transformers

from bythebook.generation.shared.interface import NAME, shared_attention_in, use_shared_attention
from bythebook.generation.shared.scores import score_pack
from bythebook.prefix import plan_prefixes

SIZE = {
    "vocab_size": 90,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "initializer_range": 0.2,
}
MODELS = {
    "Qwen2": {},
    "Qwen3": {"head_dim": 8},
    "Llama": {"num_key_value_heads": 4},
    "Mistral": {"sliding_window": None},
    "Gemma": {"head_dim": 8},
    "Olmo2": {},
    "Granite": {"logits_scaling": 2.0},
    "Qwen3Moe": {"head_dim": 8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16},
}


def a_model(name: str, **more: Any) -> Any:
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**{**SIZE, **MODELS[name], **more})
    return getattr(transformers, f"{name}ForCausalLM")(config).eval()


def a_batch() -> tuple[list[list[int]], list[int]]:
    """Two guidelines, prompts, ragged completions, one of them empty and two equal."""
    draw = random.Random(0)
    sequences, prompts = [], []
    for length in (40, 7):
        guideline = [draw.randrange(90) for _ in range(length)]
        for tail in (2, 25):
            prompt = guideline + [draw.randrange(90) for _ in range(tail)]
            for completion in (0, 1, 5, 9):
                sequences.append(prompt + [draw.randrange(90) for _ in range(completion)])
                prompts.append(len(prompt))
    return [*sequences, sequences[3]], [*prompts, prompts[3]]


def one_by_one(model: Any, sequences: list[list[int]], prompts: list[int], temperature: float) -> tuple[Any, Any]:
    found = []
    for sequence, prompt in zip(sequences, prompts, strict=True):
        logits = model(input_ids=torch.tensor([sequence])).logits[0, prompt - 1 : -1] / temperature
        found.append((logits.log_softmax(-1), torch.tensor(sequence[prompt:], dtype=torch.long)))
    log_probs = torch.cat([p.gather(-1, t[:, None])[:, 0] for p, t in found])
    return log_probs, torch.cat([-(p.exp() * p).sum(-1) for p, _ in found])


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_scores_and_gradients_are_those_of_each_sequence_alone(name: str, checkpointing: bool) -> None:
    model = a_model(name)
    sequences, prompts = a_batch()
    log_probs, entropy = one_by_one(model, sequences, prompts, 0.8)
    weights = torch.randn(len(log_probs), generator=torch.Generator().manual_seed(1))
    (log_probs @ weights).backward()
    wanted = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    use_shared_attention(model)
    if checkpointing:
        model.activation_checkpointing_enable()
        model.train()
    plan = plan_prefixes(sequences)
    scores = score_pack(model, plan, prompts, temperature=0.8, entropy=True)
    (scores.log_probs @ weights).backward()
    assert torch.allclose(scores.log_probs, log_probs, atol=1e-5)
    assert torch.allclose(scores.entropies, entropy, atol=1e-5)
    for parameter, value in model.named_parameters():
        assert (value.grad - wanted[parameter]).norm() <= 1e-4 * wanted[parameter].norm() + 1e-6, parameter


def test_entropies_carry_a_gradient_when_asked() -> None:
    model = a_model("Qwen2")
    sequences, prompts = a_batch()
    _, entropy = one_by_one(model, sequences, prompts, 1.0)
    wanted = torch.autograd.grad(entropy.sum(), model.lm_head.weight)[0]
    use_shared_attention(model)
    plan = plan_prefixes(sequences)
    plain = score_pack(model, plan, prompts, temperature=1.0, entropy=True)
    assert plain.entropies is not None
    assert not plain.entropies.requires_grad
    asked = score_pack(model, plan, prompts, temperature=1.0, entropy=True, entropy_gradient=True)
    found = torch.autograd.grad(asked.entropies.sum(), model.lm_head.weight)[0]
    assert (found - wanted).norm() <= 1e-4 * wanted.norm()


def test_autocast_casts_as_it_does_for_the_plain_path() -> None:
    model = a_model("Qwen2")
    sequences, prompts = a_batch()
    exact, _ = one_by_one(model, sequences, prompts, 1.0)
    with torch.autocast("cpu", torch.bfloat16):
        plain, _ = one_by_one(model, sequences, prompts, 1.0)
        use_shared_attention(model)
        ours = score_pack(model, plan_prefixes(sequences), prompts, temperature=1.0, entropy=False).log_probs
    ours.sum().backward()
    assert (ours - exact).abs().mean() <= 1.5 * (plain - exact).abs().mean()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_without_a_pack_the_model_computes_as_before() -> None:
    model = a_model("Qwen2")
    ids = torch.tensor([[0, 0, 5, 6, 7], [1, 2, 3, 4, 5]])
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    before = model(input_ids=ids, attention_mask=mask).logits
    with shared_attention_in(model):
        assert model.config._attn_implementation == NAME
        assert torch.equal(model(input_ids=ids, attention_mask=mask).logits, before)
        drawn = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=4, do_sample=False)
    assert model.config._attn_implementation == "sdpa"
    assert torch.equal(model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=4, do_sample=False), drawn)


def test_a_saved_model_does_not_name_the_engine(tmp_path: Any) -> None:
    model = a_model("Llama")
    use_shared_attention(model)
    model.save_pretrained(tmp_path)
    assert NAME not in (tmp_path / "config.json").read_text()
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    assert again.config._attn_implementation == "sdpa"
