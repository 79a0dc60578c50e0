from __future__ import annotations

import random
import re

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.guidelines import load_from_library, shuffle_relations, swap_names
from bythebook.prompts import PromptStyle, marked_text, render, render_guideline
from bythebook.tasks.world import examples
from bythebook.types import Entity, EntityType, Example, Guideline, Label, NearMiss, RelationType, Span

RENDERINGS = ("full", "condensed", "rules", "brief")
TEMPLATES = ("r1_re", "short")
BOOK = Guideline(
    title="Kitchen verbs",
    version="3",
    domain="kitchen",
    preamble="Read the whole sentence first.",
    entity_types=(EntityType(name="Tool", definition="A thing to work with."),),
    relation_types=(
        RelationType(
            name="Dima-Dan",
            definition="e1 stirs e2.\ne1 wraps e2.",
            head_types=("Tool", "Person"),
            tail_types=("Food",),
            direction="(e2,e1)",
            restrictions=("unless rarely", "not in a recipe title."),
            overlaps=("Prefer Kora-Vel for tools.",),
            examples=(("The <e1>spoon</e1> stirs the <e2>soup</e2>.", "Dima-Dan(e2,e1)"),),
            near_misses=(
                NearMiss(sentence="A <e1>spoon</e1> by the <e2>soup</e2>.", answer="Other", reason="only near it"),
                NearMiss(sentence="<e1>Soup</e1> or <e2>stew</e2>?", answer="Other", reason=""),
            ),
        ),
        RelationType(name="Kora-Vel", definition="Prose without a fixed direction.", direction="the tool comes first"),
    ),
    no_relation="Other",
    no_relation_definition="nothing above holds.",
)


def _example(text: str, e1: tuple[int, int], e2: tuple[int, int], guideline: Guideline = BOOK) -> Example:
    entities = tuple(Entity(id=n, span=Span(start=a, end=b)) for n, (a, b) in (("e1", e1), ("e2", e2)))
    return Example(id="x", text=text, entities=entities, gold=None, guideline=guideline, domain="kitchen")


SPOON = _example("The spoon stirs the soup.", (4, 9), (20, 24))

# ----------------------------------------------------------------------------------- the marked text


def test_both_mentions_are_marked() -> None:
    assert marked_text(SPOON) == "The <e1>spoon</e1> stirs the <e2>soup</e2>."


@pytest.mark.parametrize(
    ("e1", "e2", "marked"),
    [
        ((0, 1), (1, 2), "<e1>a</e1><e2>b</e2>c"),
        ((1, 2), (0, 1), "<e2>a</e2><e1>b</e1>c"),
        ((0, 3), (1, 2), "<e1>a<e2>b</e2>c</e1>"),
        ((2, 3), (0, 1), "<e2>a</e2>b<e1>c</e1>"),
    ],
    ids="adjacent turned nested ends".split(),
)
def test_marks_stand_at_the_offsets(e1: tuple[int, int], e2: tuple[int, int], marked: str) -> None:
    assert marked_text(_example("abc", e1, e2)) == marked


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>"), min_size=4, max_size=30),
    cuts=st.lists(st.integers(0, 30), min_size=4, max_size=4, unique=True),
    turned=st.booleans(),
)
def test_without_the_marks_the_text_is_as_it_was(text: str, cuts: list[int], turned: bool) -> None:
    a, b, c, d = sorted(cuts)
    if d > len(text):
        return
    spans = ((c, d), (a, b)) if turned else ((a, b), (c, d))
    marked = marked_text(_example(text, *spans))
    assert re.sub(r"</?e[12]>", "", marked) == text
    for name, (start, end) in zip(("e1", "e2"), spans, strict=True):
        assert marked.partition(f"<{name}>")[2].partition(f"</{name}>")[0] == text[start:end]


def test_an_example_without_its_second_argument_is_an_error() -> None:
    lone = SPOON.model_copy(update={"entities": SPOON.entities[:1]})
    with pytest.raises(KeyError, match="no entity 'e2'"):
        render(lone)


# ----------------------------------------------------------------------------------- the guideline


def test_rules_are_one_line_a_clause_with_the_restrictions() -> None:
    assert render_guideline(BOOK, "rules").splitlines() == [
        "- Dima-Dan(e2,e1): e1 stirs e2 unless rarely not in a recipe title.",
        "- Dima-Dan(e2,e1): e1 wraps e2 unless rarely not in a recipe title.",
        "- Kora-Vel: Prose without a fixed direction.",
        "- Other: nothing above holds.",
    ]


def test_brief_is_one_line_a_type() -> None:
    assert render_guideline(BOOK, "brief").splitlines() == [
        "- Dima-Dan(e2,e1): e1 stirs e2.",
        "- Kora-Vel: Prose without a fixed direction.",
        "- Other: nothing above holds.",
    ]


def test_full_has_every_text_of_the_guideline_and_condensed_leaves_the_examples_out() -> None:
    relation = BOOK.relation_types[0]
    examples_of = [text for pair in relation.examples for text in pair]
    examples_of += [m.sentence for m in relation.near_misses] + ["only near it"]
    others = [BOOK.preamble, "Tool, Person", "Food", *relation.restrictions, *relation.overlaps, "the tool comes first"]
    full, condensed = render_guideline(BOOK, "full"), render_guideline(BOOK, "condensed")
    assert [text for text in (*others, *examples_of) if text not in full] == []
    assert [text for text in others if text not in condensed] == []
    assert [text for text in examples_of[::2] if text in condensed] == []
    assert "- <e1>Soup</e1> or <e2>stew</e2>? => Other\n" in full


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_every_label_stands_in_every_rendering_in_order(rendering: str) -> None:
    for book in (BOOK, load_from_library("semeval2010")):
        text = render_guideline(book, rendering)  # type: ignore[arg-type]
        names = [r.name for r in book.relation_types] + [str(book.no_relation)]
        mark = "## " if rendering in ("full", "condensed") else "- "
        heads = [re.search(rf"^{mark}{re.escape(name)}(?![\w-])", text, re.MULTILINE) for name in names]
        assert all(heads)
        assert [h.start() for h in heads if h] == sorted(h.start() for h in heads if h)
        assert not re.search(r"\n{4,}|None|\{\{|\{%", text)


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_a_guideline_of_nothing_but_a_definition_leaves_no_empty_heading(rendering: str) -> None:
    bare = Guideline(title="t", version="1", domain="d", relation_types=(RelationType(name="R7", definition="It is."),))
    text = render_guideline(bare, rendering)  # type: ignore[arg-type]
    assert "R7" in text
    assert not re.search(r"^(Restrictions|Overlaps|Examples|Near misses|Direction|First|Second)", text, re.MULTILINE)
    assert "Other" not in text


def test_without_a_definition_the_no_relation_label_is_explained() -> None:
    silent = BOOK.model_copy(update={"no_relation_definition": ""})
    assert render_guideline(silent, "rules").endswith("- Other: no relation above holds.")
    assert render_guideline(silent, "full").endswith("No relation above holds.")


def test_what_a_guideline_says_is_never_read_as_a_template() -> None:
    odd = "{{ g.title }} {% raw %} <b> & {# x #}"
    book = Guideline(title=odd, version="1", domain="d", relation_types=(RelationType(name="A-B", definition=odd),))
    example = _example(f"a {odd} b", (0, 1), (len(odd) + 3, len(odd) + 4), book)
    for rendering in RENDERINGS:
        for template in TEMPLATES:
            style = PromptStyle(template=template, rendering=rendering)  # type: ignore[arg-type]
            content = render(example, style)[0]["content"]
            assert content.count(odd) == (3 if template == "r1_re" else 2)


# ----------------------------------------------------------------------------------- the prompt


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("rendering", RENDERINGS)
def test_a_prompt_is_one_message_of_the_user_with_guideline_and_sentence(template: str, rendering: str) -> None:
    style = PromptStyle(template=template, rendering=rendering)  # type: ignore[arg-type]
    (message,) = render(SPOON, style)
    assert message["role"] == "user"
    content = message["content"]
    assert content == content.strip()
    assert content.count(render_guideline(BOOK, rendering)) == 1  # type: ignore[arg-type]
    assert content.endswith(marked_text(SPOON))


@pytest.mark.parametrize("template", TEMPLATES)
def test_prompts_of_one_guideline_share_all_but_the_sentence(template: str) -> None:
    style = PromptStyle(template=template, rendering="rules")  # type: ignore[arg-type]
    for e in examples("ood", 8, seed=0, per_guideline=4):
        other = _example("Soup now.", (0, 4), (5, 8), e.guideline)
        ours, theirs = (render(x, style)[0]["content"] for x in (e, other))
        assert ours.removesuffix(marked_text(e)) == theirs.removesuffix(marked_text(other))


def test_the_explained_form_names_labels_of_this_guideline() -> None:
    content = render(SPOON, PromptStyle(template="r1_re", rendering="brief"))[0]["content"]
    assert "<think>your reasoning</think><answer>Dima-Dan(e1,e2)</answer>" in content
    assert "the answer is Other, alone" in content
    without = BOOK.model_copy(update={"no_relation": None, "no_relation_definition": ""})
    bare = render(_example(SPOON.text, (4, 9), (20, 24), without), PromptStyle(template="r1_re", rendering="brief"))
    assert "Other" not in bare[0]["content"]


def test_another_guideline_can_be_shown() -> None:
    swapped = swap_names(BOOK, "Dima-Dan", "Kora-Vel")
    style = PromptStyle(template="r1_re", rendering="rules")
    shown = render(SPOON, style, swapped)
    assert shown == render(SPOON.model_copy(update={"guideline": swapped}), style)
    assert shown != render(SPOON, style)


def test_the_gold_answer_is_not_in_the_prompt() -> None:
    style = PromptStyle(template="r1_re", rendering="full")
    labelled = SPOON.model_copy(update={"gold": Label(name="Kora-Vel", direction="(e1,e2)")})
    assert render(labelled, style) == render(SPOON, style)


def test_the_order_of_the_relations_is_the_guidelines() -> None:
    book = load_from_library("semeval2010")
    moved = shuffle_relations(book, random.Random(3))
    assert moved != book
    assert sorted(render_guideline(moved, "brief").splitlines()) == sorted(render_guideline(book, "brief").splitlines())
    assert render_guideline(moved, "brief") != render_guideline(book, "brief")


def test_a_template_that_asks_for_what_is_not_there_is_an_error() -> None:
    from bythebook.prompts.render import environment

    with pytest.raises(jinja2.UndefinedError):
        environment().from_string("{{ nosuch }}").render()


@pytest.mark.parametrize("style", [{"template": "long"}, {"rendering": "half"}, {"colour": "red"}])
def test_a_style_that_does_not_exist_is_refused(style: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"template|rendering|colour"):
        PromptStyle.model_validate(style)
