"""Warm start (SFT) and RL on TRL: the only room that imports `trl`."""

from bythebook.training.environment import write_environment
from bythebook.training.run import Interrupted, train

__all__ = ["Interrupted", "train", "write_environment"]
