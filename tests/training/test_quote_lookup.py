"""The heads that go from a quoted definition to the code in its line."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pytest
import torch

from bythebook.guidelines import Variation, load_from_library
from bythebook.guidelines.variations import varied_guideline
from bythebook.prompts.render import render_guideline
from bythebook.training.lookup_heads import QUOTE_LOOKUP
from bythebook.training.small_models import SmallModelConfig, build_model, train_tokenizer

SIZE: dict[str, Any] = {"heads": 4, "layers": 3}


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """A guideline under codes, line by line, without that of no relation."""
    shown = varied_guideline(load_from_library("semeval2010"), Variation(shuffle_relations=1, rename_labels=1))
    return render_guideline(shown, "brief").splitlines()[:-1]


@pytest.fixture(scope="module")
def tokenizer(lines: list[str]) -> Any:
    return train_tokenizer(lines * 50, 800)


def _asked(lines: list[str], line: str, tokenizer: Any) -> list[str]:
    """Tokens of guideline and answer up to the first digit of the code."""
    code, _, definition = line.removeprefix("- ").partition(": ")
    quoted = " ".join(definition.split()[:3]).rstrip(",")
    ids = tokenizer("\n".join(lines) + f"<think>{quoted}</think><answer>{code[:2]}")["input_ids"]
    return [tokenizer.decode([i]) for i in ids]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_quotation_leads_to_its_line_before_any_training(seed: int, lines: list[str], tokenizer: Any) -> None:
    """Of the words in one place of all lines, the one quoted is attended to most, well above chance."""
    model = build_model(SmallModelConfig(**SIZE, lookup_heads="quotes"), tokenizer, seed).eval()
    model.set_attn_implementation("eager")
    found = []
    for line in lines:
        texts = _asked(lines, line, tokenizer)
        ids = torch.tensor([tokenizer("".join(texts))["input_ids"]])
        assert ids.shape[1] == len(texts)
        with torch.no_grad():
            seen = model(ids, output_attentions=True).attentions[1][0]
        colons = [i for i, text in enumerate(texts) if text == ":" and texts[i - 1].isdigit()]
        assert len(colons) == len(lines)
        (own,) = [i for i in colons if texts[i - 2 : i] == list(line[3:5])]
        for head, (query, place) in enumerate(((-2, 2), (-2, 3), (-1, 2), (-1, 3))):
            best = max((i + place for i in colons), key=lambda i: seen[head, query, i].item())
            found.append(texts[best] == texts[own + place])
    assert fmean(found) > 3 / len(lines)


def test_the_digits_lie_where_the_heads_copy_from(lines: list[str], tokenizer: Any) -> None:
    for line in lines:
        texts = _asked(lines, line, tokenizer)
        at_r, at_digit = len(texts) - 2, len(texts) - 1
        assert (texts[at_r], texts[at_digit]) == ("R", line[3])
        words = line.partition(": ")[2].replace(",", "").split()[:3]
        for (back, _, ahead), query, digit, word in zip(
            QUOTE_LOOKUP.matches, (at_r, at_r, at_digit, at_digit), (3, 3, 4, 4), (1, 2, 1, 2), strict=True
        ):
            assert texts[query - back].strip() == words[word]
            keys = [
                i for i in range(ahead, at_r - 5) if texts[i].strip() == words[word] and texts[i - 2 - word + 1] == ":"
            ]
            assert line[digit] in {texts[i - ahead] for i in keys}


def test_a_plan_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="lookup_heads"):
        SmallModelConfig(lookup_heads="verbs")  # type: ignore[arg-type]
