"""Prompts → completions. Importing this room imports neither torch nor vLLM: a backend does when a model is loaded."""

from bythebook.generation.constraint import Constraint, generate_constrained
from bythebook.generation.endpoint import Endpoint, server_at
from bythebook.generation.loading import EMBEDDED, EMBEDDED_JOINT, SERVED, Backend, embedded_path, folder_of, load_model
from bythebook.generation.model import Messages, Model, Progress
from bythebook.generation.openai_backend import OpenAIModel
from bythebook.generation.sampling import Sampling
from bythebook.generation.seeing import SeeingModel, opened
from bythebook.generation.settings import ModelSettings, prompt_style_of, settings_of, write_settings
from bythebook.generation.transformers_backend import TransformersModel, kind_of
from bythebook.generation.vllm_backend import VllmModel
from bythebook.generation.vocabulary import unknown_words

__all__ = [
    "EMBEDDED",
    "EMBEDDED_JOINT",
    "SERVED",
    "Backend",
    "Constraint",
    "Endpoint",
    "Messages",
    "Model",
    "ModelSettings",
    "OpenAIModel",
    "Progress",
    "Sampling",
    "SeeingModel",
    "TransformersModel",
    "VllmModel",
    "embedded_path",
    "folder_of",
    "generate_constrained",
    "kind_of",
    "load_model",
    "opened",
    "prompt_style_of",
    "server_at",
    "settings_of",
    "unknown_words",
    "write_settings",
]
