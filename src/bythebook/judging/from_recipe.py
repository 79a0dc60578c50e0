"""`reward.name: judged` of a recipe: a judge, built once, that pays every batch of rollouts.

    reward:
      name: judged
      options: {model: Qwen/Qwen2.5-7B-Instruct, base_url: "http://localhost:8000/v1", score: binary}

Without `base_url` the model is loaded into the training process (`backend`: transformers or vLLM); a rule takes no
model. Question and reference come from the gold column, so every engine that carries it can be judged. A judge that
fails leaves rollouts `unscored`: they are asked about again, then left out of the batch, and never paid 0 for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, FiniteFloat, ValidationError, model_validator

from bythebook.errors import DataError, RecipeError, said
from bythebook.generation import load_model, server_at
from bythebook.generation.loading import Backend
from bythebook.judging.ask import Judge, Terms, Verifier
from bythebook.judging.baselines import Rule, RuleJudge
from bythebook.judging.of_golds import RewardOfGolds
from bythebook.judging.prompts import PromptForm
from bythebook.judging.reward import JudgedReward
from bythebook.parsing.free_answer import read_free_answer
from bythebook.rewards.verified import Score, VerifiedReward, batch_normalised
from bythebook.schema.answers import AnswerGold
from bythebook.schema.table_answers import TableGold
from bythebook.types import FinishReason, Noun, Verdict

__all__ = ["JUDGED", "GoldJudgedReward", "JudgedOptions", "judge_of", "judged_reward"]

JUDGED = "judged"
"""The name of the reward in a recipe."""
_TABLES = "pay them by table_r1"


def _spelled(score: Any) -> Any:
    return "normalized" if score == "normalised" else score


class JudgedOptions(Noun):
    """What `reward.options` may say of a judge, and of what it pays."""

    rule: Rule | None = None
    """A rule in place of a model: the paper's baselines."""
    model: str | None = None
    """A folder, a hub name, or what the server calls it."""
    base_url: str | None = None
    """Of an OpenAI-compatible server, such as `http://localhost:8000/v1`."""
    backend: Backend | None = None
    device: str | None = None
    """Of a model that is loaded; None: the first GPU where there is one."""
    dtype: str | None = None
    api_key_env: str | None = None
    """The environment variable that holds the server's key."""
    concurrency: int = Field(default=32, ge=1, le=1024)
    """Requests underway at once."""
    timeout: FiniteFloat = Field(default=120.0, gt=0)
    """Seconds one request may take as a whole."""
    retries: int = Field(default=4, ge=0, le=100)
    """Of one request, before the judge's own attempts begin anew."""

    score: Annotated[Score, BeforeValidator(_spelled)] = "normalized"
    guarded: bool = True
    """Known tricks are paid nothing whatever the judge says; the paper asks the judge about everything."""
    neither: Literal["unscored", "zero"] = "unscored"
    """What a judge is worth that says neither YES nor NO; the paper: zero."""
    normalise: bool = False
    """(r − μ) / σ over what one call judges: the rollouts of one process."""

    prompt: PromptForm = "full"
    attempts: int = Field(default=3, ge=1, le=20)
    max_new_tokens: int = Field(default=16, ge=1)
    batch_size: int = Field(default=64, ge=1)
    least_mass: FiniteFloat = Field(default=0.5, ge=0.0, le=1.0)
    seed: int = Field(default=0, ge=0, lt=2**32)
    check: bool = True
    """Ask one plain question before training starts; not for a judge that knows only its own world."""

    @model_validator(mode="after")
    def _one_judge(self) -> JudgedOptions:
        if (self.rule is None) == (self.model is None):
            raise ValueError("either a model or a rule judges")
        if self.rule is not None and self.base_url is not None:
            raise ValueError("a rule asks no server: leave out base_url")
        if self.base_url is None and self.backend == "openai":
            raise ValueError("the backend openai needs base_url")
        return self

    @property
    def terms(self) -> Terms:
        """How the judge is asked."""
        asked = {name: getattr(self, name) for name in Terms.model_fields if name in JudgedOptions.model_fields}
        return Terms(**asked)


def judge_of(options: JudgedOptions) -> Judge:
    """The judge. ModelError if it can't be loaded or reached, or gives no verdict on the plain question."""
    if options.rule is not None:
        return RuleJudge(options.rule)
    endpoint = None
    if options.base_url is not None:
        terms = {name: getattr(options, name) for name in ("api_key_env", "concurrency", "timeout", "retries")}
        endpoint = server_at(options.base_url, **terms)
    model = load_model(
        str(options.model), options.backend, device=options.device, dtype=options.dtype, endpoint=endpoint
    )
    judge = Verifier(model, options.terms)
    if options.check:
        judge.check()
    return judge


class GoldJudgedReward(RewardOfGolds):
    """A judge's reward as the trainer calls one: question and reference are read from the gold column."""

    judges = "free answers"
    remedy = "train on questions with free answers: free_answers, world_answers or world_fields"

    def __init__(self, reward: JudgedReward, *, prefilled: bool = False, name: str = JUDGED) -> None:
        self.reward, self.prefilled = reward, prefilled
        self.name = self.__name__ = name  # TRL names its columns after this
        self.tally: Counter[str] = Counter()
        """How often each status, and each error of what is unscored, was met so far."""

    def verdicts(
        self,
        completions: Sequence[str],
        golds: Sequence[str | None],
        finish_reasons: Sequence[FinishReason] | None = None,
    ) -> list[Verdict]:
        """One verdict a completion; `unscored` without a gold. DataError for a gold that is no question's."""
        read = [self._read(gold) for gold in golds]
        found = self.reward.verdicts(
            completions,
            ["" if gold is None else gold.question for gold in read],
            [None if gold is None else gold.reference for gold in read],
            finish_reasons,
        )
        for verdict in found:
            self.tally[verdict.status] += 1
            if verdict.status == "unscored":
                self.tally.update(verdict.errors)
        return found

    def _read(self, gold: str | None) -> AnswerGold | None:
        found = super()._read(gold)
        if isinstance(found, TableGold):
            # Its answers are JSON in a form of their own, which no last line is.
            raise DataError(f"the reward {self.name} judges free answers, not answers about tables", remedy=_TABLES)
        return found

    def _values(self, verdicts: Sequence[Verdict], columns: Mapping[str, Any]) -> list[float | None]:
        if (log := columns.get("log_metric")) is not None and verdicts:  # TRL's
            for status in ("unscored", "ok"):
                log(f"judge/{status}", sum(v.status == status for v in verdicts) / len(verdicts))
        values = super()._values(verdicts, columns)
        return batch_normalised(values) if self.reward.normalise else values


def judged_reward(options: Mapping[str, Any], *, prefilled: bool = False) -> GoldJudgedReward:
    """The reward that a recipe's `reward.options` ask for. RecipeError for options that are wrong, ModelError for a
    judge that can't be loaded or asked."""
    known = ", ".join(JudgedOptions.model_fields)
    unknown = sorted(set(options) - set(JudgedOptions.model_fields))
    if unknown:
        raise RecipeError(f"reward {JUDGED!r} has no option {', '.join(unknown)}", remedy=f"it has {known}")
    try:
        wanted = JudgedOptions.model_validate(dict(options))
    except ValidationError as error:
        raise RecipeError(f"reward {JUDGED!r}: {said(error)}", remedy=f"its options are {known}") from None
    pays = VerifiedReward(score=wanted.score, guarded=wanted.guarded, neither=wanted.neither)
    reward = JudgedReward(judge_of(wanted), pays, normalise=wanted.normalise, take=_Take(prefilled))
    return GoldJudgedReward(reward, prefilled=prefilled)


class _Take:
    """Finds in a completion what is judged; picklable."""

    def __init__(self, prefilled: bool) -> None:
        self.prefilled = prefilled

    def __call__(self, completion: str) -> str:
        return read_free_answer(completion, prefilled=self.prefilled).text
