"""What R²GRPO's released reward looks for in a text: blocks, quotes, words. See `r2grpo_release.py`.

Each function finds what the release's regular expressions find (arXiv 2505.22068; `rlisml/R2GRPO` at 12e3aed,
`r2grpo.py`), but in linear time: those are quadratic in hostile text. Scores are before the release's scaling.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

__all__ = ["block", "consistency_score", "relevance_score", "rule_score", "well_tagged"]

RELEVANCE_CAP, SPAN_BASE, SPAN_SPECIFIC = 0.6, 0.1, 0.1
RULE_WORD, RULE_STATED, RULE_EXPLAINED, RULE_STEPS = 0.5, 0.3, 0.4, 0.3
CONSISTENCY, NO_RELATION_SHARE = 0.7, 0.5

_OPEN = {tag: re.compile(f"<{tag}>", re.IGNORECASE) for tag in ("think", "answer")}
_CLOSE = {tag: re.compile(f"</{tag}>", re.IGNORECASE) for tag in ("think", "answer")}
_JUNCTION = re.compile(r"</think>\s*<answer>")
_QUOTED = re.compile("['\"]([^'\"]+)['\"]")
_WORD = re.compile(
    "implies|suggests|because|maps to|indicates|pattern|rule|therefore|hence|thus|consequently|leads to", re.IGNORECASE
)
_STEP = re.compile(r"step \d+|\d\.|[a-z]\)|-\s|•\s", re.IGNORECASE)
# Look-aheads, so that matches that overlap are all found.
_RULE = re.compile("(?=(pattern|rule))", re.IGNORECASE)
_STATES = re.compile("(?=implies|suggests|indicates|means|defines)", re.IGNORECASE)
_RELATION = re.compile("(?=(relation)(ship)?)", re.IGNORECASE)
_EXPLAINS = re.compile("(?= (?:because|due to|as))", re.IGNORECASE)
_SPACE = re.compile(r"\s*")


def block(text: str, tag: str) -> str:
    """The inside of the first block of a tag (`think`, `answer`; in any letter case), stripped; empty if none."""
    start = _OPEN[tag].search(text)
    end = _CLOSE[tag].search(text, start.end()) if start else None
    return text[start.end() : end.start()].strip() if start and end else ""


def well_tagged(text: str) -> bool:
    """Whether a think block and then an answer block stand anywhere, in lower case, white space between them."""
    start = text.find("<think>")
    junction = _JUNCTION.search(text, start + len("<think>")) if start >= 0 else None
    return junction is not None and text.find("</answer>", junction.end()) >= 0


def relevance_score(thinking: str, sentence: str) -> float:
    """E of the release: every quoted piece of the sentence, repetitions included, at most 0.6."""
    whole, score = sentence.lower().strip(), 0.0
    if not whole:
        return 0.0
    for quoted in _QUOTED.findall(thinking):
        piece = quoted.lower().strip()
        if piece and piece != whole and piece in whole:
            score += SPAN_BASE + SPAN_SPECIFIC * max(0.0, 1.0 - len(piece) / len(whole))
            if score >= RELEVANCE_CAP:
                return RELEVANCE_CAP
    return score


def rule_score(thinking: str) -> float:
    """S of the release: four kinds of words, each paid once, at most 1.5."""
    score = RULE_WORD if _WORD.search(thinking) else 0.0
    heads = [found.end(1) for found in _RULE.finditer(thinking)]
    score += RULE_STATED if _followed(thinking, heads, _STATES) else 0.0
    heads = [end for found in _RELATION.finditer(thinking) for end in (found.end(1), found.end(2)) if end >= 0]
    score += RULE_EXPLAINED if _followed(thinking, heads, _EXPLAINS) else 0.0
    return score + (RULE_STEPS if _STEP.search(thinking) else 0.0)


def _followed(text: str, heads: Sequence[int], tail: re.Pattern[str]) -> bool:
    """Whether `tail` begins after one of `heads` (ends of words, ascending), white space of any kind and then anything
    on that line between them."""
    tails = [found.start() for found in tail.finditer(text)]
    line_end = -1
    for head in heads if tails else ():
        space = _SPACE.match(text, head)
        start = space.end() if space else head
        if start > line_end:
            line_end = text.find("\n", start)
            line_end = len(text) if line_end < 0 else line_end
        first = bisect_left(tails, head)
        if first < len(tails) and tails[first] < line_end:
            return True
    return False


def consistency_score(thinking: str, relations: Sequence[tuple[str, str, str]]) -> float:
    """C of the release: the share of the gold relations whose three texts occur in the thinking, at most 0.7; half of
    it for the words `no relation` where the gold has none."""
    lower = thinking.lower()
    if not relations:
        return NO_RELATION_SHARE * CONSISTENCY if "no relation" in lower else 0.0
    said = sum(all(part.lower() in lower for part in relation) for relation in relations)
    return said / len(relations) * CONSISTENCY
