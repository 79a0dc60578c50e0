"""A document with given entities, asked pair by pair: one question a pair, one label an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bythebook import stats
from bythebook.annotation.questions import Written, given_entity
from bythebook.annotation.resume import TOO_LONG
from bythebook.parsing import parse_tagged_answer
from bythebook.readers.documents import Document
from bythebook.rewards.r1_re import form_status
from bythebook.schema import Grammar
from bythebook.tasks.documents import pair_examples
from bythebook.types import Completion, Example, Guideline, Label, Parsed

__all__ = ["PairQuestions"]


@dataclass(frozen=True)
class PairQuestions:
    """The pairs of a document as questions, and what becomes of the answers."""

    document: Document
    guideline: Guideline
    grammar: Grammar
    greedy: bool
    prefilled: bool
    max_distance: int | None = None
    abstain_below: float | None = None

    @cached_property
    def examples(self) -> list[Example]:
        return pair_examples(self.document, self.guideline, self.max_distance)

    def findings(self, written: Sequence[Written]) -> dict[str, Any]:
        """Entities, relations and answers of a prediction."""
        answers = [self._answer(example, drawn) for example, drawn in zip(self.examples, written, strict=True)]
        return {
            "entities": [given_entity(e, self.document.text) for e in self.document.entities],
            "relations": [r for r in map(self._relation, answers) if r],
            "answers": answers,
        }

    def _answer(self, example: Example, written: Sequence[Completion]) -> dict[str, Any]:
        """What was read of one question's completions; of several, the first that gave the majority's answer."""
        read = [parse_tagged_answer(c.text, self.grammar, prefilled=self.prefilled) for c in written]
        labels = [self._label(parsed) for parsed in read]
        label = stats.majority(labels)
        place = labels.index(label)
        parsed, completion = read[place], written[place]
        p = None if self.greedy or label is None else labels.count(label) / len(labels)
        errors = [f"{d.code}: {d.message}" for d in parsed.deviations]
        if completion.finish_reason == "error":
            status, errors = "unscored", [completion.error or TOO_LONG]
        elif label and p is not None and self.abstain_below is not None and p < self.abstain_below:
            status, errors = "abstained", [*errors, f"abstained: {label.text} has p = {p:.3g}"]
            label = None
        else:
            status = "ok" if label else form_status(parsed, completion.finish_reason)
        return {
            "e1": example.meta["e1"],
            "e2": example.meta["e2"],
            "answer": label.text if label else None,
            **({} if p is None else {"p": p}),
            "status": status,
            "thinking": parsed.thinking,
            "completion": completion.text,
            "finish_reason": completion.finish_reason,
            "errors": errors,
        }

    def _label(self, parsed: Parsed) -> Label | None:
        """The single answer; one that the guideline does not declare is none."""
        return parsed.label if parsed.label and self.grammar.knows(parsed.label) else None

    def _relation(self, answer: Mapping[str, Any]) -> dict[str, Any] | None:
        label = self.grammar.read(answer["answer"]) if answer["answer"] else None
        if label is None or label.direction is None:
            return None
        head, tail = ("e1", "e2") if label.direction == "(e1,e2)" else ("e2", "e1")
        relation = {"head": answer[head], "tail": answer[tail], "type": label.name}
        return relation | ({"p": answer["p"]} if "p" in answer else {})
