"""Runs small programs that models wrote, with limits: the only room that may execute text."""

from bythebook.sandbox.nouns import Job, Limits, Outcome, Output
from bythebook.sandbox.pool import Sandbox

__all__ = ["Job", "Limits", "Outcome", "Output", "Sandbox"]
