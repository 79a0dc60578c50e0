"""Generation with Hugging Face transformers: on a CPU or one GPU, from a path or around a model in training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bythebook.errors import MissingExtraError, ModelError
from bythebook.generation import vocabulary
from bythebook.generation.chat import encode_prompts, sees, starts_inside_thinking
from bythebook.generation.model import Messages, Progress
from bythebook.generation.sampling import Sampling
from bythebook.generation.settings import ModelSettings
from bythebook.generation.weights import load_weights
from bythebook.types import Completion, FinishReason

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from bythebook.generation.constrained import Grammars, Matchers
    from bythebook.generation.constraint import Constraint
    from bythebook.generation.shared.kept import KeptPrefixes

__all__ = ["TransformersModel", "kind_of"]

Batch = list[tuple[int, list[Completion]]]
"""Completions that were decoded together, with the numbers of their prompts."""

Guided = Callable[[Sequence[int]], "Matchers"] | None
"""The matchers of rows, from the numbers of their prompts; None where nothing constrains them."""

_NO_ROOM = Completion(text="", finish_reason="error", tokens=0)
"""Of a prompt that fills the model's context."""


class TransformersModel:
    """A loaded model with its tokenizer. The model is left as it was found: mode, settings and random state."""

    constrains = True
    sees = False

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str = "model",
        settings: ModelSettings | None = None,
        share_prefix: bool = True,
        prefix_cache: Path | None = None,
    ) -> None:
        """With `share_prefix` what prompts have in common is computed once, where the engine serves the model; with the
        folder `prefix_cache` it is kept on disk, too, which is for a model that does not change."""
        self.model = model
        self.tokenizer = tokenizer
        self._name = name
        self._settings = settings or ModelSettings()
        self._prefilled = starts_inside_thinking(tokenizer)
        self._share_prefix, self._prefix_cache = share_prefix, prefix_cache
        self._kept: KeptPrefixes | None = None
        self._compiled: Grammars | None = None

    @classmethod
    def load(
        cls,
        location: Path | str,
        *,
        name: str | None = None,
        settings: ModelSettings | None = None,
        device: str | None = None,
        dtype: str | None = None,
        share_prefix: bool = True,
        prefix_cache: Path | None = None,
        pictures: bool = False,
    ) -> TransformersModel:
        """From a directory or the hub; see `weights`, also for `pictures`, and the constructor for `share_prefix` and
        `prefix_cache`. A model that comes with a processor is a `SeeingModel`.

        `device` defaults to the GPU where there is one, `dtype` (`float32`, `bfloat16`, `auto`, …) to float32 on a
        CPU and to what the checkpoint was saved in on a GPU. ModelError if the model can't be loaded;
        MissingExtraError without torch and transformers.
        """
        try:
            import torch
            from transformers.utils.logging import disable_progress_bar
        except ImportError:
            raise MissingExtraError("running a model", "train") from None
        disable_progress_bar()
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = dtype or ("float32" if device == "cpu" else "auto")
        if dtype != "auto" and not isinstance(getattr(torch, dtype, None), torch.dtype):
            raise ModelError(f"no dtype {dtype!r}", remedy="float32, bfloat16, float16 or auto")
        model, tokenizer = load_weights(location, dtype=dtype, pictures=pictures)
        try:
            model = model.to(torch.device(device))
        except (RuntimeError, AssertionError) as error:
            raise ModelError(f"device {device!r} can't be used: {_first_line(error)}", remedy="cpu works") from None
        return kind_of(tokenizer, cls)(
            model.eval(),
            tokenizer,
            name=name or str(location),
            settings=settings,
            share_prefix=share_prefix,
            prefix_cache=prefix_cache,
        )

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
        return vocabulary.unknown_words(self.tokenizer, texts) if self._settings.closed_vocabulary else ()

    def generate(
        self,
        prompts: Sequence[Messages],
        sampling: Sampling,
        progress: Progress | None = None,
        *,
        constraints: Sequence[Constraint | None] | None = None,
    ) -> list[list[Completion]]:
        """See `Model`. What is drawn depends on `sampling.seed`, not on the random state of the process; without shared
        prefixes also on what is decoded together, which are prompts of like length. ModelError when memory runs out,
        or for `constraints` that the vocabulary can't keep to; MissingExtraError for any without xgrammar."""
        import torch

        encoded = encode_prompts(self.tokenizer, prompts) if prompts else []
        self._check_tokens(encoded)
        guided = None if constraints is None else self._guided(constraints, sampling)
        out: list[list[Completion]] = [[] for _ in prompts]
        device = self.model.device
        forked = [device] if device.type == "cuda" else []
        with self._undisturbed(), torch.random.fork_rng(devices=forked), torch.no_grad():
            torch.manual_seed(sampling.seed)
            decoded = self._shared_batches if self._shares_prefixes() else self._plain_batches
            batches = decoded(encoded, sampling, guided)
            for number, completions in self._counted(batches, sampling, len(prompts), progress):
                out[number] += completions
        return out

    def _guided(self, constraints: Sequence[Constraint | None], sampling: Sampling) -> Guided:
        """The matchers of rows, by the constraints of their prompts."""
        from bythebook.generation.constrained import Grammars

        if self._compiled is None:
            head = self.model.get_output_embeddings()
            self._compiled = Grammars(
                self.tokenizer,
                name=self._name,
                vocabulary=self._rows() if head is None else len(cast(Any, head).weight),
                stop_ids=self._stop_ids(),
                prefilled=self._prefilled,
            )
        grammars = self._compiled
        return lambda numbers: grammars.matchers([constraints[n] for n in numbers], sampling.max_new_tokens)

    def _counted(
        self, batches: Iterator[Batch], sampling: Sampling, total: int, progress: Progress | None
    ) -> Iterator[tuple[int, list[Completion]]]:
        """What the batches hold, prompt by prompt; tells of progress after each batch."""
        rows = 0
        for batch in batches:
            yield from batch
            rows += sum(len(completions) for _, completions in batch)
            if progress:
                progress(rows // sampling.n, total)

    def _plain_batches(self, encoded: Sequence[list[int]], sampling: Sampling, guided: Guided) -> Iterator[Batch]:
        """Every prompt is computed as a whole, by the library's own loop."""
        for rows, room in self._batches([len(ids) for ids in encoded], sampling):
            if room < 1:
                yield [(row, [_NO_ROOM] * sampling.n) for row in rows]
                continue
            matchers = guided([row for row in rows for _ in range(sampling.n)]) if guided else None
            completions = self._decode_batch([encoded[row] for row in rows], sampling, room, matchers)
            yield [(row, completions[i * sampling.n : (i + 1) * sampling.n]) for i, row in enumerate(rows)]

    def _shared_batches(self, encoded: Sequence[list[int]], sampling: Sampling, guided: Guided) -> Iterator[Batch]:
        """What prompts have in common is computed once."""
        from bythebook.generation.shared.rollouts import completed
        from bythebook.generation.shared.sampler import Drawing

        room = [self.context_tokens - len(ids) for ids in encoded]
        full = [number for number in range(len(encoded)) if room[number] < 1]
        if full:
            yield [(number, [_NO_ROOM] * sampling.n) for number in full]
        numbers = [n for n in range(len(encoded)) if room[n] >= 1 for _ in range(sampling.n)]
        batches = completed(
            self.model,
            [encoded[number] or [self._pad_id()] for number in numbers],
            Drawing(
                max_new_tokens=sampling.max_new_tokens,
                stop_ids=tuple(self._stop_ids()),
                temperature=sampling.temperature,
                top_p=1.0 if sampling.greedy else sampling.top_p,
            ),
            seed=sampling.seed,
            batch_size=sampling.batch_size,
            kept=self._kept_prefixes(),
            most=[room[number] for number in numbers],
            guided=None if guided is None else lambda rows: guided([numbers[r] for r in rows]),
        )
        with _memory_named(sampling.batch_size):
            for rows, written in batches:
                yield [(numbers[r], [c]) for r, c in zip(rows, self._completions(written), strict=True)]

    def _check_tokens(self, encoded: Sequence[Sequence[int]]) -> None:
        """ModelError for a token that the model has no row for: the tokenizer is another model's."""
        rows, highest = self._rows(), max((max(ids, default=0) for ids in encoded), default=0)
        if highest >= rows:
            raise ModelError(
                f"the tokenizer of {self._name!r} gives token {highest}, the model has {rows}",
                remedy="put the model's own tokenizer beside it",
            )

    def _rows(self) -> int:
        return int(getattr(self.model.get_input_embeddings(), "num_embeddings", 2**62))

    def _batches(self, lengths: Sequence[int], sampling: Sampling) -> Iterator[tuple[list[int], int]]:
        """(prompt numbers, tokens to generate at most), the longest first. Prompts for whose full completion the
        context has no room come one by one, so that they shorten nobody else's."""
        limit = self.context_tokens
        order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
        roomy = [i for i in order if lengths[i] + sampling.max_new_tokens <= limit]
        for i in order[: len(order) - len(roomy)]:
            yield [i], limit - lengths[i]
        size = max(1, sampling.batch_size // sampling.n)
        for start in range(0, len(roomy), size):
            yield roomy[start : start + size], sampling.max_new_tokens

    @property
    def context_tokens(self) -> int:
        """Tokens that the model's context has room for."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None) or 2**62

    def _shares_prefixes(self) -> bool:
        if not self._share_prefix:
            return False
        from bythebook.generation.shared.serving import is_served

        return is_served(self.model)

    def _kept_prefixes(self) -> KeptPrefixes:
        from bythebook.generation.shared.kept import KeptPrefixes

        if self._kept is None:
            self._kept = KeptPrefixes(self._prefix_cache)
        return self._kept

    def _decode_batch(
        self, batch: list[list[int]], sampling: Sampling, room: int, matchers: Matchers | None = None
    ) -> list[Completion]:
        """`n` completions for each prompt of the batch, prompt by prompt."""
        ids, mask = self._padded(batch)
        more: dict[str, Any] = {}
        if matchers is not None:
            from transformers import LogitsProcessorList

            from bythebook.generation.constrained import GuidedLogits

            more["logits_processor"] = LogitsProcessorList([GuidedLogits(matchers)])
        with _memory_named(len(batch) * sampling.n):
            # Called through Any: the generation mix-in of the library has no usable type.
            output = cast(Any, self.model).generate(
                input_ids=ids, attention_mask=mask, generation_config=self._generation_config(sampling, room), **more
            )
        return self._completions(output[:, ids.shape[1] :].tolist())

    def _padded(self, batch: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and attention mask, both [len(batch), longest], padded on the left."""
        import torch

        width = max(1, max(map(len, batch)))
        pad = self._pad_id()
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in batch], dtype=torch.long)
        # A prompt without tokens keeps one pad token in view: attention to nothing is undefined.
        seen = [max(1, len(row)) for row in batch]
        mask = torch.tensor([[0] * (width - n) + [1] * n for n in seen], dtype=torch.long)
        return ids.to(self.model.device), mask.to(self.model.device)

    def _stop_ids(self) -> list[int]:
        """Every token that ends a completion: the checkpoint's own and the tokenizer's."""
        own = getattr(self.model.generation_config, "eos_token_id", None)
        ids = list(own) if isinstance(own, (list, tuple)) else [own]
        ids.append(self.tokenizer.eos_token_id)
        return sorted({i for i in ids if i is not None})

    def _pad_id(self) -> int:
        """Padding is masked: where the pad token was added without a row for it, any other does."""
        pad = self.tokenizer.pad_token_id
        return int(pad) if pad is not None and pad < self._rows() else next(iter(self._stop_ids()), 0)

    def _generation_config(self, sampling: Sampling, room: int) -> Any:
        from transformers import GenerationConfig

        drawn: dict[str, Any] = {} if sampling.greedy else {"temperature": sampling.temperature, "top_k": 0}
        if not sampling.greedy and sampling.top_p < 1:
            drawn["top_p"] = sampling.top_p
        return GenerationConfig(
            do_sample=not sampling.greedy,
            num_return_sequences=sampling.n,
            max_new_tokens=room,
            eos_token_id=self._stop_ids() or None,
            pad_token_id=self._pad_id(),
            use_cache=True,
            **drawn,
        )

    def _completions(self, rows: list[list[int]]) -> list[Completion]:
        stops = frozenset(self._stop_ids())
        kept: list[list[int]] = []
        ended: list[FinishReason] = []
        counts: list[int] = []
        for row in rows:
            end = next((place for place, token in enumerate(row) if token in stops), None)
            kept.append(row if end is None else row[:end])
            ended.append("length" if end is None else "stop")
            counts.append(len(row) if end is None else end + 1)
        texts = self.tokenizer.batch_decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return [
            Completion(text=text, finish_reason=reason, tokens=count)
            for text, reason, count in zip(texts, ended, counts, strict=True)
        ]

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Evaluation mode and neutral generation settings inside, what was there before outside.

        The library fills what a call leaves open from the checkpoint's settings (top-k, repetition penalty, …) and
        warns where they don't go with greedy decoding; with neutral ones there is nothing to fill in.
        """
        from transformers import GenerationConfig

        was_training, settings = self.model.training, self.model.generation_config
        neutral = GenerationConfig()
        neutral.eos_token_id = self._stop_ids() or None
        self.model.eval()
        self.model.generation_config = neutral
        try:
            yield
        finally:
            self.model.generation_config = settings
            self.model.train(was_training)


def kind_of(processing: Any, otherwise: type[TransformersModel] = TransformersModel) -> type[TransformersModel]:
    """The class for a model that comes with this tokenizer, or processor."""
    if not sees(processing):
        return otherwise
    from bythebook.generation.seeing import SeeingModel

    return SeeingModel


@contextmanager
def _memory_named(sequences: int) -> Iterator[None]:
    """ModelError when memory runs out."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError:
        what = f"not enough GPU memory for {sequences} completions at once"
        raise ModelError(what, remedy="choose a smaller batch size") from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
