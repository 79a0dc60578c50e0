"""What a recipe will take before it is run: tokens, memory, GPUs. Formulas with their sources; needs no torch."""

from bythebook.sizing.architectures import KNOWN, Architecture, architecture_of
from bythebook.sizing.estimate import estimate
from bythebook.sizing.memory import Memory, Plan, gpus_needed, memory
from bythebook.sizing.show import estimate_lines, resolved_json, resolved_text

__all__ = [
    "KNOWN",
    "Architecture",
    "Memory",
    "Plan",
    "architecture_of",
    "estimate",
    "estimate_lines",
    "gpus_needed",
    "memory",
    "resolved_json",
    "resolved_text",
]
