from __future__ import annotations

import json
from typing import Any

import pytest

from bythebook.guidelines import load_from_library
from bythebook.prompts import PromptStyle, render, render_guideline
from bythebook.tasks.extraction import JOINT, Passage, questions
from bythebook.types import (
    EntityType,
    Example,
    ExtractedEntity,
    ExtractedRelation,
    Guideline,
    RelationType,
    SubTask,
)

RENDERINGS = ("full", "condensed", "rules", "brief")
BOOK = Guideline(
    title="Kitchen",
    version="1",
    domain="kitchen",
    preamble="Read the whole sentence first.",
    entity_types=(
        EntityType(name="Tool", definition="A thing to work with.\nNot a hand."),
        EntityType(name="Food", definition="what one eats"),
    ),
    relation_types=(
        RelationType(name="Stirs", definition="one moves the other round", head_types=("Tool",), tail_types=("Food",)),
        RelationType(name="Near", definition="side by side", tail_types=("Food", "Tool"), direction="symmetric"),
        RelationType(name="Any-Tie", definition="whatever else"),
    ),
    no_relation="nothing",
    no_relation_definition="no tie at all",
)
SPOON, SOUP = ExtractedEntity(text="spoon", type="Tool"), ExtractedEntity(text='"soup"', type="Food")
TEXT = 'The spoon stirs the "soup" with a spoon.'


def example(sub_task: SubTask) -> Example:
    passage = Passage(
        id="x",
        text=TEXT,
        entities=(SPOON, SOUP, SPOON),
        relations=(ExtractedRelation(head=SOUP, type="Near", tail=SPOON),),
        domain="kitchen",
    )
    (found,) = questions([passage], BOOK, [sub_task], split="train")
    return found


def prompt(sub_task: SubTask, template: Any = "r1_re", rendering: Any = "brief") -> str:
    (message,) = render(example(sub_task), PromptStyle(template=template, rendering=rendering))
    assert message["role"] == "user"
    return message["content"]


def test_the_short_prompt_is_guideline_text_what_is_given_and_what_is_asked() -> None:
    assert prompt("re_plus", "short").splitlines() == [
        "Guideline:",
        "- Entity type Tool: A thing to work with.",
        "- Entity type Food: what one eats.",
        "- Stirs (Tool → Food): one moves the other round.",
        "- Near (any – Food or Tool): side by side.",
        "- Any-Tie: whatever else.",
        f"Text: {TEXT}",
        'Entities: [["spoon", "Tool"], ["\\"soup\\"", "Food"]]',
        "Asked: rel",
    ]
    assert prompt("re", "short").splitlines()[-2:] == ['Pairs: [["spoon", "\\"soup\\""]]', "Asked: rel"]
    assert prompt("ner", "short").splitlines()[-2:] == [f"Text: {TEXT}", "Asked: ner"]
    assert prompt("end2end", "short").splitlines()[-2:] == [f"Text: {TEXT}", "Asked: ner, rel"]


def test_rules_have_one_line_a_clause_of_a_type() -> None:
    lines = render_guideline(BOOK, "rules", extraction=True).splitlines()
    assert lines[:2] == ["- Entity type Tool: A thing to work with.", "- Entity type Tool: Not a hand."]


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_for_joint_extraction_types_stand_in_every_rendering_and_the_no_relation_label_in_none(rendering: Any) -> None:
    text = render_guideline(BOOK, rendering, extraction=True)
    assert "A thing to work with" in text
    assert "Tool" in text.partition("Stirs")[2]
    assert "nothing" not in text


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_relation_classification_reads_what_it_has_always_read(rendering: Any) -> None:
    text = render_guideline(BOOK, rendering)
    assert "nothing" in text
    assert "→" not in text
    assert ("Entity type" in text) == (rendering in ("full", "condensed"))


@pytest.mark.parametrize("sub_task", JOINT)
def test_the_long_prompt_explains_types_relations_form_and_tags(sub_task: SubTask) -> None:
    content = prompt(sub_task)
    assert "Entity types: Tool, Food." in content
    related = "Stirs (Tool → Food), Near (any – Food or Tool), Any-Tie."
    assert (related in content) == (sub_task != "ner")
    form = content[content.index("Form of the reply: ") :].splitlines()[0]
    assert form.startswith("Form of the reply: <think>your reasoning</think><answer>{")
    shown = json.loads(form.partition("<answer>")[2].removesuffix("</answer>"))
    assert list(shown) == {"ner": ["ner"], "re": ["rel"], "re_plus": ["rel"], "end2end": ["ner", "rel"]}[sub_task]
    assert ('"ner" stands' in content, '"rel" stands' in content) == ("ner" in shown, "rel" in shown)
    assert "\n\n\n" not in content.partition("# Text")[2]


def test_the_long_prompts_of_all_sub_tasks_share_the_guideline_at_their_beginning() -> None:
    contents = [prompt(s, rendering="condensed") for s in JOINT]
    end = contents[0].index("# What to do")
    assert render_guideline(BOOK, "condensed", extraction=True) in contents[0][:end]
    assert len({c[:end] for c in contents}) == 1


@pytest.mark.parametrize("template", ["r1_re", "short"])
@pytest.mark.parametrize("sub_task", JOINT)
def test_neither_the_gold_nor_the_direction_is_in_the_prompt(template: Any, sub_task: SubTask) -> None:
    asked = example(sub_task)
    style = PromptStyle(template=template)
    without = asked.model_copy(update={"extraction": None})
    assert render(without, style) == render(asked, style)
    # The gold says (soup, spoon); what is given follows the text.
    if sub_task == "re":
        assert '[["spoon", "\\"soup\\""]]' in render(asked, style)[0]["content"]


def test_another_guideline_can_be_shown() -> None:
    other = BOOK.model_copy(update={"entity_types": (), "no_relation": None, "no_relation_definition": ""})
    content = render(example("end2end"), PromptStyle(), other)[0]["content"]
    assert "Entity types:" not in content
    assert "is left out" not in content
    assert '<answer>{"ner": [["…", "…"]], "rel": [["…", "Stirs", "…"]]}</answer>' in content


def test_what_text_and_guideline_say_is_never_read_as_a_template() -> None:
    odd = "{{ g.title }} {% raw %} <b> & {# x #}"
    book = BOOK.model_copy(update={"title": odd})
    asked = example("re_plus").model_copy(update={"text": odd, "guideline": book})
    for template in ("r1_re", "short"):
        content = render(asked, PromptStyle(template=template))[0]["content"]  # type: ignore[arg-type]
        assert content.count(odd) == (2 if template == "r1_re" else 1)


def test_library_guidelines_with_types_show_them_in_a_line_each() -> None:
    for name in ("scier", "scierc"):
        book = load_from_library(name)
        lines = render_guideline(book, "brief", extraction=True).splitlines()
        assert len(lines) == len(book.entity_types) + len(book.relation_types)
