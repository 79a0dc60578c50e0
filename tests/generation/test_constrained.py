"""Decoding constrained to the schema: what is written, that nothing else changes, and what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.errors import MissingExtraError, ModelError
from bythebook.generation import Constraint, Sampling, TransformersModel, generate_constrained, load_model
from bythebook.generation.settings import ModelSettings
from bythebook.parsing import TAG_SETS, parse_extraction, parse_tagged_answer
from bythebook.schema import ExtractionSchema, Grammar
from bythebook.types import (
    Completion,
    EntityType,
    Example,
    ExtractedEntity,
    ExtractedRelation,
    Extraction,
    Guideline,
    RelationType,
    SubTask,
)

torch = pytest.importorskip("torch", reason="the 'train' extra is not installed")

GUIDELINE = Guideline(
    title="Papers",
    version="1",
    domain="papers",
    entity_types=(EntityType(name="Method", definition="d"), EntityType(name="Data set", definition="d")),
    relation_types=(
        RelationType(name="solves", definition="d"),
        RelationType(name="part-of", definition="d", direction="symmetric"),
    ),
    no_relation="none",
)
OTHER = GUIDELINE.model_copy(update={"entity_types": (EntityType(name="R7", definition="d"),)})
SCHEMA = ExtractionSchema.of(GUIDELINE)
PROMPTS = ["the mug", "a camera sees the kettle"]
FINISHED = {"empty_mention", "duplicate_item", "empty_thinking", "invisible_character", "lone_surrogate", "foreign_tag"}
"""What may be noted of a whole answer: no grammar says that a mention has a text, and it may hold any character."""


@pytest.fixture(scope="module")
def xgrammar() -> Any:
    return pytest.importorskip("xgrammar", reason="the extra 'constrained' is not installed")


def example(sub_task: SubTask, guideline: Guideline = GUIDELINE) -> Example:
    return Example(id="x", text="the mug", guideline=guideline, domain="papers", sub_task=sub_task)


def constraint(sub_task: SubTask = "end2end", tags: str = "think", guideline: Guideline = GUIDELINE) -> Constraint:
    return Constraint.of(example(sub_task), guideline, tags)


def ask(*texts: str) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": text}] for text in texts]


def accepted(xgrammar: Any, form: Constraint, *completions: str, **how: Any) -> list[bool]:
    from xgrammar.testing import _is_grammar_accept_string as accepts

    grammar = xgrammar.Grammar.from_structural_tag(json.dumps(form.structural_tag(**how)))
    return [accepts(grammar, completion) for completion in completions]


def begins(xgrammar: Any, form: Constraint, text: str) -> bool:
    """Whether a completion may begin with this text."""
    from xgrammar.testing import _get_matcher_from_grammar as matcher_of

    matcher = matcher_of(xgrammar.Grammar.from_structural_tag(json.dumps(form.structural_tag())))
    return bool(matcher.accept_string(text))


# ------------------------------------------------------------------------------------------- what the grammar admits


def test_a_whole_completion_is_admitted_and_no_other(xgrammar: Any) -> None:
    answer = '<answer>{"ner": [["a \\"b\\" 中 <b>", "Data set"]], "rel": [["a", "part-of", "b"]]}</answer>'
    whole = f"<think>a < b, <p> </thin … {{}}</think>\n{answer}"
    spaced = '<think></think><answer>\n{\n    "ner": [],\n    "rel": [["a","solves" , "b"]]\n}\n</answer>'
    assert accepted(xgrammar, constraint(), whole, spaced) == [True, True]
    refused = [
        whole.replace("Data set", "Dataset"),
        whole.replace("part-of", "none"),
        whole.replace('"rel"', '"rels"'),
        whole.replace('["a", "part-of", "b"]', '["a", "part-of"]'),
        whole.replace("<b>", "</answer>"),
        whole.replace("<p>", "<answer>"),
        whole.replace("<p>", "<plan>"),
        whole.removeprefix("<think>"),
        whole.removesuffix("</answer>"),
        answer,
        whole + " and more",
        "text " + whole,
    ]
    assert accepted(xgrammar, constraint(), *refused) == [False] * len(refused)
    assert accepted(xgrammar, constraint(), whole, whole[7:], prefilled=True) == [False, True]


@pytest.mark.parametrize(
    ("tags", "thinking"),
    [("answer", ""), ("plan", "<plan>1.</plan>"), ("reasoning_think", "<reasoning>r</reasoning>\n<think>t</think>")],
)
def test_every_tag_set_has_its_form(xgrammar: Any, tags: str, thinking: str) -> None:
    answer = '<answer>{"ner": []}</answer>'
    found = accepted(xgrammar, constraint("ner", tags), thinking + answer, f"<think>t</think>{answer}")
    assert found == [True, False]


def test_a_label_is_one_of_the_guideline(xgrammar: Any) -> None:
    written = ["solves(e1,e2)", "part-of(e2,e1)", "none", "solves", "none(e1,e2)", "other(e1,e2)"]
    form = constraint("label")
    found = accepted(xgrammar, form, *(f"<think>why</think><answer>{label}</answer>" for label in written))
    assert found == [True, True, True, False, False, False]


def _tagless(text: str) -> bool:
    return not any(tag in text for tags in TAG_SETS.values() for tag in tags.tags)


_TEXTS = st.text(max_size=12).filter(_tagless) | st.sampled_from(['"', "\\", "中文", "a\nb", "\x7f", "<", "😀"])
_THINKING = st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=20).filter(_tagless)
_ENTITIES = st.builds(ExtractedEntity, text=_TEXTS, type=st.sampled_from(SCHEMA.entity_types))
_RELATIONS = st.builds(ExtractedRelation, head=_ENTITIES, type=st.sampled_from(SCHEMA.relation_names), tail=_ENTITIES)
_EXTRACTIONS = st.builds(
    Extraction,
    entities=st.lists(_ENTITIES, max_size=4).map(tuple),
    relations=st.lists(_RELATIONS, max_size=4).map(tuple),
)


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(extraction=_EXTRACTIONS, thinking=_THINKING, escaped=st.booleans())
@pytest.mark.parametrize("sub_task", ["ner", "re", "end2end"])
def test_what_the_schema_admits_the_grammar_admits(
    xgrammar: Any, sub_task: SubTask, extraction: Extraction, thinking: str, escaped: bool
) -> None:
    answer = SCHEMA.write(extraction, sub_task)
    if escaped:
        answer = json.dumps(json.loads(answer), indent=1)
    written = f"<think>{thinking}</think><answer>{answer}</answer>"
    assert accepted(xgrammar, constraint(sub_task), written) == [True]
    mentions = [e for e in extraction.entities if e.text.strip()] == list(extraction.entities)
    if mentions and sub_task == "ner":
        assert parse_extraction(written, SCHEMA, sub_task).well_formed


# ------------------------------------------------------------------------------------------------ what a model writes


@pytest.mark.parametrize(("sub_task", "tags"), [("ner", "answer"), ("end2end", "think"), ("re", "reasoning_think")])
def test_a_random_model_writes_answers_of_the_schema(
    xgrammar: Any, tokenizer: Any, new_model: Callable[..., Any], sub_task: SubTask, tags: str
) -> None:
    model = TransformersModel(new_model(tokenizer, positions=512), tokenizer)
    constraints = [constraint(sub_task, tags), constraint(sub_task, tags, OTHER)]
    sampling = Sampling(n=6, temperature=4.0, max_new_tokens=400, seed=2)
    written = model.generate(ask(*PROMPTS), sampling, constraints=constraints)
    finished = 0
    for group, guideline, form in zip(written, (GUIDELINE, OTHER), constraints, strict=True):
        for completion in group:
            if completion.finish_reason == "length":
                assert begins(xgrammar, form, completion.text)
                continue
            finished += 1
            read = parse_extraction(completion.text, ExtractionSchema.of(guideline), sub_task, tags=TAG_SETS[tags])
            codes = {d.code for d in read.deviations}
            assert codes <= FINISHED, completion.text
            assert not read.repaired
            assert read.extraction is not None
            assert read.well_formed == ("empty_mention" not in codes)
            assert read.anchored
    assert finished >= 1


@pytest.mark.parametrize("share", [True, False])
def test_a_random_model_writes_labels_of_the_guideline(xgrammar: Any, pair: tuple[Any, Any], share: bool) -> None:
    model = TransformersModel(*pair, share_prefix=share)
    form, grammar = constraint("label"), Grammar.of(GUIDELINE)
    written = model.generate(ask(*PROMPTS), Sampling(n=4, max_new_tokens=200), constraints=[form, form])
    for completion in (c for group in written for c in group):
        assert completion.finish_reason == "stop"
        read = parse_tagged_answer(completion.text, grammar)
        assert read.well_formed
        assert read.label is not None
        assert grammar.knows(read.label)


def test_thinking_leaves_a_quarter_of_the_tokens_to_the_answer(xgrammar: Any, pair: tuple[Any, Any]) -> None:
    def bounds(tags: str, most: int | None) -> list[int | None]:
        form = constraint("ner", tags).structural_tag(max_new_tokens=most)
        return [part.get("max_tokens") for part in form["format"]["elements"] if part["type"] == "any_text"]

    assert bounds("think", 100) == [75]
    assert bounds("reasoning_think", 101) == [38, 38]
    assert bounds("answer", 100) == []
    assert bounds("think", None) == [None]
    sampling = Sampling(temperature=0, max_new_tokens=200)
    ((bound,),) = TransformersModel(*pair).generate(ask("mug"), sampling, constraints=[constraint("ner")])
    assert "</think><answer>" in "".join(bound.text.split())


def test_a_completion_begins_inside_thinking_that_the_template_opened(
    xgrammar: Any, new_tokenizer: Callable[..., Any], new_model: Callable[..., Any]
) -> None:
    tokenizer = new_tokenizer("{% for m in messages %}{{ m['content'] }}{% endfor %}<think>")
    model = TransformersModel(new_model(tokenizer), tokenizer)
    assert model.prefilled
    ((written,),) = model.generate(ask("mug"), Sampling(max_new_tokens=200), constraints=[constraint("label")])
    assert "<think>" not in written.text
    assert parse_tagged_answer(written.text, Grammar.of(GUIDELINE), prefilled=True).well_formed


def test_both_ways_of_decoding_write_the_same(xgrammar: Any, pair: tuple[Any, Any]) -> None:
    constraints = [constraint("ner"), None, constraint("label"), constraint("end2end", "answer", OTHER)]
    prompts = ask(*PROMPTS, "office mug", PROMPTS[0])
    sampling = Sampling(temperature=0, max_new_tokens=200)
    plain, shared = (
        TransformersModel(*pair, share_prefix=share).generate(prompts, sampling, constraints=constraints)
        for share in (False, True)
    )
    assert shared == plain
    assert plain[2][0].finish_reason == "stop"
    assert plain[1] == TransformersModel(*pair).generate([prompts[1]], sampling)[0]


def test_what_is_decoded_beside_a_row_does_not_matter(xgrammar: Any, pair: tuple[Any, Any]) -> None:
    forms = [constraint("label"), constraint("ner", "answer")]
    together, apart = (
        TransformersModel(*pair).generate(
            ask(*PROMPTS), Sampling(n=3, max_new_tokens=40, seed=3, batch_size=size), constraints=forms
        )
        for size in (64, 2)
    )
    assert together == apart


@pytest.mark.parametrize("share", [True, False])
def test_without_a_constraint_nothing_changes(xgrammar: Any, pair: tuple[Any, Any], share: bool) -> None:
    model = TransformersModel(*pair, share_prefix=share)
    sampling = Sampling(n=3, max_new_tokens=12, seed=4)
    free = model.generate(ask(*PROMPTS), sampling)
    bound = model.generate(ask(*PROMPTS), sampling, constraints=[constraint("label")] * 2)
    assert bound != free
    assert model.generate(ask(*PROMPTS), sampling) == free
    assert model.generate(ask(*PROMPTS), sampling, constraints=[None, None]) == free


def test_only_what_is_not_admitted_loses_its_score(xgrammar: Any, tokenizer: Any) -> None:
    from bythebook.generation.constrained import Grammars

    stop = tokenizer.eos_token_id
    grammars = Grammars(tokenizer, name="m", vocabulary=len(tokenizer) + 5, stop_ids=[stop], prefilled=False)
    matchers = grammars.matchers([constraint("ner", "answer"), None], 50)
    scores = torch.randn(3, len(tokenizer) + 5)
    before = scores.clone()
    restricted = matchers.restrict(scores, [0, -1, 1])
    assert torch.equal(scores, before)
    assert torch.equal(restricted[1:3], before[1:3])
    kept = restricted[0].isfinite()
    texts = {tokenizer.decode([i]) for i in kept.nonzero().flatten().tolist()}
    assert texts == {"<answer>", " <answer>", "<", " ", "\n"}
    assert torch.equal(restricted[0][kept], before[0][kept])
    assert matchers.restrict(scores, [-1, 1]) is scores
    for piece in ("<answer>", "{", '"', "n"):
        matchers.wrote(0, tokenizer.convert_tokens_to_ids(piece))
    (only,) = matchers.restrict(scores[:1], [0])[0].isfinite().nonzero().flatten().tolist()
    assert tokenizer.decode([only]) == "e"


# ---------------------------------------------------------------------------------------------------- what is refused


class Plain:
    """A model that knows nothing of constraints."""

    name, prefilled, settings = "plain", False, ModelSettings()

    def generate(self, prompts: Any, sampling: Any, progress: Any = None) -> list[list[Completion]]:
        return [[Completion(text="free")] for _ in prompts]

    def unknown_words(self, texts: Any) -> tuple[str, ...]:
        return ()


def test_a_model_that_can_not_be_constrained_is_named() -> None:
    with pytest.raises(ModelError, match="'plain' can't be constrained"):
        generate_constrained(Plain(), ask("a"), Sampling(), [constraint()])  # type: ignore[arg-type]


def test_the_missing_extra_is_named(pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgrammar", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'bythebook\[constrained\]'"):
        generate_constrained(TransformersModel(*pair), [], Sampling(), [])


def test_a_vocabulary_that_can_not_write_the_labels_is_refused(xgrammar: Any, pair: tuple[Any, Any]) -> None:
    foreign = GUIDELINE.model_copy(update={"entity_types": (EntityType(name="方法", definition="d"),)})
    with pytest.raises(ModelError, match="can't write '方法'"):
        TransformersModel(*pair).generate(ask("a"), Sampling(), constraints=[constraint("ner", guideline=foreign)])


def test_a_model_without_an_end_is_refused(xgrammar: Any, tokenizer: Any) -> None:
    from bythebook.generation.constrained import Grammars

    with pytest.raises(ModelError, match="no token that ends"):
        Grammars(tokenizer, name="m", vocabulary=9, stop_ids=[], prefilled=False)


def test_a_constraint_admits_something() -> None:
    with pytest.raises(ValueError, match="a JSON schema or labels"):
        Constraint()
    with pytest.raises(ValueError, match="a JSON schema or labels"):
        Constraint(json_schema={}, labels=("a",))


def test_the_embedded_model_can_be_constrained(xgrammar: Any) -> None:
    forms = [constraint("label"), constraint("ner", "answer")]
    sampling = Sampling(temperature=0, max_new_tokens=200)
    (label,), (extraction,) = generate_constrained(load_model("embedded"), ask("the mug", "a kettle"), sampling, forms)
    parsed = parse_tagged_answer(label.text, Grammar.of(GUIDELINE))
    assert parsed.well_formed
    assert parsed.label is not None
    assert Grammar.of(GUIDELINE).knows(parsed.label)
    read = parse_extraction(extraction.text, SCHEMA, "ner", tags=TAG_SETS["answer"])
    assert not {d.code for d in read.deviations} & {"unknown_type", "malformed_item", "unknown_key", "text_outside"}
    assert extraction.text.lstrip().startswith("<answer>")
