"""Generation with vLLM, for models of billions of parameters on GPUs.

vLLM needs a GPU, and this module has been run against a stand-in of its interface only, not against vLLM itself:
the tests check what is handed over and what is made of the answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from bythebook.errors import MissingExtraError, ModelError
from bythebook.generation import vocabulary
from bythebook.generation.chat import encode_prompts, starts_inside_thinking
from bythebook.generation.model import Messages, Progress
from bythebook.generation.sampling import Sampling
from bythebook.generation.settings import ModelSettings
from bythebook.types import Completion, FinishReason

if TYPE_CHECKING:
    from bythebook.generation.constraint import Constraint

__all__ = ["VllmModel"]


class VllmModel:
    """A model served by vLLM inside this process. The shared beginning of the prompts is computed once."""

    constrains = True

    def __init__(
        self,
        location: Path | str,
        *,
        name: str | None = None,
        settings: ModelSettings | None = None,
        dtype: str | None = None,
        **engine: Any,
    ) -> None:
        """`engine` goes to `vllm.LLM` as it is (`tensor_parallel_size`, `gpu_memory_utilization`, …).

        MissingExtraError without vLLM; ModelError if it can't load the model.
        """
        try:
            import vllm
        except ImportError:
            raise MissingExtraError("the vLLM backend", "vllm") from None
        self._vllm: Any = vllm
        try:
            self._llm: Any = vllm.LLM(
                model=str(location), dtype=dtype or "auto", **{"enable_prefix_caching": True, **engine}
            )
        except (OSError, RuntimeError, ValueError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            raise ModelError(
                f"vLLM can't load {str(location)!r}: {reason}", remedy="without a GPU use the transformers backend"
            ) from error
        self._tokenizer: Any = self._llm.get_tokenizer()
        self._name = name or str(location)
        self._settings = settings or ModelSettings()
        self._prefilled = starts_inside_thinking(self._tokenizer)

    @property
    def name(self) -> str:
        return self._name

    @property
    def prefilled(self) -> bool:
        return self._prefilled

    @property
    def settings(self) -> ModelSettings:
        return self._settings

    def unknown_words(self, texts: Sequence[str]) -> tuple[str, ...]:
        """See `Model`."""
        return vocabulary.unknown_words(self._tokenizer, texts) if self._settings.closed_vocabulary else ()

    def generate(
        self,
        prompts: Sequence[Messages],
        sampling: Sampling,
        progress: Progress | None = None,
        *,
        constraints: Sequence[Constraint | None] | None = None,
    ) -> list[list[Completion]]:
        """See `Model`. All prompts go to vLLM at once (it batches itself), so that `progress` is called at the end.
        `constraints` are vLLM's structured outputs; no tokens are kept for the answer there."""
        if not prompts:
            return []
        encoded = encode_prompts(self._tokenizer, prompts)
        limit = int(self._llm.llm_engine.model_config.max_model_len)
        fitting = [row for row, ids in enumerate(encoded) if len(ids) < limit]
        out = [[Completion(text="", finish_reason="error", tokens=0)] * sampling.n for _ in prompts]
        if fitting:
            outputs = self._llm.generate(
                [{"prompt_token_ids": encoded[row]} for row in fitting],
                [
                    self._params(sampling, row, limit - len(encoded[row]), constraints[row] if constraints else None)
                    for row in fitting
                ],
                use_tqdm=False,
            )
            for row, output in zip(fitting, outputs, strict=True):
                out[row] = [_completion(one) for one in output.outputs]
        if progress:
            progress(len(prompts), len(prompts))
        return out

    def _params(self, sampling: Sampling, row: int, room: int, constraint: Constraint | None) -> Any:
        # vLLM seeds each request by itself: one seed for all would draw the same noise for every prompt.
        digest = hashlib.sha256(f"{sampling.seed}:{row}".encode()).digest()
        return self._vllm.SamplingParams(
            n=sampling.n,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=min(sampling.max_new_tokens, room),
            seed=int.from_bytes(digest[:4], "big"),
            skip_special_tokens=True,
            **({} if constraint is None else {"structured_outputs": self._structured(constraint)}),
        )

    def _structured(self, constraint: Constraint) -> Any:
        from vllm.sampling_params import StructuredOutputsParams

        form = json.dumps(constraint.structural_tag(prefilled=self._prefilled))
        return StructuredOutputsParams(structural_tag=form)


def _completion(output: Any) -> Completion:
    reason: FinishReason = output.finish_reason if output.finish_reason in get_args(FinishReason) else "error"
    return Completion(text=output.text, finish_reason=reason, tokens=len(output.token_ids))
