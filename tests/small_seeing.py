"""A tiny model that reads pictures, with its processor, built from a configuration."""

from __future__ import annotations

from io import BytesIO
from typing import Any

WORDS = "what colour size is the circle square triangle star ? red blue green yellow small large a guess at b2"


def small_seeing(seed: int = 0, context: int = 256) -> tuple[Any, Any]:
    """(model, processor): pictures are 32 pixels wide and high, and four tokens."""
    from bythebook.training.small_models import SmallModelConfig, train_tokenizer
    from bythebook.training.small_seeing_models import VisionConfig, build_seeing_model

    sizes = {"hidden_size": 32, "layers": 2, "heads": 2, "head_size": 16, "mlp_size": 64, "context": context}
    config = SmallModelConfig(**sizes, output_shrink=1.0, lookup_heads=False)
    vision = VisionConfig(side=32, patch=16, hidden_size=32, layers=1, heads=2, mlp_size=32)
    return build_seeing_model(config, vision, train_tokenizer([WORDS], 320), seed)


def painted(colour: tuple[int, int, int]) -> bytes:
    """A PNG of one colour."""
    from PIL import Image

    file = BytesIO()
    Image.new("RGB", (40, 40), colour).save(file, format="PNG")
    return file.getvalue()


def asked(words: str, picture: bytes | None = None) -> list[dict[str, Any]]:
    """A prompt, with its picture if there is one."""
    if picture is None:
        return [{"role": "user", "content": words}]
    return [{"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": words}]}]
