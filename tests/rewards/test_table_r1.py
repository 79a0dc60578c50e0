"""Table-R1's reward with its faults mended."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_golds import BARE, ENTAILED, FREE, SENTENCE, TWO, gold, say

from bythebook.errors import DataError, RecipeError
from bythebook.rewards import reward
from bythebook.rewards.answers import Monitor, answer_of, gold_text
from bythebook.schema import read_gold
from bythebook.schema.answers import AnswerGold
from bythebook.schema.table_answers import TableGold
from bythebook.types import FinishReason, Status, Verdict

OURS = reward("table_r1")
GATE = reward("table_r1", fallback=0.0)
BEST = 1.1


def judged(text: str, its_gold: str, reason: FinishReason = "stop", **options: Any) -> Verdict:
    verdict = reward("table_r1", **options).verdict(text, its_gold, reason)
    assert verdict.value == pytest.approx(sum(part.value for part in verdict.parts.values()))
    assert "format" in verdict.parts
    return verdict


@pytest.mark.parametrize(
    ("text", "its_gold", "value", "status"),
    [
        (say('["3"]'), gold("3"), BEST, "ok"),
        (say("[3]"), gold("3"), BEST, "ok"),
        (say('["3"]') + "\n", gold("3"), BEST, "ok"),
        (say('["3"]') + "<|im_end|>", gold("3"), BEST, "ok"),
        (say('["3.005"]'), gold("3"), BEST, "ok"),
        (say('["1,000"]'), gold("1000"), BEST, "ok"),
        (say('["USA"]'), gold("usa"), BEST, "ok"),
        (say('["50%"]'), gold("0.5"), BEST, "ok"),
        (say('["b","a"]'), gold("a", "b"), BEST, "ok"),
        (say('["a","a"]'), gold("a", "b"), 0.1, "wrong"),
        (say('["17"]'), gold("7"), 0.1, "wrong"),
        (say('["a", "b", "c"]'), gold("a", "b"), 0.1, "wrong"),
        (say("3"), gold("3"), 0.5, "malformed"),
        (BARE, gold("3"), 0.5, "malformed"),
        ('{"answer": ["3"]}', gold("3"), 0.5, "malformed"),
        (say('["3"]') + " That is all.", gold("3"), 0.5, "malformed"),
        (TWO, gold("3"), 0.0, "malformed"),
        (TWO, gold("4"), 0.0, "malformed"),
        (say('["3", true]'), gold("3", "1"), 0.0, "malformed"),
        (say("[]"), gold("3"), 0.0, "malformed"),
        ("3", gold("3"), 0.0, "no_answer"),
        ("", gold("3"), 0.0, "no_answer"),
        (say('"entailed"'), ENTAILED, BEST, "ok"),
        (say('"Entailed"'), ENTAILED, 0.5, "malformed"),
        (say('"refuted"'), ENTAILED, 0.1, "wrong"),
        (say('"maybe"'), ENTAILED, 0.0, "malformed"),
        (say('["entailed", "refuted"]'), ENTAILED, 0.0, "malformed"),
        (say('"entailed refuted"'), ENTAILED, 0.0, "malformed"),
        (say(f'"{SENTENCE}"'), FREE, BEST, "ok"),
        (say("null"), FREE, 0.0, "malformed"),
        (SENTENCE, FREE, 0.0, "no_answer"),
    ],
)
def test_what_is_paid(text: str, its_gold: str, value: float, status: Status) -> None:
    verdict = judged(text, its_gold)
    assert (verdict.value, verdict.status) == (pytest.approx(value), status)


def test_two_answers_are_flagged() -> None:
    verdict = judged(TWO, gold("3"))
    assert "several_objects" in verdict.errors
    assert verdict.parts["accuracy"].reason == "several answers"
    drafts = "so" + TWO.partition("<answer>")[2].replace("```", "").removesuffix("</answer>")
    assert judged(drafts, gold("3")).value == judged(drafts, gold("4")).value == 0.0


@pytest.mark.parametrize(
    "text",
    [
        '<think>{"answer": ["3"]}</think><answer>4</answer>',
        '<think>{"answer": ["3"]}</think>',
        '<think>{"answer": ["3"]}',
        say('["3"]') + say('["4"]'),
        say('["3"]') + '<answer>```json\n{"answer": ["4"]}\n```</answer>',
        '<think>so</think>{"answer": ["3"]}<answer>4</answer>',
        '<think>so<answer>{"answer": ["3"]}</answer></think>4',
    ],
)
def test_a_draft_or_an_answer_taken_back_earns_nothing_here(text: str) -> None:
    verdict = judged(text, gold("3"))
    assert (verdict.value, verdict.status, verdict.errors[-1]) == (0.0, "malformed", "only_elsewhere")
    assert (reward("table_r1_release").verdict(text, gold("3")).value or 0) >= 1.0


def test_drafts_in_the_thinking_do_no_harm() -> None:
    drafts = '<think>{"answer": ["3"]} no, {"answer": ["4"]}</think>'
    assert judged(drafts, gold("3")).value == judged(drafts, gold("4")).value == 0.0
    assert judged(say('["4"]', thinking='{"answer": ["3"]}'), gold("4")).value == BEST


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (say('["3"]'), "fence"),
        (BARE, "block"),
        ('<think>so</think>{"answer": ["3"]}', "outside"),
        ('```json{"answer": ["3"]}```', "fence_outside"),
    ],
)
def test_where_the_answer_was_read_is_recorded_and_only_the_fence_pays_all(text: str, place: str) -> None:
    verdict = judged(text, gold("3"))
    assert verdict.parts["accuracy"].reason == f"read from {place}"
    assert (verdict.value == BEST) == (place == "fence")
    assert judged(text, gold("3"), fallback=0.0).value == (BEST if place == "fence" else 0.0)


def test_the_form_may_be_a_gate_and_weigh_nothing() -> None:
    assert judged(say('["9"]'), gold("3"), format_weight=0.0).value == 0.0
    assert judged(say('["3"]'), gold("3"), format_weight=0.0).value == 1.0
    assert judged(BARE, gold("3"), format_weight=0.0).value == 0.5
    assert judged(BARE, gold("3"), format_weight=0.0, fallback=0.0).value == 0.0
    assert judged(say('["9"]'), gold("3"), format_weight=1.0).value == 1.0


def test_options_bring_single_rules_of_the_original_back() -> None:
    assert judged(say("[3]"), gold("3"), numbers=False).value == 0.5
    assert judged(say('["USA"]'), gold("usa"), protocol="training").value == pytest.approx(0.1)
    assert judged(say('["50%"]'), gold("0.5"), protocol="training").value == pytest.approx(0.1)
    for text, share in ((say('["3"]'), 1.0), (BARE, 0.5), (say('["3"]') + " x", 0.0)):
        assert judged(text, gold("3"), form="base").parts["format"].value == pytest.approx(0.1 * share)


@pytest.mark.parametrize("options", [{"fallback": 1.0}, {"fallback": -0.1}, {"format_weight": -1}, {"form": "x"}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(RecipeError):
        reward("table_r1", **options)


def test_a_free_answer_is_paid_by_its_overlap() -> None:
    verdict = judged(say('"The Herons won twice."'), FREE)
    assert verdict.status == "wrong"
    assert set(verdict.parts) == {"format", "bleu", "rouge"}
    assert 0.1 < (verdict.value or 0) < BEST
    assert judged(say('"The Herons won twice"'), FREE, format_weight=0.0).value == pytest.approx(
        (verdict.value or 0) - 0.1, abs=0.1
    )
    second = gold("Nobody knows.", SENTENCE, kind="text")
    assert judged(say(f'"{SENTENCE}"'), second).status == "ok"


def test_listing_labels_or_copying_the_question_earns_nothing_above_its_worth() -> None:
    for text in (say('"entailed"') * 2, say('"entailed"') + say('"refuted"'), say('["entailed"]')):
        assert judged(text, ENTAILED).value in (0.0, 0.5)
    everything = say("[" + ", ".join(f'"{n}"' for n in range(50)) + "]")
    assert judged(everything, gold("7")).value == pytest.approx(0.1)
    long = say('"' + "The Herons won twice, in 1998 and in 2000. " * 50 + '"')
    assert (judged(long, FREE).value or 9) < 0.25


def test_truncated_failed_and_without_gold() -> None:
    assert judged("<think>so it", gold("3"), "length").status == "truncated"
    assert judged(say('["3"]'), gold("3"), "length").status == "ok"
    assert OURS.verdict(say('["3"]'), gold("3"), "error") == Verdict(value=None, status="unscored")
    assert OURS.verdict(say('["3"]'), None) == Verdict(value=None, status="unscored")


def test_a_gold_survives_json_and_is_a_free_answer_to_rewards_that_read_probabilities() -> None:
    for text in (gold("a|b", "3"), ENTAILED, FREE):
        found = read_gold(text)
        assert isinstance(found, TableGold)
        assert isinstance(found, AnswerGold)
        assert found.to_json() == text
        assert gold_text(found) == found.reference
    plain = AnswerGold(question="q", reference="r").to_json()
    assert type(read_gold(plain)) is AnswerGold
    with pytest.raises(DataError, match="judges by a gold table, not by a gold answer"):
        OURS.verdict("x", plain)
    with pytest.raises(DataError, match="judges by a gold answer, not by a gold table"):
        reward("free_answer").verdict("x", FREE)
    assert read_gold('{"table_task": "verdict", "table_answers": ["x"], "question": "q", "reference": "r"}') is None


def test_records_say_whether_the_answer_is_right_whatever_the_form() -> None:
    for text, its_gold, said, right in (
        (say('["USA"]'), gold("usa"), '["USA"]', True),
        (BARE, gold("3"), '["3"]', True),
        (TWO, gold("3"), None, False),
        (say('"refuted"'), ENTAILED, "refuted", False),
        (say(f'"{SENTENCE.lower()}"'), FREE, SENTENCE.lower(), True),
        ("", gold("3"), None, False),
    ):
        found = read_gold(its_gold)
        assert isinstance(found, TableGold)
        answer = Monitor()(text, found)
        assert (answer.text, answer.correct, answer.counts) == (said, right, None)
        assert answer.verdict == answer_of(OURS, text, found).verdict == OURS.verdict(text, its_gold)


def test_a_prompt_may_have_opened_the_thinking() -> None:
    judge = reward("table_r1", prefilled=True)
    assert judge.verdict(say('["3"]').removeprefix("<think>"), gold("3")).value == BEST


def test_two_runs_and_a_pickled_copy_are_equal() -> None:
    copy = pickle.loads(pickle.dumps(OURS))  # noqa: S301 - bytes made on this line
    texts = [say('["3"]'), BARE, TWO, ""]
    golds = [gold("3")] * 4
    assert OURS([""] * 4, texts, golds) == copy([""] * 4, texts, golds) == [BEST, 0.5, 0.0, 0.0]


_PIECES = st.sampled_from([say('["3"]'), say("3"), BARE, TWO, "<think>", "</answer>", "```json", "x", "\n"])


@given(st.lists(_PIECES | st.text(max_size=5), max_size=5).map("".join))
@settings(max_examples=200, deadline=None)
def test_nothing_but_a_well_formed_right_answer_earns_the_most(text: str) -> None:
    for its_gold in (gold("3"), ENTAILED, FREE):
        for judge in (OURS, GATE):
            verdict = judge.verdict(text, its_gold)
            assert verdict.value is not None
            assert 0.0 <= verdict.value <= BEST
            assert (verdict.value == pytest.approx(BEST)) == (verdict.status == "ok")
