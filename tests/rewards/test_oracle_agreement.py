"""The reward agrees with an oracle that was written from the spec by another route."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from completions import MUTATIONS, completion
from hypothesis import given, settings
from hypothesis import strategies as st
from r1_re_oracle import PlainGold, Terms, oracle, single_answer

from bythebook.rewards import R1RE, TextReward
from bythebook.schema import Gold, Grammar
from bythebook.types import FinishReason, Label

_GRAMMARS = (
    Grammar(relations=("Cause-Effect", "Component-Whole"), no_relation="Other"),
    Grammar(relations=("R1", "R2", "R7"), no_relation="none"),
    Grammar(relations=("associated_with", "located_in"), symmetric=("associated_with",)),
    Grammar(relations=("born in", "née", "x"), symmetric=("x",), no_relation="no relation"),
)
_TERMS = (
    Terms(),
    Terms(anchored=True),
    Terms(unparseable=-1.0),
    Terms(wrong=-1.0),
    Terms(prefilled=True),
    Terms(prefilled=True, anchored=True, unparseable=-1.0),
)
_REASONS: tuple[FinishReason, ...] = ("stop", "stop", "stop", "length", "error")


def _case(grammar: Grammar, label: Label) -> tuple[Gold, PlainGold]:
    order = {"(e1,e2)": "12", "(e2,e1)": "21", None: ""}[label.direction]
    plain = PlainGold(
        label.name, order, frozenset(grammar.relations), frozenset(grammar.symmetric), grammar.no_relation
    )
    return Gold(label=label, grammar=grammar), plain


_CASES = tuple(_case(grammar, label) for grammar in _GRAMMARS for label in grammar.labels)


def _reward(terms: Terms) -> TextReward:
    judge = R1RE(
        bad_format=terms.bad,
        wrong=terms.wrong,
        right=terms.right,
        anchored=terms.anchored,
        unparseable=terms.unparseable,
    )
    return TextReward("r1_re", judge, prefilled=terms.prefilled)


_REWARDS = tuple(_reward(terms) for terms in _TERMS)


def _agree(text: str, case: tuple[Gold, PlainGold], which: int, reason: FinishReason) -> str:
    """Compare one verdict; returns its status."""
    gold, plain = case
    verdict = _REWARDS[which].verdict(text, gold.to_json(), reason)
    assert (verdict.value, verdict.status) == oracle(text, plain, reason, _TERMS[which]), (text, gold, _TERMS[which])
    if verdict.value is not None:
        assert sum(part.value for part in verdict.parts.values()) == verdict.value
    if not _TERMS[which].prefilled:
        item = _REWARDS[which].parsed(text, gold.to_json()).answer
        found = None if item is None or item.label is None else item.label
        order = {"(e1,e2)": "12", "(e2,e1)": "21", None: ""}
        assert (None if found is None else (found.name, order[found.direction])) == single_answer(text, plain), text
    return verdict.status


def _run(seed: int, count: int) -> Counter[str]:
    rng = random.Random(seed)
    statuses: Counter[str] = Counter()
    for _ in range(count):
        case = rng.choice(_CASES)
        labels = case[0].grammar.labels
        answers = (*(label.text for label in labels), "Unknown(e1,e2)", "Other", "Other(e1,e2)", "R1", "R1(e1,e1)", "")
        text = completion(rng, answers, case[0].label.text)
        statuses[_agree(text, case, rng.randrange(len(_TERMS)), rng.choice(_REASONS))] += 1
    return statuses


def test_twenty_thousand_completions() -> None:
    statuses = _run(seed=1, count=20_000)
    # Each outcome must be met often, else the comparison says little.
    assert set(statuses) == {"ok", "wrong", "malformed", "no_answer", "truncated", "unscored"}
    assert min(statuses.values()) > 500


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_fifty_thousand_completions(seed: int) -> None:
    assert _run(seed=seed, count=50_000)["ok"] > 2_000


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.__name__)
def test_each_mutation_alone(mutation: object) -> None:
    rng = random.Random(repr(mutation.__name__))  # type: ignore[attr-defined]
    for case in _CASES:
        for which in range(len(_TERMS)):
            text = f"<think>so it is</think><answer>{case[0].label.text}</answer>"
            _agree(mutation(rng, text), case, which, "stop")  # type: ignore[operator]


_FRAGMENT = st.sampled_from(
    ["<think>", "</think>", "<answer>", "</answer>", "Cause-Effect", "(e1,e2)", "(e2,e1)", "Other", " ", "\n", "</s>"]
)
_TEXT = st.lists(st.one_of(_FRAGMENT, st.text(max_size=6)), max_size=12).map("".join)


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(
    text=_TEXT,
    case=st.sampled_from(_CASES),
    which=st.integers(0, len(_TERMS) - 1),
    reason=st.sampled_from(_REASONS),
)
def test_fragments_in_any_order(text: str, case: tuple[Gold, PlainGold], which: int, reason: FinishReason) -> None:
    _agree(text, case, which, reason)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(inside=st.text(max_size=30), case=st.sampled_from(_CASES))
def test_any_text_as_the_answer(inside: str, case: tuple[Gold, PlainGold]) -> None:
    _agree(f"<think>t</think><answer>{inside}</answer>", case, 0, "stop")


@pytest.mark.parametrize(("gold_is_given", "reason"), [(False, "stop"), (True, "error")])
def test_what_can_not_be_scored(gold_is_given: bool, reason: FinishReason) -> None:
    gold, plain = _CASES[0]
    text = f"<think>t</think><answer>{gold.label.text}</answer>"
    verdict = _REWARDS[0].verdict(text, gold.to_json() if gold_is_given else None, reason)
    assert (
        (verdict.value, verdict.status) == oracle(text, plain if gold_is_given else None, reason) == (None, "unscored")
    )
