"""The plan that MimicSFT has a model write before its answer (arXiv 2505.22068): steps of the sub-task, always the
same, filled in with the text and what was given beside it. Nothing in it depends on the gold answer."""

from __future__ import annotations

from bythebook.prompts.render import environment, given_text
from bythebook.types import Example

__all__ = ["plan"]


def plan(example: Example) -> str:
    """The plan for an example of joint extraction, on several lines. ValueError for the sub-task `label`."""
    if example.sub_task == "label":
        raise ValueError("there is no plan for relation classification")
    template = environment().get_template(f"plan_{example.sub_task}.jinja")
    return template.render(text=example.text, given=given_text(example)).strip()
