"""R1-RE's reward once more, by another route: a character scanner written from the published table and the form's
description. It shares no code with the package; golds are plain values."""

from __future__ import annotations

from dataclasses import dataclass

_TAGS = ("<think>", "</think>", "<answer>", "</answer>")
_END_TOKENS = (
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<end_of_turn>", "<eos>", "</s>", "<pad>",
)  # fmt: skip


@dataclass(frozen=True)
class PlainGold:
    """A gold answer without the package's types."""

    name: str
    order: str  # "12", "21", or "" for the no-relation label
    relations: frozenset[str]
    symmetric: frozenset[str]
    no_relation: str | None


@dataclass(frozen=True)
class Terms:
    """What is paid, and how the form is read."""

    bad: float = -3.0
    wrong: float = -0.5
    right: float = 3.0
    anchored: bool = False
    unparseable: float | None = None
    prefilled: bool = False


def _scan(text: str) -> list[tuple[str, int]]:
    """Tags with their places, found character by character."""
    found = []
    place = 0
    while place < len(text):
        if text[place] == "<":
            for tag in _TAGS:
                if text[place : place + len(tag)] == tag:
                    found.append((tag, place))
                    place += len(tag) - 1
                    break
        place += 1
    return found


def _content(text: str) -> str:
    """Lone surrogates replaced, end-of-sequence tokens at the end left out."""
    text = "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text)
    while True:
        text = text.rstrip()
        for token in _END_TOKENS:
            if text.endswith(token):
                text = text[: len(text) - len(token)]
                break
        else:
            return text


def read_answer(written: str, gold: PlainGold) -> tuple[str, str] | None:
    """(relation, order) of an answer, None if it has not the form of one."""
    written = written.strip()
    if len(written) > 200:
        return None
    if gold.no_relation is not None and written == gold.no_relation:
        return written, ""
    if not written.endswith(")") or written.count("(") != 1 or written.count(")") != 1 or written.count(",") != 1:
        return None
    name, _, inside = written[:-1].partition("(")
    one, _, two = inside.partition(",")
    while two.startswith((" ", "\t")):
        two = two[1:]
    order = {("e1", "e2"): "12", ("e2", "e1"): "21"}.get((one, two))
    if order is None or not 1 <= len(name) <= 80 or name.strip() != name:
        return None
    if any(c in "<>\n\r\t" or not c.isprintable() for c in name):
        return None
    return name, ("12" if name in gold.symmetric else order)


def oracle(
    text: str, gold: PlainGold | None, finish_reason: str = "stop", terms: Terms | None = None
) -> tuple[float | None, str]:
    """(value, status) that a completion deserves."""
    terms = terms or Terms()
    if gold is None or finish_reason == "error":
        return None, "unscored"
    text = _content(text)
    tags = _scan(text)
    if terms.prefilled:
        # The prompt ended with the opening tag; one that is repeated at once is the same tag.
        if tags and tags[0][0] == "<think>" and text[: tags[0][1]].strip() == "":
            text = text[tags[0][1] + len("<think>") :]
        text = "<think>" + text
        tags = _scan(text)
    in_form = [tag for tag, _ in tags] == list(_TAGS)
    answer, clean = None, False
    if in_form:
        (_, a), (_, b), (_, c), (_, d) = tags
        answer = read_answer(text[c + len("<answer>") : d], gold)
        gaps = text[:a] + text[b + len("</think>") : c] + text[d + len("</answer>") :]
        clean = gaps.strip() == ""
    if in_form and answer is not None and (clean or not terms.anchored):
        target = (gold.name, "12" if gold.name in gold.symmetric else gold.order)
        return (terms.right, "ok") if answer == target else (terms.wrong, "wrong")
    opened = [place for tag, place in tags if tag == "<answer>"]
    closed = [place for tag, place in tags if tag == "</answer>"]
    has_block = bool(opened) and bool(closed) and min(opened) < max(closed)
    if finish_reason == "length" and not (in_form and answer is not None):
        status = "truncated"
    else:
        status = "malformed" if has_block else "no_answer"
    logic_rl = terms.unparseable is not None and in_form and answer is None and (clean or not terms.anchored)
    return (terms.unparseable if logic_rl else terms.bad), status


def single_answer(text: str, gold: PlainGold) -> tuple[str, str] | None:
    """The answer that accuracy reads where nothing was prefilled: the only block, unless thinking encloses it."""
    text = _content(text)
    tags = _scan(text)
    opened = [place for tag, place in tags if tag == "<answer>"]
    closed = [place for tag, place in tags if tag == "</answer>"]
    if len(opened) != 1 or len(closed) != 1 or closed[0] < opened[0]:
        return None
    before = [tag for tag, place in tags if place < opened[0] and "think" in tag]
    after = [tag for tag, place in tags if place > opened[0] and tag == "</think>"]
    if before and before[-1] == "<think>" and after:
        return None
    return read_answer(text[opened[0] + len("<answer>") : closed[0]], gold)
