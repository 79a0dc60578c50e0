"""Rewards: (parsed completion, gold) → verdict. Imports neither torch nor a model."""

from bythebook.rewards.controls import FormatOnly, RandomReward
from bythebook.rewards.lines import reward_lines
from bythebook.rewards.r1_re import R1RE, R1REAnchored
from bythebook.rewards.registry import REWARDS, reward
from bythebook.rewards.text_reward import Judge, TextReward, completion_text

__all__ = [
    "R1RE",
    "REWARDS",
    "FormatOnly",
    "Judge",
    "R1REAnchored",
    "RandomReward",
    "TextReward",
    "completion_text",
    "reward",
    "reward_lines",
]
