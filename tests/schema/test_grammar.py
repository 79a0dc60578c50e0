"""The answer grammar of a guideline, and the gold answer that carries it."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from bythebook.schema import Gold, Grammar
from bythebook.types import Guideline, Label, RelationType

GUIDELINE = Guideline(
    title="Parts",
    version="1",
    domain="machines",
    relation_types=(
        RelationType(name="Part-Whole", definition="d"),
        RelationType(name="touches", definition="d", direction="Symmetric"),
    ),
    no_relation="Other",
)
GRAMMAR = Grammar.of(GUIDELINE)


def test_the_grammar_is_that_of_the_guideline() -> None:
    assert GRAMMAR.relations == ("Part-Whole", "touches")
    assert GRAMMAR.symmetric == ("touches",)
    assert GRAMMAR.labels == GUIDELINE.labels
    assert [label.text for label in GRAMMAR.labels] == [
        "Part-Whole(e1,e2)",
        "Part-Whole(e2,e1)",
        "touches(e1,e2)",
        "Other",
    ]


def test_every_admitted_label_is_read_back_and_known() -> None:
    for label in GRAMMAR.labels:
        assert GRAMMAR.read(label.text) == label
        assert GRAMMAR.knows(label)


@pytest.mark.parametrize("text", [" Part-Whole(e1,e2)\n", "Part-Whole(e1, e2)", "Part-Whole(e1,\te2)"])
def test_white_space_around_and_after_the_comma_is_allowed(text: str) -> None:
    assert GRAMMAR.read(text) == Label(name="Part-Whole", direction="(e1,e2)")


def test_a_symmetric_relation_is_canonical() -> None:
    assert GRAMMAR.read("touches(e2,e1)") == GRAMMAR.read("touches(e1,e2)")
    assert Gold.of(Label(name="touches", direction="(e2,e1)"), GUIDELINE).label.direction == "(e1,e2)"


@pytest.mark.parametrize("text", ["R9(e1,e2)", "Other(e1,e2)", "part-whole(e1,e2)", "Part‐Whole(e1,e2)"])
def test_an_undeclared_label_has_the_form_and_is_not_known(text: str) -> None:
    label = GRAMMAR.read(text)
    assert label is not None
    assert not GRAMMAR.knows(label)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Part-Whole",
        "none",
        "other",
        "Part-Whole (e1,e2)",
        "Part-Whole(e1 ,e2)",
        "Part-Whole( e1,e2)",
        "Part-Whole(e1,e2 )",
        "Part-Whole(e1,e1)",
        "Part-Whole(e1,e3)",
        "Part-Whole(E1,E2)",
        "Part-Whole(e1,e2).",
        "Part-Whole(e1,e2)(e1,e2)",
        "Part-Whole(e1,e2), Part-Whole(e2,e1)",
        "(e1,e2)",
        " (e1,e2)",
        "Part\u200b-Whole(e1,e2)",
        "Part-Whole(e1,\u00a0e2)",
        "Part-Whole(e1,e2)\x00",
        "Part\nWhole(e1,e2)",
        "<b>Part-Whole</b>(e1,e2)",
        "x" * 81 + "(e1,e2)",
        "Part-Whole(e1," + " " * 300 + "e2)",
    ],
)
def test_what_has_not_the_form_of_an_answer_is_none(text: str) -> None:
    assert GRAMMAR.read(text) is None


def test_a_bare_label_is_read_only_where_it_is_declared() -> None:
    assert Grammar(relations=("Part-Whole",)).read("Other") is None
    assert Grammar(relations=("Part-Whole",), no_relation="none").read("none") == Label(name="none")


def test_the_regular_expression_admits_the_labels_and_nothing_near_them() -> None:
    pattern = re.compile(GRAMMAR.regex())
    assert all(pattern.fullmatch(label.text) for label in GRAMMAR.labels)
    near = ["Part-Whole", "Other(e1,e2)", "Part-Whole(e1, e2)", "R9(e1,e2)", "PartxWhole(e1,e2)"]
    assert not any(pattern.fullmatch(text) for text in near)


def test_a_gold_answer_survives_json_and_equal_golds_are_equal_text() -> None:
    golds = [Gold.of(label, GUIDELINE) for label in GUIDELINE.labels]
    assert [Gold.from_json(g.to_json()) for g in golds] == golds
    assert len({g.to_json() for g in golds}) == len(golds)
    assert golds[0].to_json() == Gold.of(GUIDELINE.labels[0], GUIDELINE).to_json()


@pytest.mark.parametrize(
    "text", ["", "{}", "null", '{"label": {"name": "R7"}}', '{"label": 1, "grammar": 2}', "[" * 9_999]
)
def test_what_is_no_gold_answer_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Gold.from_json(text)
