"""The reward of R²GRPO (arXiv 2505.22068), mended: its components, none of which is to be had without being right.

| part        | is                                                                                      | at most |
|-------------|-----------------------------------------------------------------------------------------|---------|
| entities    | F1 of the set of (text, type), less where the wrong mentions are far from the gold ones | 1       |
| relations   | 2·F1 of the set of (head, relation, tail)                                               | 2       |
| relevance   | 0.6·F1 of the entities, where only those count as right that the thinking quotes        | 0.1     |
| rule        | 1.5·F1 of the relations, where only those count that a step of the thinking concludes   | 0.25    |
| consistency | 0.7·F1 of the relations, where only those count that a step of the thinking names       | 0.117   |
| format      | 0.5 if the form is right and the answer says something                                  | 0.5     |

The middle three are scaled by 0.5/3; together 3.967, as released. What the release pays undeserved or withholds, and
what becomes of it here:

- Filler in the thinking: reasoning is paid for items that are right, form beside an answer that can be scored.
- A missing answer, or a missing half of one, earns nothing. An empty one is right where the gold is empty.
- An item that can't be read is a wrong one, in the completion that has it and nowhere else.
- JSON in a fence is read.
- A quote counts once, if it stands in the source and holds a right entity. Words such as `rule` and `because` count in
  a step that names one relation of the answer with both its arguments, if that is right; one step for each.
- The gold is not looked for in the thinking: with the gold only the answer is compared.
- Overlap of mentions lessens what their F1 pays, and pays nothing by itself.

So with F1 of entities and relations e and r no completion earns more than 1.1·e + 2.367·r + 0.5; a well reasoned right
answer earns that for e = r = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from bythebook.rewards.extraction_form import Compared, Half, compared, extraction_status
from bythebook.rewards.forms import EXTRACTION, Form
from bythebook.rewards.overlap import summed_overlap
from bythebook.rewards.r1_re import codes_of
from bythebook.rewards.reasoning import Rule, Step, quotes_of, steps_of, supported_entities, supporting_steps
from bythebook.schema import ExtractionGold
from bythebook.types import ExtractedEntity, ExtractedRelation, FinishReason, Noun, ParsedExtraction, Part, Verdict

__all__ = ["R2GRPO"]

Weight = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class R2GRPO(Noun):
    """R²GRPO's reward, mended. Every weight is the release's (`rlisml/R2GRPO` at 12e3aed) unless it says otherwise.

    A weight of 0 leaves a component out. ValidationError for a weight that is negative or not finite.
    """

    reads: ClassVar[tuple[Form, ...]] = EXTRACTION

    entities: Weight = 1.0
    overlap: Share = 0.3
    """Share of `entities` that depends on how near the wrong mentions are; the release adds it whatever the F1."""
    relations: Weight = 2.0
    format: Weight = 0.5
    reasoning: Weight = 0.5 / 3
    """Scale of the five weights that follow."""
    relevance: Weight = 0.6
    rule_infers: Weight = 0.5
    rule_states: Weight = 0.3
    rule_explains: Weight = 0.4
    rule_steps: Weight = 0.3
    consistency: Weight = 0.7
    no_relation: Share = 0.5
    """Share of `consistency` where a step rightly says that there is no relation."""
    longest_quote: Share = 0.5
    """Share of the source beyond which a quote shows nothing. Our choice: the release pays short ones more."""

    def judge(
        self, parsed: ParsedExtraction, gold: ExtractionGold | None, finish_reason: FinishReason = "stop"
    ) -> Verdict:
        """The verdict. `unscored`, with value None, without a gold answer or where the generation itself failed."""
        errors = codes_of(parsed)
        if gold is None or finish_reason == "error":
            return Verdict(value=None, status="unscored", errors=errors)
        answer = compared(parsed, gold)
        if answer is None:
            gate = Part(value=0.0, gate=True, reason=", ".join(errors) or "there is no answer")
            status = extraction_status(parsed, finish_reason)
            return Verdict(value=0.0, status=status, parts={"answer": gate}, errors=errors)
        parts = self._answer(answer)
        if answer.scoreable:
            parts |= self._reasoning(parsed.thinking or "", answer, gold)
            parts["format"] = Part(value=self.format if parsed.well_formed else 0.0, reason=", ".join(errors))
        else:
            parts["format"] = Part(value=0.0, gate=True, reason="the answer says nothing, or only a half of it")
        value = sum(part.value for part in parts.values())
        return Verdict(value=value, status="ok" if answer.right else "wrong", parts=parts, errors=errors)

    def _answer(self, answer: Compared) -> dict[str, Part]:
        parts = {}
        if answer.entities is not None:
            half = answer.entities
            near = (half.counts.tp + summed_overlap(half.wrong, half.missed)) / max(
                half.counts.predicted, half.counts.gold, 1
            )
            nearness = near if half.counts.predicted + half.counts.gold else 1.0
            share = half.f1 * (1.0 - self.overlap * (1.0 - nearness))
            parts["entities"] = Part(value=self.entities * share, weight=self.entities, reason=_said(half))
        if answer.relations is not None:
            half_of_relations = answer.relations
            value = self.relations * half_of_relations.f1
            parts["relations"] = Part(value=value, weight=self.relations, reason=_said(half_of_relations))
        return parts

    def _reasoning(self, thinking: str, answer: Compared, gold: ExtractionGold) -> dict[str, Part]:
        parts = {}
        if answer.entities is not None:
            quotes = quotes_of(thinking, gold.text)
            quoted = supported_entities(quotes, answer.entities.right, gold.text, self.longest_quote)
            parts["relevance"] = self._part(self.relevance, _f1(quoted, answer.entities))
        if answer.relations is not None:
            names = gold.extraction_schema.relation_names
            rule, consistency = self._relations(steps_of(thinking, names), answer.relations)
            parts["rule"] = self._part(1.0, rule)
            parts["consistency"] = self._part(self.consistency, consistency)
        return parts

    def _part(self, weight: float, share: float) -> Part:
        return Part(value=self.reasoning * weight * share, weight=self.reasoning * weight)

    def _relations(self, steps: Sequence[Step], half: Half[ExtractedRelation]) -> tuple[float, float]:
        """(weighted share of rules, share of consistency). Steps that state a relation beyond those of the answer
        lower both, as wrong relations in the answer do; one that says why there is none states none."""
        stated = [step for step in steps if step.relations and not step.denies]
        if half.counts.predicted + half.counts.gold == 0:
            denying = [step for step in steps if step.denies] if half.given else []
            best = max((self._weighed(step.rule) for step in denying), default=0.0)
            return best / (1 + len(stated)), self.no_relation * bool(denying) / (1 + len(stated))
        support = supporting_steps(stated, half.right)
        both = max(half.counts.predicted, len(stated)) + half.counts.gold
        return 2 * sum(self._weighed(step.rule) for step in support) / both, 2 * len(support) / both

    def _weighed(self, rule: Rule) -> float:
        terms = (
            (rule.infers, self.rule_infers),
            (rule.states, self.rule_states),
            (rule.explains, self.rule_explains),
            (rule.numbered, self.rule_steps),
        )
        return sum(weight for holds, weight in terms if holds)


def _f1(supported: int, half: Half[ExtractedEntity]) -> float:
    """F1 where only so many of the right items count as right; 0 where there are none to support."""
    both = half.counts.predicted + half.counts.gold
    return 2 * supported / both if both else 0.0


def _said(half: Half[ExtractedEntity] | Half[ExtractedRelation]) -> str:
    c = half.counts
    return f"{c.tp} right, {c.fp} wrong, {c.fn} missed" if half.given else "not answered"
