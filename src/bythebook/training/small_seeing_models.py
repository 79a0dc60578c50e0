"""Small models from scratch that read pictures: the Llama of `small_models` behind a small vision transformer (LLaVA,
arXiv 2304.08485), with a processor that needs Pillow alone."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from transformers import (
    CLIPVisionConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from bythebook.errors import MissingExtraError, RecipeError, said
from bythebook.training.small_models import SmallModelConfig, llama_config, shrink_outputs

__all__ = ["IMAGE", "VisionConfig", "build_processor", "build_seeing_model", "vision_config"]

IMAGE = "<image>"
"""The token of which a prompt has one for each patch of its picture."""

_TEMPLATE = (
    "{% for m in messages %}{{ '' if loop.first else '\\n' }}{{ '<|im_start|>' + m['role'] + '\\n' }}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for part in m['content'] %}"
    "{{ '<image>\\n' if part['type'] == 'image' else part['text'] }}{% endfor %}{% endif %}"
    "{{ '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '\\n<|im_start|>assistant\\n' }}{% endif %}"
)


class VisionConfig(BaseModel):
    """Size of what reads the pictures. Every picture is brought to `side` × `side` pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: int = Field(default=96, ge=1)
    patch: int = Field(default=16, ge=1)
    """Pixels of the side of a patch; each patch is a token."""
    hidden_size: int = Field(default=64, ge=1)
    layers: int = Field(default=2, ge=1)
    heads: int = Field(default=4, ge=1)
    mlp_size: int = Field(default=128, ge=1)

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        if self.side % self.patch or self.hidden_size % self.heads:
            raise ValueError("patch must divide side, and heads must divide hidden_size")
        return self


def vision_config(options: Any) -> VisionConfig:
    """The `vision` of a recipe's `model.scratch`. RecipeError says what is wrong with it."""
    try:
        return VisionConfig.model_validate(options)
    except ValidationError as error:
        remedy = f"options are: {', '.join(VisionConfig.model_fields)}"
        raise RecipeError(f"model.scratch.vision.{said(error)}", remedy=remedy) from None


def build_processor(vision: VisionConfig, tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    """Tokenizer, chat template and preparation of pictures in one. The tokenizer gets the token of pictures.
    MissingExtraError without Pillow."""
    if find_spec("PIL") is None:
        raise MissingExtraError("a model that reads pictures", "images")
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer.add_special_tokens({"additional_special_tokens": [IMAGE]})
    tokenizer.chat_template = _TEMPLATE
    size = {"height": vision.side, "width": vision.side}
    return LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size=size, crop_size=size, do_center_crop=False),
        tokenizer=tokenizer,
        patch_size=vision.patch,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,  # CLIP's class token, which `default` leaves out
        image_token=IMAGE,
        chat_template=_TEMPLATE,
    )


def build_seeing_model(
    config: SmallModelConfig, vision: VisionConfig, tokenizer: PreTrainedTokenizerFast, seed: int
) -> tuple[LlavaForConditionalGeneration, LlavaProcessor]:
    """(model, processor), initialised from `seed`. RecipeError for hand-made heads, which were made for text alone."""
    if config.lookup_heads:
        raise RecipeError("model.scratch.lookup_heads reads text alone", remedy="set it to false beside vision")
    processor = build_processor(vision, tokenizer)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlavaForConditionalGeneration(
            LlavaConfig(
                vision_config=CLIPVisionConfig(
                    hidden_size=vision.hidden_size,
                    intermediate_size=vision.mlp_size,
                    num_hidden_layers=vision.layers,
                    num_attention_heads=vision.heads,
                    image_size=vision.side,
                    patch_size=vision.patch,
                ),
                text_config=llama_config(config, tokenizer),
                image_token_index=tokenizer.get_added_vocab()[IMAGE],
                vision_feature_layer=-1,
                vision_feature_select_strategy="default",
                tie_word_embeddings=True,
            )
        )
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    shrink_outputs(model.model.language_model.layers, config.output_shrink)
    return model, processor
