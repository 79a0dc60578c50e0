"""R²GRPO's reward against golden values: the release's number for number, its faults included, and ours beside it.

The values of the release follow from its definition (arXiv 2505.22068, `rlisml/R2GRPO` at 12e3aed): each is worked out
by hand in the test. The faults have the numbers of the docstring of `rewards.r2grpo_release`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from bythebook.errors import DataError
from bythebook.rewards import TextReward, reward
from bythebook.schema import ExtractionGold, ExtractionSchema, RelationSignature
from bythebook.studies.attack.items import extraction_of
from bythebook.types import SubTask, Verdict

SCHEMA = ExtractionSchema(
    entity_types=("Dataset", "Method", "Task"),
    relations=tuple(RelationSignature(name=n) for n in ("Used-For", "Trained-With", "Part-Of", "Compare-With")),
)
TEXT = "A lattice reader learns from BirchTree to solve part labelling ."  # 64 characters
NER = [["lattice reader", "Method"], ["BirchTree", "Dataset"], ["part labelling", "Task"]]
REL = [["lattice reader", "Trained-With", "BirchTree"], ["lattice reader", "Used-For", "part labelling"]]
BARE = "Reading on is left to others and to later days ."


def gold(text: str = TEXT, ner: list[Any] = NER, rel: list[Any] = REL, sub_task: SubTask = "end2end") -> str:
    extraction = extraction_of(tuple(map(tuple, ner)), tuple(map(tuple, rel)))
    return ExtractionGold(text=text, sub_task=sub_task, extraction=extraction, extraction_schema=SCHEMA).to_json()


def say(ner: Any = (), rel: Any = (), thinking: str = "") -> str:
    return f"<think>{thinking}</think><answer>{json.dumps({'ner': ner, 'rel': rel})}</answer>"


RELEASE, OURS = reward("r2grpo", faithful=True), reward("r2grpo")


def parts(verdict: Verdict) -> dict[str, float]:
    return {name: round(part.value, 9) for name, part in verdict.parts.items()}


def release(completion: str, its_gold: str = gold()) -> dict[str, float]:
    return parts(RELEASE.verdict(completion, its_gold))


def ours(completion: str, its_gold: str = gold()) -> float:
    value = OURS.verdict(completion, its_gold).value
    assert value is not None
    return value


# What the best completion thinks: four quotes, every word, and each relation in a step of its own.
BEST = (
    'Step 1: the pattern "lattice reader learns from BirchTree" implies Trained-With, a relation, because it learns.\n'
    'Step 2: the pattern "lattice reader" with "part labelling" implies Used-For, a relation, because it solves.\n'
    'Step 3: "BirchTree" and "A lattice" and "labelling" are short.'
)


# --------------------------------------------------------------------------------------------------- the release, parts


def test_the_maximum_is_3_967() -> None:
    verdict = RELEASE.verdict(say(NER, REL, BEST), gold())
    assert verdict.value == pytest.approx(1 + 2 + 2.8 * 0.5 / 3 + 0.5, abs=1e-12)
    assert verdict.value == pytest.approx(3.967, abs=5e-4)
    assert verdict.status == "ok"
    assert OURS.verdict(say(NER, REL, BEST), gold()).value == pytest.approx(3.967, abs=5e-4)


@pytest.mark.parametrize(
    ("ner", "value"),
    [
        (NER, 1.0),
        ([], 0.0),
        # 2·1/(1+3); its texts overlap 1, 0, 0
        (NER[:1], 0.7 * 0.5 + 0.3 / 3),
        # wrong types: F1 is 0, overlap is full
        ([[text, "Other"] for text, _ in NER], 0.3),
        # {lattice, reader} and {the, lattice, reader}; {part, labelling} and {labelling}
        ([["the lattice reader", "Method"], ["labelling", "Task"]], 0.3 * (2 / 3 + 0 + 1 / 2) / 3),
        # a bare text, an object, an empty item: 0 of F1, and as a text each is looked at
        (["lattice reader"], 0.3 / 3),
        ([{"entity": "lattice reader"}, {"text": "BirchTree"}], 0.3 * 2 / 3),
        ([[], ["part labelling"]], 0.3 / 3),
        ([*NER, *NER], 1.0),
        (5, 0.0),
        ([5], 0.0),
        ([*NER, [["nested"], "Method"]], 0.0),
        (None, 0.0),
        ("lattice reader", 0.0),
    ],
)
def test_entities_of_the_release(ner: Any, value: float) -> None:
    found = release(say(ner))
    assert found["entities"] == pytest.approx(value, abs=1e-9)
    assert found["relations"] == found["relevance"] == found["rule"] == found["consistency"] == 0.0


@pytest.mark.parametrize(
    ("rel", "value"),
    [
        (REL, 2.0),
        ([], 0.0),
        (REL[:1], 2 * 2 / 3),
        ([["BirchTree", "Trained-With", "lattice reader"]], 0.0),
        ([*REL, ["lattice reader", "Part-Of", "BirchTree"]], 2 * 4 / 5),
        ([*REL, *REL], 2.0),
        (None, 0.0),
        ({"lattice reader": "Used-For"}, 0.0),
    ],
)
def test_relations_of_the_release(rel: Any, value: float) -> None:
    assert release(say([], rel))["relations"] == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<think>x</think><answer>y</answer>", 0.5),
        ("<think></think> \n <answer></answer>", 0.5),
        ("words <think>x</think><answer>y</answer> words", 0.5),
        ("<think>x</think><think>x</think><answer>y</answer>", 0.5),
        ("<think>x</think> so <answer>y</answer>", 0.0),
        ("<THINK>x</THINK><ANSWER>y</ANSWER>", 0.0),
        ("<answer>y</answer><think>x</think>", 0.0),
        ("</think><answer>y</answer><think>", 0.0),
        ("<think>x</think><answer>y", 0.0),
        ("", 0.0),
    ],
)
def test_format_of_the_release(text: str, value: float) -> None:
    assert release(text)["format"] == value


QUOTE = 0.1 + 0.1 * (1 - len("birchtree") / len(TEXT))


@pytest.mark.parametrize(
    ("thinking", "score"),
    [
        ("", 0.0),
        ('"BirchTree"', QUOTE),
        ("'birchtree ' and more", QUOTE),
        ('"BirchTree" "BirchTree"', 2 * QUOTE),
        ('"BirchTree" ' * 4, 0.6),
        (f'"{TEXT}"', 0.0),
        ('"OakTree" and "" and " "', 0.0),
        ('"BirchTree', 0.0),
    ],
)
def test_relevance_of_the_release(thinking: str, score: float) -> None:
    assert len(TEXT) == 64
    assert release(say(thinking=thinking))["relevance"] == pytest.approx(score * 0.5 / 3, abs=1e-9)


@pytest.mark.parametrize(
    ("thinking", "score"),
    [
        ("nothing of the kind", 0.0),
        ("it MAPS TO", 0.5),
        ("a rule", 0.5),
        ("a rule that defines", 0.5 + 0.3),
        ("a rule\n\n  defines", 0.5 + 0.3),
        ("a rule that\ndefines", 0.5),
        ("defines a rule", 0.5),
        ("a relation due to", 0.4),
        ("a relationship\n as", 0.4),
        ("a relationship\nas", 0.0),
        ("a relation assigned", 0.4),
        ("as a relation", 0.0),
        ("because of a relation", 0.5),
        ("step 12", 0.3),
        ("7.", 0.3),
        ("b)", 0.3),
        ("this - that", 0.3),
        ("•\tthis", 0.3),
        ("step one", 0.0),
        ("1. The pattern indicates a relation because", 1.5),
    ],
)
def test_rule_of_the_release(thinking: str, score: float) -> None:
    assert release(say(thinking=thinking))["rule"] == pytest.approx(score * 0.5 / 3, abs=1e-9)


def test_consistency_of_the_release() -> None:
    def found(thinking: str, its_gold: str = gold()) -> float:
        return release(say(thinking=thinking), its_gold)["consistency"] / (0.5 / 3)

    assert found("a LATTICE READER trained-with birchtree") == pytest.approx(0.35, abs=1e-6)
    assert found("lattice reader trained-with birchtree used-for part labelling") == pytest.approx(0.7, abs=1e-6)
    assert found("lattice reader, BirchTree") == 0.0
    assert found("No relation.", gold(rel=[])) == pytest.approx(0.35, abs=1e-6)
    assert found("No relation.") == 0.0


def test_the_release_pays_form_alone_for_other_sub_tasks() -> None:
    assert release(say(NER, REL, BEST), gold(rel=[], sub_task="ner")) == {"format": 0.5}


# ------------------------------------------------------------------------------------------------ the faults, in both


FILLER = '"BirchTree" ' * 4 + "step 1. The rule implies a relation because"


def test_fault_1_filler_with_an_empty_answer_earns_0_85_there_and_nothing_here() -> None:
    completion = f"<think>{FILLER}</think><answer></answer>"
    assert RELEASE.verdict(completion, gold()).value == pytest.approx(0.85, abs=1e-9)
    assert ours(completion) == 0.0
    assert ours(say(thinking=FILLER)) == 0.0


def test_fault_2_no_answer_on_a_text_without_relation_earns_2_there_and_nothing_here() -> None:
    for completion in ("", "<think>x</think>", "<answer></answer>", "<think>x</think><answer>{</answer>"):
        assert release(completion, gold(rel=[]))["relations"] == 2.0
        verdict = OURS.verdict(completion, gold(rel=[]))
        assert (verdict.value, verdict.status in ("no_answer", "malformed")) == (0.0, True)


def test_fault_3_the_right_empty_answer_earns_no_entities_there_and_all_here() -> None:
    nothing = gold(BARE, [], [])
    assert release(say(), nothing)["entities"] == 0.0
    assert parts(OURS.verdict(say(thinking="x"), nothing))["entities"] == 1.0
    assert OURS.verdict(say(thinking="x"), nothing).status == "ok"


@pytest.mark.parametrize("poison", [[["a", ["b"], "c"]], [5], 5, [*REL, [["lattice reader"], "Used-For", "x"]]])
def test_fault_4_one_bad_item_takes_the_relations_from_its_group_there_and_from_none_here(poison: Any) -> None:
    completions = [say(NER, REL, BEST), say(NER, poison, BEST), say(NER, REL[:1], BEST)]
    there = RELEASE.judge.judge_batch(completions, [ExtractionGold.from_json(gold())] * 3, ["stop"] * 3)  # type: ignore[attr-defined]
    assert [verdict.parts["relations"].value for verdict in there] == [0.0, 0.0, 0.0]
    assert "completion 2" in there[0].parts["relations"].reason
    alone = [ours(completion) for completion in completions]
    assert OURS([""] * 3, completions, [gold()] * 3) == alone
    assert alone[0] == pytest.approx(3.967, abs=5e-4)
    assert alone[0] > alone[2] > alone[1] > 0


def test_fault_4_needs_a_gold_relation() -> None:
    assert release(say(NER, [5]), gold(rel=[]))["relations"] == 0.0
    completions = [say(NER, [5]), say(NER, [])]
    values = RELEASE([""] * 2, completions, [gold(rel=[])] * 2)
    assert values[1] == pytest.approx(3.5)


def test_fault_5_json_in_a_fence_is_not_read_there_and_read_here() -> None:
    answer = json.dumps({"ner": NER, "rel": REL})
    fenced = f"<think>{BEST}</think><answer>\n```json\n{answer}\n```\n</answer>"
    assert release(fenced)["entities"] == release(fenced)["relations"] == 0.0
    found = parts(OURS.verdict(fenced, gold()))
    assert (found["entities"], found["relations"]) == (1.0, 2.0)


def test_fault_6_the_first_gold_is_that_of_all_there_and_each_has_its_own_here() -> None:
    other = gold("Oak sees elm .", [["Oak", "Method"], ["elm", "Dataset"]], [["Oak", "Trained-With", "elm"]])
    right = say([["Oak", "Method"], ["elm", "Dataset"]], [["Oak", "Trained-With", "elm"]])
    batch = ["", ""], [say(NER, REL), right], [gold(), other]
    with pytest.raises(DataError, match="first gold for the whole batch"):
        RELEASE(*batch)
    assert reward("r2grpo", faithful=True, batch="first_gold")(*batch) == [3.5, 0.5]
    assert reward("r2grpo", faithful=True, batch="by_prompt")(*batch) == [3.5, 3.5]
    assert OURS(*batch) == [pytest.approx(3.5), pytest.approx(3.5)]


def test_fault_6_the_sentence_quoted_is_each_ones_own_also_there() -> None:
    other = gold("Oak sees elm .", [], [])
    texts = [say(thinking='"BirchTree"'), say(thinking='"BirchTree"'), say(thinking='"Oak"')]
    judge = reward("r2grpo", faithful=True, batch="first_gold")
    values = judge([""] * 3, texts, [gold(), other, other])
    assert [v is not None and v > 0.5 for v in values] == [True, False, True]


def test_fault_8_repeated_quotes_pay_there_and_not_here() -> None:
    once, often = '"BirchTree"', '"BirchTree" ' * 4
    assert release(say(NER, REL, often))["relevance"] > 2 * release(say(NER, REL, once))["relevance"]
    assert ours(say(NER, REL, often)) == ours(say(NER, REL, once))


def test_fault_8_words_pay_there_and_not_here() -> None:
    words = "step 1. The rule implies a relation because"
    assert release(say(NER, REL, words))["rule"] == pytest.approx(0.25)
    assert ours(say(NER, REL, words)) == ours(say(NER, REL, "x"))


def test_fault_8_a_copy_of_the_sentence_with_all_relations_pays_there_and_not_here() -> None:
    copy = f"{TEXT} Used-For Trained-With Part-Of Compare-With"
    wrong = [["A", "Method"]], [["A", "Part-Of", "learns"]]
    assert release(say(*wrong, copy))["consistency"] == pytest.approx(0.7 * 0.5 / 3)
    assert ours(say(*wrong, copy)) == ours(say(*wrong, "x"))
    assert ours(say(NER, REL, copy)) == ours(say(NER, REL, "x"))


def test_fault_9_nobody_asks_for_the_reasoning_tag_there_and_the_declared_tags_count_here() -> None:
    without, with_it = say(NER, REL, BEST), "<reasoning>so</reasoning>" + say(NER, REL, BEST)
    assert RELEASE.verdict(without, gold()).value == RELEASE.verdict(with_it, gold()).value
    two: TextReward = reward("r2grpo", tags="reasoning_think")
    assert parts(two.verdict(with_it, gold()))["format"] == 0.5
    assert parts(two.verdict(without, gold()))["format"] == 0.0
    assert parts(OURS.verdict(without, gold()))["format"] == 0.5


# ------------------------------------------------------------------------------------------------------------ and time


@pytest.mark.parametrize(
    "word", ["<think>", "</think>", "</think> ", "'\"", "rule ", "relation ", "[", "<answer>", "1."]
)
def test_the_release_is_read_in_linear_time(word: str) -> None:
    text = f"<think>{word * 100_000}</think><answer>{word * 100_000}</answer>"
    verdict = RELEASE.verdict(text, gold())
    assert verdict.value is not None
    assert verdict.value < 0.9
