"""What a reasoning trace does, step by step of an annotator: identify, compare, hypothesise, verify, conclude.

The five are the stages that R1-RE reports to emerge in training (arXiv 2507.04642, case study). Whether the paper
counted them is not known; this tagger is ours. It looks for wordings, sentence by sentence, and knows no meaning: a
sentence quoted from the source can set a tag off. How well it agrees with people is measured by a test on labelled
traces (`tests/fixtures/behaviours`).

identify      says what a marked mention is or which part it plays: "e1 is a drug", "the head denotes …", "e1 acts"
compare       holds the sentence against the guideline: "the definition needs …", "treatment_for requires …", a quoted
              rule `feeds Kora-Vel(e1,e2)`, "no rule"
hypothesise   considers a label without deciding: "could be", "seems", "candidates", and the label of a quoted rule
verify        tests it: restriction, exception, direction, order, "check", "however", "wait", "saw rarely no"
conclude      names the outcome as one: "therefore Cause-Effect", "the answer is", "so no relation"

Quoted rules and `saw`, `acts` are the terse reasoning of the embedded model, which has no words for a conclusion: its
answer follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, get_args

from bythebook.types import Noun, Span

__all__ = ["BEHAVIOURS", "MAX_SPANS", "Behaviour", "Tagged", "tag_behaviours", "thinking_span"]

Behaviour = Literal["identify", "compare", "hypothesise", "verify", "conclude"]
BEHAVIOURS: tuple[Behaviour, ...] = get_args(Behaviour)
MAX_SPANS = 64
"""How many places of one behaviour are recorded at most."""

_MOST_LABELS = 256
_SEGMENT = re.compile(r"[^.!?;\n]+")
_GENERIC_LABEL = r"[A-Z][a-z]{1,20}(?:-[A-Z][a-z]{1,20}){1,3}|[a-z]{2,20}(?:_[a-z]{1,20}){1,3}"
_DIRECTION = r"\(e[12], ?e[12]\)"

# In every pattern a gap is bounded, so that the time stays linear in the text. `@` stands for a relation name.
_ARGUMENT = (
    r"(?:</?e[12]>|\be[12]\b|\bentity [12]\b|\b(?:head|tail)\b|"
    r"\b(?:first|second|two|both|marked)(?: marked| named)? (?:mention|entit|argument|noun|nominal)\w{0,4})"
)
_TYPE = (
    r"(?:person|people|tool|instrument|agent|place|location|event|object|drug|disorder|disease|symptom|cause|effect|"
    r"part|whole|collection|member|product|producer|message|topic|container|content|origin|source|destination)s?"
)
_IDENTIFY = (
    rf"{_ARGUMENT}[^,:]{{0,60}}?\b(?:is|are|denotes?|refers? to|means|names|describes|stands for|acts)\b(?! e[12])|"
    r"\bidentify(?:ing)? (?:the |both )?(?:two )?(?:marked )?(?:mention|entit|argument|noun)\w{0,4}|"
    rf"\b(?:is|are) (?:an?|the) (?:\w{{1,20}} ){{0,2}}{_TYPE}\b|"
    # The mentions with what stands between them, as in templated reasoning.
    r"\w … [^…]{1,80} … \w"
)
_COMPARE = (
    r"\bguid(?:e|eline)s?\b|\bdefin(?:es|ed|ition|itions)\b|\bno rule\b|\bthe rules?\b|\bcriteri(?:on|a)\b|"
    r"\bnear[- ]miss|\b(?:according to|going by|by) the (?:definition|guide|rule)"
)
_COMPARE_LABEL = r"@\W{1,3}(?:needs|requires|demands|says|holds|wants|means|is about|is for|excludes)\b"
_QUOTED_RULE = r"(?-i:^\s*[a-z]{1,20} )@" + _DIRECTION
_HYPOTHESISE = (
    r"\b(?:could|might|may(?! not)|maybe|perhaps|probably|likely|possibl[ey]|plausibl[ey]|seems?|appears? to|"
    r"looks? like|suggests?|suspect|suppose|assum(?:e|ing)|candidates?|hypothes[ie]s|i think|i believe|"
    r"(?:my|a|first) guess)\b"
)
_HYPOTHESISE_LABEL = ": @, first argument"
_VERIFY = (
    r"(?<!\ba )(?<!\bthe )\bcheck(?:s|ed|ing)?\b(?! to\b)|\bverif(?:y|ies|ied|ying|ication)\b|\bconfirm|\bmake sure\b|"
    r"\bre-?read\b|\bread \w{1,10}(?: \w{1,10})? again\b|\bwait\b|\bhowever\b|\brestrictions?\b|\bexceptions?\b|"
    r"\bexcludes?\b|\bdirection\b|\b(?:the|right) order\b|\breversed\b|\bturned round\b|\bruled? out\b|\bfails?\b|"
    r"\bcontradicts?\b|\bon the other hand\b|\bsaw (?:\w{1,20}) (?:yes|no)\b"
)
_CONCLUDE = (
    r"\b(?:so|therefore|thus|hence|consequently|accordingly|in conclusion|i conclude|i settle on)\b[^:]{0,60}?"
    r"\b(?:@|(?:answer|label|relation|Other)\b)|"
    r"\bfinal answer\b|\banswer:|\b(?:answer|label|relation) (?:is|must be)\b|"
    rf"@(?:{_DIRECTION})? (?:is the answer|it is\b)"
)


class Tagged(Noun):
    """The behaviours of one trace, each with its places in the text, in order."""

    identify: tuple[Span, ...] = ()
    compare: tuple[Span, ...] = ()
    hypothesise: tuple[Span, ...] = ()
    verify: tuple[Span, ...] = ()
    conclude: tuple[Span, ...] = ()

    def places(self, behaviour: Behaviour) -> tuple[Span, ...]:
        """Where it shows."""
        found: tuple[Span, ...] = getattr(self, behaviour)
        return found

    @property
    def present(self) -> tuple[Behaviour, ...]:
        """The behaviours that occur, in the order of `BEHAVIOURS`."""
        return tuple(b for b in BEHAVIOURS if self.places(b))


@lru_cache(maxsize=256)
def _rules(labels: tuple[str, ...]) -> dict[Behaviour, re.Pattern[str]]:
    """One pattern a behaviour, with the guideline's own label names beside names of the usual shapes."""
    own = [re.escape(name) for name in sorted(labels, key=len, reverse=True)]
    label = f"(?-i:{'|'.join([*own, _GENERIC_LABEL])})"

    def rule(*patterns: str) -> re.Pattern[str]:
        return re.compile("|".join(patterns).replace("@", label), re.IGNORECASE)

    return {
        "identify": rule(_IDENTIFY),
        "compare": rule(_COMPARE, _COMPARE_LABEL, _QUOTED_RULE),
        "hypothesise": rule(_HYPOTHESISE, _HYPOTHESISE_LABEL, _QUOTED_RULE),
        "verify": rule(_VERIFY),
        "conclude": rule(_CONCLUDE),
    }


def tag_behaviours(text: str, labels: Sequence[str] = ()) -> Tagged:
    """The behaviours of a trace; spans lie in `text`. Total, and linear in the length of the text.

    `labels` are the relation names of the guideline, of which the first 256 are looked for.
    """
    rules = _rules(tuple(labels[:_MOST_LABELS]))
    places: dict[Behaviour, list[Span]] = {b: [] for b in BEHAVIOURS}
    for start, segment in _segments(text):
        for behaviour, rule in rules.items():
            room = MAX_SPANS - len(places[behaviour])
            if room:
                found = rule.search(segment)
                if found:
                    places[behaviour].append(Span(start=start + found.start(), end=start + found.end()))
    return Tagged(**{b: tuple(spans) for b, spans in places.items()})


def _segments(text: str) -> Iterator[tuple[int, str]]:
    """Sentences and their parts between semicolons, with their place."""
    for found in _SEGMENT.finditer(text):
        yield found.start(), found[0]


def thinking_span(completion: str) -> Span:
    """Where a completion's reasoning stands: between the first `<think>` and what ends it, or before the answer."""
    opened = completion.find("<think>")
    start = 0 if opened < 0 else opened + len("<think>")
    ends = [at for at in (completion.find(tag, start) for tag in ("</think>", "<answer>")) if at >= 0]
    return Span(start=start, end=min(ends, default=len(completion)))
