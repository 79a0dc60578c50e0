"""A reward on texts: what RL engines call. It reads the gold column, parses, and asks a judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast, runtime_checkable

from bythebook.errors import DataError, ModelError
from bythebook.parsing import parse_tagged_answer
from bythebook.parsing.extraction import parse_extraction
from bythebook.parsing.free_answer import FreeAnswer, read_free_answer
from bythebook.parsing.key_values import ParsedKeyValues, parse_key_values
from bythebook.parsing.table_answer import TableAnswer, read_table_answer
from bythebook.parsing.tag_sets import TAG_SETS
from bythebook.rewards.forms import FORM_OF, Form
from bythebook.schema import ExtractionGold, Gold, Grammar, read_gold
from bythebook.schema.answers import AnswerGold
from bythebook.schema.key_values import KeySchema, KeyValueGold
from bythebook.schema.table_answers import TableGold
from bythebook.types import FinishReason, Parsed, ParsedExtraction, Verdict

__all__ = ["BatchJudge", "Judge", "TextReward", "completion_text"]

Message = Mapping[str, Any]
_THINKING_KEYS = ("reasoning_content", "reasoning", "thinking")


class Judge(Protocol):
    """A reward on what the parser has read: a `Parsed` beside a `Gold`, a `ParsedExtraction` beside an
    `ExtractionGold`. `reads` names the kinds of gold that it takes."""

    @property
    def reads(self) -> tuple[Form, ...]: ...

    def judge(self, parsed: Any, gold: Any, finish_reason: FinishReason = "stop") -> Verdict: ...


@runtime_checkable
class BatchJudge(Protocol):
    """A reward on the texts themselves that sees a whole batch: a published one that is kept as it was released."""

    def judge_batch(
        self, texts: Sequence[str], golds: Sequence[ExtractionGold | None], finish_reasons: Sequence[FinishReason]
    ) -> list[Verdict]: ...


def completion_text(completion: str | Sequence[Message]) -> str:
    """The text of a completion, given as a string or as chat messages.

    ModelError if the tokenizer's response parser has taken the thinking out of the content: then the form the model
    wrote can't be seen any more.
    """
    if isinstance(completion, str):
        return completion
    texts = []
    for message in completion:
        if any(message.get(key) for key in _THINKING_KEYS):
            raise ModelError(
                "the tokenizer's response parser splits the thinking from the answer",
                remedy="set tokenizer.response_template and tokenizer.response_schema to None",
            )
        content = message.get("content") or ""
        texts.append(content if isinstance(content, str) else "".join(part.get("text", "") for part in content))
    return "".join(texts)


class TextReward:
    """A judge under a name, callable as TRL calls a reward function; picklable if the judge is.

    `prefilled` says that the chat template ends the prompt with the first tag; `tags` names the tag set of joint
    extraction (`parsing.tag_sets`).
    """

    def __init__(self, name: str, judge: Judge, prefilled: bool = False, tags: str = "think") -> None:
        self.name = name
        self.judge = judge
        self.prefilled = prefilled
        self.tags = tags
        self.__name__ = name  # TRL names its columns after this

    def __repr__(self) -> str:
        return f"TextReward({self.name!r}, {self.judge!r}, prefilled={self.prefilled}, tags={self.tags!r})"

    def _gold(self, text: str) -> Gold | ExtractionGold | AnswerGold | KeyValueGold:
        gold = read_gold(text)
        if gold is None:
            raise DataError(
                "not a gold answer", remedy="fill the gold column with Gold.to_json() or ExtractionGold.to_json()"
            )
        form = FORM_OF[type(gold)]
        if form not in self.judge.reads:
            reads = " or ".join(self.judge.reads)
            raise DataError(f"the reward {self.name} judges by a gold {reads}, not by a gold {form}")
        return gold

    def parsed(self, completion: str, gold: str) -> Parsed:
        """The completion as read under the grammar of `gold`, a Gold as JSON. DataError if that is something else."""
        read = self._gold(gold)
        if not isinstance(read, Gold):
            raise DataError("the gold is that of an extraction", remedy="read it with parsed_extraction")
        return self.read_label(completion, read.grammar)

    def parsed_extraction(self, completion: str, gold: str) -> ParsedExtraction:
        """The completion as read under the schema of `gold`, an ExtractionGold as JSON. DataError if it is none."""
        read = self._gold(gold)
        if not isinstance(read, ExtractionGold):
            raise DataError("the gold is a label", remedy="read it with parsed")
        return self.read_extraction(completion, read)

    def read_label(self, completion: str, grammar: Grammar) -> Parsed:
        """The completion as read under a grammar."""
        return parse_tagged_answer(completion, grammar, prefilled=self.prefilled)

    def read_extraction(self, completion: str, gold: ExtractionGold) -> ParsedExtraction:
        """The completion as read under the schema of a gold, whose extraction is not looked at."""
        return parse_extraction(
            completion,
            gold.extraction_schema,
            gold.sub_task,
            source=gold.text,
            tags=TAG_SETS[self.tags],
            prefilled=self.prefilled,
            given=gold.given,
        )

    def read_answer(self, completion: str) -> FreeAnswer:
        """The final answer of a completion in free words."""
        return read_free_answer(completion, prefilled=self.prefilled)

    def read_key_values(self, completion: str, schema: KeySchema) -> ParsedKeyValues:
        """The values of a completion, as read under the keys that were asked for."""
        return parse_key_values(completion, schema, tags=TAG_SETS[self.tags], prefilled=self.prefilled)

    def read_table(self, completion: str) -> TableAnswer:
        """The answer of a completion to a question about a table."""
        return read_table_answer(completion, prefilled=self.prefilled)

    def verdict(self, completion: str, gold: str | None, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict on one completion; `unscored` if `gold` is None. DataError if `gold` is neither a Gold nor an
        ExtractionGold as JSON, or of the kind that this reward does not judge by."""
        if gold is None:
            return Verdict(value=None, status="unscored")
        read = self._gold(gold)
        if isinstance(self.judge, BatchJudge):
            return self._batch([completion], [gold], [finish_reason])[0]
        if isinstance(read, Gold):
            return self.judge.judge(self.read_label(completion, read.grammar), read, finish_reason)
        if isinstance(read, TableGold):
            return self.judge.judge(self.read_table(completion), read, finish_reason)
        if isinstance(read, AnswerGold):
            return self.judge.judge(self.read_answer(completion), read, finish_reason)
        if isinstance(read, KeyValueGold):
            return self.judge.judge(self.read_key_values(completion, read.key_schema), read, finish_reason)
        return self.judge.judge(self.read_extraction(completion, read), read, finish_reason)

    def _batch(
        self, completions: Sequence[str], golds: Sequence[str | None], reasons: Sequence[FinishReason]
    ) -> list[Verdict]:
        # What the prompt ends with belongs to the text that the release's reward looks at.
        opened = TAG_SETS[self.tags].tags[0] if self.prefilled else ""
        texts = [opened + text for text in completions]
        read = [None if gold is None else cast(ExtractionGold, self._gold(gold)) for gold in golds]
        return cast(BatchJudge, self.judge).judge_batch(texts, read, reasons)

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[str | Sequence[Message]],
        gold: Sequence[str | None],
        finish_reason: Sequence[FinishReason | None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """One value a completion, None where it could not be scored; further columns are ignored.

        `gold` holds each item's Gold or ExtractionGold as JSON. DataError if the columns differ in length.
        """
        given = [None] * len(completions) if finish_reason is None else finish_reason
        if not len(completions) == len(gold) == len(given):
            raise DataError(f"{len(completions)} completions, {len(gold)} golds, {len(given)} finish reasons")
        texts = [completion_text(completion) for completion in completions]
        reasons: list[FinishReason] = [reason or "stop" for reason in given]
        if isinstance(self.judge, BatchJudge):
            return [verdict.value for verdict in self._batch(texts, gold, reasons)]
        rows = zip(texts, gold, reasons, strict=True)
        return [self.verdict(text, its_gold, reason).value for text, its_gold, reason in rows]
