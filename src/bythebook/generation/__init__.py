"""Prompts → completions. Importing this room imports neither torch nor vLLM: a backend does when a model is loaded."""

from bythebook.generation.loading import EMBEDDED, Backend, embedded_path, load_model
from bythebook.generation.model import Messages, Model, Progress
from bythebook.generation.sampling import Sampling
from bythebook.generation.settings import ModelSettings, prompt_style_of, settings_of, write_settings
from bythebook.generation.transformers_backend import TransformersModel
from bythebook.generation.vllm_backend import VllmModel
from bythebook.generation.vocabulary import unknown_words

__all__ = [
    "EMBEDDED",
    "Backend",
    "Messages",
    "Model",
    "ModelSettings",
    "Progress",
    "Sampling",
    "TransformersModel",
    "VllmModel",
    "embedded_path",
    "load_model",
    "prompt_style_of",
    "settings_of",
    "unknown_words",
    "write_settings",
]
