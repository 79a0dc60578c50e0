"""BLEU and ROUGE-L of free answers: those of sacrebleu and rouge-score."""

from __future__ import annotations

import builtins
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.errors import MissingExtraError
from bythebook.metrics import generated_text
from bythebook.metrics.generated_text import overlap, rouge_l, sentence_bleu

WORDS = "the cats were sitting on a mat , in 2004 , and won 3–0 ; yearly easily Ürsel's ( U.S. ) fairly happy".split()


def pairs(count: int) -> list[tuple[str, str]]:
    rng = random.Random(0)
    sentences = [" ".join(rng.choices(WORDS, k=rng.randint(1, 20))) for _ in range(count)]
    # Every other answer is its reference with words left out or moved.
    return [
        (s if i % 5 == 0 else " ".join(rng.sample(s.split(), max(1, len(s.split()) - i % 4))), s)
        for i, s in enumerate(sentences)
    ]


def test_fifty_pairs_are_as_the_libraries_score_them() -> None:
    bleu_library = pytest.importorskip("sacrebleu.metrics").BLEU(effective_order=True)
    rouge_library = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"], use_stemmer=True)
    found = pairs(50)
    for answer, reference in found:
        bleu, rouge = overlap(answer, [reference])
        assert bleu == pytest.approx(bleu_library.sentence_score(answer, [reference]).score / 100, abs=1e-6)
        assert rouge == pytest.approx(rouge_library.score(answer, reference)["rougeL"].fmeasure, abs=1e-6)
    assert len({overlap(a, [r]).mean for a, r in found}) > 25


def test_values_worked_out_by_hand() -> None:
    # Unigrams 3/4, bigrams 1/3, then smoothed 1/(2·2) and 1/(4·1): (3/4 · 1/3 · 1/4 · 1/4)^(1/4).
    assert sentence_bleu("a b x d", ["a b c d"]) == pytest.approx((3 / 4 / 3 / 4 / 4) ** 0.25)
    # The longest common subsequence has 3 of 4 words on either side.
    assert rouge_l("a b x d", ["a b c d"]) == pytest.approx(0.75)
    assert overlap("a b x d", ["a b c d"]).mean == pytest.approx(((3 / 4 / 3 / 4 / 4) ** 0.25 + 0.75) / 2)


def test_equal_texts_have_one_and_others_none() -> None:
    # Of one word there is one n-gram: effective order.
    for text in ("one", "The cat sat on the mat."):
        assert overlap(text, [text]) == pytest.approx((1.0, 1.0))
    assert overlap("", ["a"]) == (0.0, 0.0)
    assert rouge_l("dogs", ["dog"]) == 1.0  # stemmed


def test_the_best_of_several_references_counts() -> None:
    assert rouge_l("b", ["a", "b"]) == 1.0
    assert sentence_bleu("b", ["a", "b"]) == 1.0
    with pytest.raises(ValueError, match="no reference"):
        overlap("a", [])
    with pytest.raises(ValueError, match="no reference"):
        rouge_l("a", [])


@given(st.text(max_size=60) | st.sampled_from(["y" * 5_000, "sky" * 3_000, "\ud800", "\x00"]))
@settings(max_examples=100, deadline=None)
def test_every_text_has_a_score(text: str) -> None:
    for value in overlap(text, ["The reference of it."]):
        assert 0.0 <= value <= 1.0


def test_without_the_libraries_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] in ("sacrebleu", "rouge_score", "nltk"):
            raise ImportError(name)
        return real(name, *rest)

    functions: Sequence[Any] = (generated_text._bleu, generated_text._rouge)
    for function in functions:
        function.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)
    for measure in (sentence_bleu, rouge_l):
        with pytest.raises(MissingExtraError, match=r"pip install 'bythebook\[tables\]'"):
            measure("a", ["a"])
