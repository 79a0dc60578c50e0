"""Writes planned heads (`head_plan`) into a Llama from scratch, in place.

Scores are attention logits, summed over parts of a head that lie on rotary pairs of their own:

pairs 0, 1, 2        the fast ones: heads that stay at their own position, and the offset heads of layer 0
pairs 2, 3, 4        recency: the score falls with the distance, over about fifty tokens
pairs 5 … d/2 - 3    the code; these turn so slowly (theta 1e8) that distance doesn't matter
the slowest two      flags of the key; sink and gate
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from bythebook.training.head_plan import OUT, OWN, STATE, Flag, HeadPlan, Layout, ModelPlan

__all__ = ["CODE_PAIRS", "THETA", "install_heads"]

# Shapes: D hidden size, d head size, C code size, V vocabulary.

THETA = 1e8
"""Of the rotary embedding; the distances below are tuned for it and for heads of 32."""
CODE_PAIRS = 7
_FIRST_CODE_PAIR = 5
_CODE_NORM, _FLAG, _FORM, _SINK = 5.0, 2.0, 1.25, 50.0
"""Codes are large against what training adds in its first steps. With flags of .5, .8, 1.25, 2 and 3, there were
8, 17, 24, 27 and 11 right ones of 40 replies without training. The sink must outshine anything written at its place."""
_OUTPUT_SCALE = 0.45
_MATCH, _NEED, _POINT = 80.0, 80.0, 200.0
_NO_KEY = 0.9
"""Share of a match at which the sink wins: more than another token's code reaches, less than the same one's."""
_GATE, _STAY_GATE = (80.0, 0.05), (120.0, 0.4)
"""What every flag that lacks adds to the sink's score, and by how much of it an open gate lowers that; of heads
that match, and of those that stay."""
_STAY = {0: 200.0, 1: 100.0, 2: 100.0}
_STAYING = sum(_STAY.values())
_RECENT = {2: (14.0, 8.0), 3: (70.0, 10.0), 4: (60.0, 0.0)}
"""Rotary pair → score at the peak, and how many tokens ahead of the query that peak lies: on the slope behind it."""
_OFFSET_BIAS = (16.0, 14.0, 12.0)
_BIAS = 8.0
_PUSHES, _PUSH, _STEP = 200, 20.0, 0.1
_SHARP, _SAID = 16.0, 1.0
"""How steep a unit's gate is, for each flag; what it says, in codes."""


def install_heads(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, plan: ModelPlan, sample: Sequence[int], seed: int
) -> None:
    """Embeddings, offset heads and the planned heads; all else adds nothing until it is trained.

    `sample` is a text of the kind the model will read: the size of the residual stream is measured on its last forty
    tokens. ValueError if the plan does not fit, or a token of it is not one token.
    """
    config: Any = model.config
    layout = Layout(plan, config.hidden_size, 2 * CODE_PAIRS)
    _check(config, plan)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.mlp.down_proj.weight.zero_()
            layer.self_attn.o_proj.weight.zero_()
        _embed(model, tokenizer, plan, layout, seed)
        ids = torch.tensor([list(sample)])
        sink = list(sample).index(_one(tokenizer, plan.flags["sink"][0]))
        for number in range(config.num_hidden_layers):
            writer = _Writer(model, layout, number, *_sizes(model, ids, number, sink))
            if number == 0:
                for offset in plan.offsets:
                    writer.offset(offset)
            for head in plan.heads:
                if head.layer == number:
                    writer.head(head)
            if number == config.num_hidden_layers - 2:
                _say(model, tokenizer, layout, number, ids)


def _check(config: Any, plan: ModelPlan) -> None:
    heads, d = config.num_attention_heads, config.head_dim
    most = max(
        sum(h.layer == layer for h in plan.heads) + (len(plan.offsets) if layer == 0 else 0)
        for layer in range(config.num_hidden_layers)
    )
    if max(h.layer for h in plan.heads) >= config.num_hidden_layers or most > heads or d != 32:
        raise ValueError(f"the plan needs {most} heads of 32 in {1 + max(h.layer for h in plan.heads)} layers")
    if config.num_key_value_heads != heads:
        raise ValueError("the plan needs as many key/value heads as query heads")


def _one(tokenizer: PreTrainedTokenizerFast, text: str) -> int:
    found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    if len(found) != 1:
        raise ValueError(f"the plan needs {text!r} to be one token, it is {len(found)}")
    return found[0]


def _embed(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, plan: ModelPlan, layout: Layout, seed: int
) -> None:
    """Codes and flags into the embedding (V, D); the output reads block 0, `layout.form` and `layout.quote` alone."""
    table = model.model.embed_tokens.weight
    table.zero_()
    table[:, layout.block(OWN)] = _CODE_NORM * _codes(len(table), seed)
    for flag, tokens in plan.flags.items():
        for token in tokens:
            table[_one(tokenizer, token), layout.at((0, flag))] = _SINK if flag == "sink" else _FLAG
    for token in (*plan.silent, *plan.flags["sink"]):
        table[_one(tokenizer, token), layout.block(OWN)] = 0
    for token, model_token in plan.same_code.items():
        one, other = _one(tokenizer, token), _one(tokenizer, model_token)
        table[one, layout.block(OWN)] = table[other, layout.block(OWN)]
        table[one, layout.form], table[other, layout.form] = -_FORM, _FORM
    for token, model_token in plan.quoted.items():
        one, other = _one(tokenizer, token), _one(tokenizer, model_token)
        table[one, layout.block(OWN)] = table[other, layout.block(OWN)]
        table[one, layout.quote] = _FORM
    # Layer 0 reads a row divided by its length: a flag must weigh the same in a row that has more of them.
    flags = [layout.at((0, name)) for name in plan.flags if name != "sink"]
    table[:, flags] *= table.norm(dim=1, keepdim=True) / math.hypot(_CODE_NORM, _FLAG)
    model.model.norm.weight.zero_()
    model.model.norm.weight[layout.block(OWN)] = _OUTPUT_SCALE
    model.model.norm.weight[[layout.form, layout.quote]] = _OUTPUT_SCALE


def _codes(tokens: int, seed: int) -> torch.Tensor:
    """(V, C): random directions, pushed apart, so that no two tokens are taken for one another."""
    codes: torch.Tensor = torch.randn(tokens, 2 * CODE_PAIRS, generator=torch.Generator().manual_seed(seed))
    codes = codes / codes.norm(dim=1, keepdim=True)
    for _ in range(_PUSHES):
        near = (_PUSH * (codes @ codes.T)).fill_diagonal_(-torch.inf).softmax(dim=1)
        codes = codes - _STEP * near @ codes
        codes = codes / codes.norm(dim=1, keepdim=True)
    return codes


def _sizes(model: LlamaForCausalLM, ids: torch.Tensor, layer: int, sink: int) -> tuple[float, float]:
    """(1 / root mean square of a layer's input, the sink's flag as the layer reads it)"""
    states = model(ids, output_hidden_states=True).hidden_states[layer][0]  # (tokens, D)
    scale = states.pow(2).mean(-1).rsqrt()
    return float(scale[-40:].median()), float(states[sink].max() * scale[sink])


def _say(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, layout: Layout, layer: int, ids: torch.Tensor
) -> None:
    """A unit of a layer's MLP for each of the plan's tokens; the next layer makes them what is said. ValueError if
    there are too few units."""
    layers: Any = model.model.layers
    mlp, seen = layers[layer].mlp, list[torch.Tensor]()
    if len(layout.plan.says) > mlp.gate_proj.out_features:
        raise ValueError(f"the plan needs an MLP of {len(layout.plan.says)}")
    watch = layers[layer].post_attention_layernorm.register_forward_hook(lambda _m, _i, out: seen.append(out[0]))
    model(ids)
    watch.remove()
    always, table = layout.at(layout.plan.always), model.model.embed_tokens.weight
    flag = float(seen[0][-40:, always].median())
    for unit, said in enumerate(layout.plan.says):
        for projection in (mlp.gate_proj, mlp.up_proj):
            projection.weight[unit] = 0
        for name, weight in said.gate.weights.items():
            mlp.gate_proj.weight[unit, layout.at(name)] += _SHARP * weight / flag
        mlp.gate_proj.weight[unit, always] -= _SHARP * said.gate.threshold / flag
        mlp.up_proj.weight[unit, always] = 1 / flag
        mlp.down_proj.weight[:, unit] = 0
        if said.token is not None:
            code = table[_one(tokenizer, said.token), layout.block(OWN)]
            mlp.down_proj.weight[layout.block(OUT), unit] = _SAID * code / (_SHARP / 2)
        mlp.down_proj.weight[layout.form, unit] = said.form * _FORM / (_SHARP / 2)
        mlp.down_proj.weight[layout.quote, unit] = said.quote * _FORM / (_SHARP / 2)


class _Writer:
    """The next free head of one layer, again and again."""

    def __init__(self, model: LlamaForCausalLM, layout: Layout, layer: int, scale: float, sink: float) -> None:
        config: Any = model.config
        layers: Any = model.model.layers
        self._attention = layers[layer].self_attn
        self._layout, self._scale, self._sink = layout, scale, sink
        self._d, self._root = config.head_dim, math.sqrt(config.head_dim)
        pairs = torch.arange(self._d // 2).float()
        self._frequency = config.rope_parameters["rope_theta"] ** (-pairs * 2 / self._d)
        code = torch.arange(_FIRST_CODE_PAIR, _FIRST_CODE_PAIR + CODE_PAIRS)
        self._code = torch.cat([code, code + self._d // 2])
        self._used = 0
        self._sink_at = layout.at((0, "sink"))

    def _next(self) -> int:
        """The first row of a head, emptied."""
        start: int = self._used * self._d
        self._used += 1
        rows = slice(start, start + self._d)
        for projection in (self._attention.q_proj, self._attention.k_proj, self._attention.v_proj):
            projection.weight[rows] = 0
            projection.bias[rows] = 0
        self._attention.o_proj.weight[:, rows] = 0
        return start

    def offset(self, back: int) -> None:
        """The head that copies the code and the carried flags of the token `back` places back."""
        start, half = self._next(), self._d // 2
        bias = torch.zeros(half)
        bias[: len(_OFFSET_BIAS)] = torch.tensor(_OFFSET_BIAS)
        q, k = self._attention.q_proj, self._attention.k_proj
        q.bias[start : start + half] = bias
        k.bias[start : start + half] = bias * torch.cos(back * self._frequency)
        k.bias[start + half : start + 2 * half] = bias * torch.sin(back * self._frequency)
        self._copy(start, OWN, back, 1.0)
        carried = [flag for offset, flag in self._layout.plan.carried if offset == back]
        self._set(start, [((0, flag), (back, flag)) for flag in carried])

    def head(self, plan: HeadPlan) -> None:
        """A planned head."""
        start = self._next()
        if plan.query is not None:
            gain = 120.0 if plan.self_only else _MATCH
            weight = math.sqrt(gain * self._root) / (_CODE_NORM * self._scale)
            self._attention.q_proj.weight[start + self._code] = weight * self._layout.reads(plan.query)
            self._attention.k_proj.weight[start + self._code] = weight * self._layout.reads(plan.key)
        self._flags_of_the_key(plan, start + self._d // 2 - 2)
        self._sink_and_gate(plan, start + self._d // 2 - 1)
        self._position(plan, start)
        if plan.value is not None:
            self._copy(start, plan.value, plan.into, plan.gain)
        self._set(start, [(flag, (STATE, name)) for flag, name in plan.writes])

    def _points(self, plan: HeadPlan) -> bool:
        return plan.query is None and not plan.self_only

    def _flags_of_the_key(self, plan: HeadPlan, row: int) -> None:
        if not (plan.need or plan.avoid):
            return
        score = (_POINT if self._points(plan) else _NEED) * self._root / _BIAS / (_FLAG * self._scale)
        self._attention.q_proj.bias[row] = _BIAS
        key = self._attention.k_proj.weight[row]
        for flag in (*plan.need, *((plan.both,) if plan.both else ())):
            key[self._layout.at(flag)] += score
        for flag in plan.avoid:
            key[self._layout.at(flag)] -= 1.5 * score

    def _sink_and_gate(self, plan: HeadPlan, row: int) -> None:
        """The sink's score: `level` where the gate is open, more for every flag that lacks."""
        if self._points(plan):
            level = _POINT * (1.8 if plan.both else 0.9)
        elif plan.query is None:
            level = _STAYING - 35.0
        elif plan.self_only:
            level = _STAYING + 94.0
        else:
            level = _NO_KEY * (_MATCH + (_NEED if plan.need else 0))
        self._attention.k_proj.weight[row, self._sink_at] = _BIAS / self._sink
        if plan.gate is not None:
            gate, slack = _STAY_GATE if plan.self_only else _GATE
            level += gate * (plan.gate.threshold - slack)
            for flag, weight in plan.gate.weights.items():
                share = gate * weight * self._root / _BIAS / (_FLAG * self._scale)
                self._attention.q_proj.weight[row, self._layout.at(flag)] -= share
        self._attention.q_proj.bias[row] = level * self._root / _BIAS

    def _position(self, plan: HeadPlan, start: int) -> None:
        q, k, half = self._attention.q_proj.bias, self._attention.k_proj.bias, self._d // 2
        if plan.recent:
            for pair, (score, ahead) in _RECENT.items():
                bias, angle = math.sqrt(score * self._root), -ahead * float(self._frequency[pair])
                q[start + pair] = bias
                k[start + pair], k[start + pair + half] = bias * math.cos(angle), bias * math.sin(angle)
        if plan.self_only:
            for pair, score in _STAY.items():
                q[start + pair] = k[start + pair] = math.sqrt(score * self._root)
        if plan.recent or plan.self_only:  # the sink is as good from afar
            rows = slice(start, start + self._d)
            self._attention.k_proj.weight[rows, self._sink_at] -= k[rows] / self._sink

    def _copy(self, start: int, source: int | str, target: int | str, gain: float) -> None:
        """Value and output of a head: `gain` times the block `source` of the key, into `target`."""
        rows = slice(start, start + 2 * CODE_PAIRS)
        root = math.sqrt(abs(gain) / self._scale)
        self._attention.v_proj.weight[rows] = root * self._layout.reads(source)
        self._attention.o_proj.weight[:, rows] = math.copysign(root, gain) * self._layout.reads(target).T

    def _set(self, start: int, flags: Sequence[tuple[Flag | None, Flag]]) -> None:
        """Flags as values, in the rows behind the code's. ValueError if a head copies too many."""
        if 2 * CODE_PAIRS + len(flags) > self._d:
            raise ValueError(f"a head of {self._d} can't copy {len(flags)} flags")
        root = math.sqrt(1 / self._scale)
        for row, (source, target) in enumerate(flags, start=start + 2 * CODE_PAIRS):
            if source is None:  # 1, wherever the key is not the sink
                self._attention.v_proj.bias[row] = 1.0
                self._attention.v_proj.weight[row, self._sink_at] = -1.0 / self._sink
                self._attention.o_proj.weight[self._layout.at(target), row] = _FLAG
            else:
                self._attention.v_proj.weight[row, self._layout.at(source)] = root
                self._attention.o_proj.weight[self._layout.at(target), row] = root
