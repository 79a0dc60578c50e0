"""Warm start (SFT) and RL on TRL: the only room that imports `trl`."""

from bythebook.training.environment import write_environment
from bythebook.training.run import train

__all__ = ["train", "write_environment"]
