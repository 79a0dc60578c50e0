"""The answer form of R1-RE, `<think>…</think><answer>Relation(e1,e2)</answer>`, read from a completion.

Deviations, by code. The first four groups make a completion not well formed, the others are only recorded.

missing_tag          one of the four tags does not occur
duplicate_tag        one of the four tags occurs more than once
tag_order            the tags stand in another order than `<think> </think> <answer> </answer>`
unparseable_answer   the single answer is neither `Relation(e1,e2)`, `Relation(e2,e1)` nor the no-relation label

nested_tag           a block opens before the one around it is closed (always beside one of the three tag faults)
unread_answer        there is one answer block, but it is not read: an answer tag is repeated, or the block stands
                     inside the thinking (always beside one of the three tag faults)
unknown_label        the single answer has the right form, but the guideline does not declare its relation
text_outside         something other than white space stands outside the blocks
empty_thinking       the thinking holds nothing but white space
repeated_think       the prompt had opened `<think>` already and the completion opens it again at its beginning
near_tag             something like a tag that is none: `<Answer>`, `</ think>`
special_token        end-of-sequence tokens written out at the end (`<|im_end|>`, `</s>`, …); they are ignored
too_many_answers     more than `MAX_ITEMS` answer blocks; the rest is not recorded
lone_surrogate       half of a surrogate pair, which no UTF-8 file can hold; read as U+FFFD

A code occurs once for each tag it concerns, with its first place, however often the text commits it.
"""

from __future__ import annotations

from bythebook.parsing.blocks import TAG_FAULTS, UNREAD_ANSWER, Blocks, note, read_blocks, stripped
from bythebook.parsing.tag_sets import TAG_SETS
from bythebook.schema import Grammar
from bythebook.types import AnswerItem, Parsed, Span

__all__ = ["MAX_ITEMS", "TAG_FAULTS", "UNREAD_ANSWER", "parse_tagged_answer"]

MAX_ITEMS = 64
"""How many answer blocks are recorded at most."""


def parse_tagged_answer(text: str, grammar: Grammar, *, prefilled: bool = False) -> Parsed:
    """Read a completion of R1-RE's form; time is linear in `len(text)`, and no text makes it raise.

    Well formed means each of the four tags exactly once and in order, and an answer of the form `Relation(e1,e2)` or
    the grammar's bare no-relation label (R1-RE's format rule). `prefilled` says that the chat template has opened
    `<think>` in the prompt, so that the completion begins inside the thinking; repeating `<think>` there is tolerated.

    `Parsed.items` holds every complete answer block, also of a completion that is not well formed: an answer without
    thinking counts in accuracy. Where it is unclear which answer is meant (an answer tag is repeated) or the only one
    is an aside in the thinking, none is taken.
    """
    blocks = read_blocks(text, TAG_SETS["think"], prefilled=prefilled)
    items = _items(blocks, grammar)
    thinking, thinking_span = blocks.thinking()
    return Parsed(
        thinking=thinking,
        thinking_span=thinking_span,
        items=tuple(items),
        well_formed=not blocks.broken and len(items) == 1 and items[0].label is not None,
        anchored=blocks.anchored,
        deviations=tuple(blocks.deviations),
    )


def _items(blocks: Blocks, grammar: Grammar) -> list[AnswerItem]:
    """The answers that can be read."""
    answers, deviations = blocks.answers, blocks.deviations
    if len(answers) == 1 and not blocks.is_read():
        return []
    if len(answers) > MAX_ITEMS:
        note(deviations, "too_many_answers", f"{len(answers)} answers, {MAX_ITEMS} recorded")
    items = [_item(blocks.text, stripped(blocks.text, *answer), grammar) for answer in answers[:MAX_ITEMS]]
    if len(items) == 1:
        if items[0].label is None:
            note(deviations, "unparseable_answer", "the answer has not the form of one", answers[0])
        elif not items[0].known:
            note(deviations, "unknown_label", "the guideline does not declare this relation", answers[0])
    return items


def _item(text: str, span: Span, grammar: Grammar) -> AnswerItem:
    written = span.of(text)
    label = grammar.read(written)
    return AnswerItem(text=written, span=span, label=label, known=label is not None and grammar.knows(label))
