"""Generation with models that read pictures beside text, by transformers' image-text-to-text classes.

Such a model comes with a processor, which holds its tokenizer and knows how pictures become tensors. Prefixes are not
shared: the engine knows tokens alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bythebook.errors import MissingExtraError, ModelError
from bythebook.generation.chat import prompt_text, starts_inside_thinking
from bythebook.generation.model import Messages, Progress
from bythebook.generation.sampling import Sampling
from bythebook.generation.settings import ModelSettings
from bythebook.generation.transformers_backend import _NO_ROOM, Batch, TransformersModel, _memory_named
from bythebook.types import Completion

if TYPE_CHECKING:
    from PIL.Image import Image

    from bythebook.generation.constraint import Constraint

__all__ = ["SeeingModel", "opened"]

_Asked = tuple[str, list[bytes]]
"""A prompt as text, with the files of its pictures."""


def opened(data: bytes) -> Image:
    """A picture from the bytes of its file, in red, green and blue. MissingExtraError without Pillow; ModelError for
    bytes that are no picture."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise MissingExtraError("showing a picture to a model", "images") from None
    try:
        return Image.open(BytesIO(data)).convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        raise ModelError("what a prompt has for a picture is none", remedy="give a PNG or JPEG file") from None


class SeeingModel(TransformersModel):
    """A loaded model with its processor. Pictures are tokens of its context, too."""

    constrains = False
    sees = True

    def __init__(
        self,
        model: Any,
        processor: Any,
        *,
        name: str = "model",
        settings: ModelSettings | None = None,
        share_prefix: bool = False,
        prefix_cache: Path | None = None,
    ) -> None:
        """As `TransformersModel`, whatever is said of prefixes."""
        super().__init__(model, processor.tokenizer, name=name, settings=settings, share_prefix=False)
        self.processor = processor
        self._prefilled = starts_inside_thinking(processor)

    def generate(
        self,
        prompts: Sequence[Messages],
        sampling: Sampling,
        progress: Progress | None = None,
        *,
        constraints: Sequence[Constraint | None] | None = None,
    ) -> list[list[Completion]]:
        """See `Model`. ModelError when memory runs out, and for any `constraints`."""
        import torch

        if constraints is not None and any(one is not None for one in constraints):
            remedy = "ask without constraints"
            raise ModelError(f"{self._name!r} reads pictures: it can't be bound to a schema", remedy=remedy)
        asked = [(prompt_text(self.processor, messages), pictures_in(messages)) for messages in prompts]
        out: list[list[Completion]] = [[] for _ in prompts]
        device = self.model.device
        forked = [device] if device.type == "cuda" else []
        with self._undisturbed(), torch.random.fork_rng(devices=forked), torch.no_grad():
            torch.manual_seed(sampling.seed)
            batches = self._seen_batches(asked, sampling)
            for number, completions in self._counted(batches, sampling, len(prompts), progress):
                out[number] += completions
        return out

    def _seen_batches(self, asked: Sequence[_Asked], sampling: Sampling) -> Iterator[Batch]:
        """Prompts of like length together; those with pictures and those without them apart, since a processor wants a
        picture in every row or in none."""
        lengths = [self._tokens([one])["input_ids"].shape[1] for one in asked]
        for wanted in (True, False):
            own = [n for n, (_, pictures) in enumerate(asked) if bool(pictures) is wanted]
            for places, room in self._batches([lengths[n] for n in own], sampling):
                rows = [own[place] for place in places]
                if room < 1:
                    yield [(row, [_NO_ROOM] * sampling.n) for row in rows]
                    continue
                completions = self._written([asked[row] for row in rows], sampling, room)
                yield [(row, completions[i * sampling.n : (i + 1) * sampling.n]) for i, row in enumerate(rows)]

    def _tokens(self, asked: Sequence[_Asked]) -> Any:
        """What the processor makes of prompts: `input_ids` and `attention_mask`, both (len(asked), longest) and padded
        on the left, and what the model needs of the pictures."""
        pictures = [[opened(picture) for picture in own] for _, own in asked]
        return self.processor(
            text=[text for text, _ in asked],
            images=pictures if any(pictures) else None,
            padding=True,
            padding_side="left",
            add_special_tokens=False,  # the template writes them
            return_tensors="pt",
        )

    def _written(self, asked: Sequence[_Asked], sampling: Sampling, room: int) -> list[Completion]:
        """`n` completions for each prompt, prompt by prompt."""
        inputs = self._tokens(asked).to(self.model.device)
        self._check_tokens(inputs["input_ids"].tolist())
        with _memory_named(len(asked) * sampling.n):
            output = cast(Any, self.model).generate(**inputs, generation_config=self._generation_config(sampling, room))
        return self._completions(output[:, inputs["input_ids"].shape[1] :].tolist())


def pictures_in(messages: Messages) -> list[bytes]:
    """The files of the pictures of a prompt, in their order."""
    parts = [part for m in messages if not isinstance(m["content"], str) for part in m["content"]]
    return [part["image"] for part in parts if part["type"] == "image"]
