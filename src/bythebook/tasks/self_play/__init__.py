"""Self-play of Absolute Zero (arXiv 2505.03335): programs, what is asked about them, who has solved what."""

from bythebook.tasks.self_play.buffers import Buffers
from bythebook.tasks.self_play.loop import SelfPlay, StepResult
from bythebook.tasks.self_play.problems import IDENTITY, KINDS, Induction, Kind, Triplet
from bythebook.tasks.self_play.proposals import Proposal, proposals_checked
from bythebook.tasks.self_play.solutions import Solution, solutions_checked

__all__ = [
    "IDENTITY",
    "KINDS",
    "Buffers",
    "Induction",
    "Kind",
    "Proposal",
    "SelfPlay",
    "Solution",
    "StepResult",
    "Triplet",
    "proposals_checked",
    "solutions_checked",
]
