"""The miniatures. A new one is an entry here, a recipe, and a page under docs/results/."""

from __future__ import annotations

from bythebook.studies.miniature.arms import START, Arm, Claim, Miniature, Questions
from bythebook.studies.miniature.codev_r1 import CODEV_R1
from bythebook.studies.miniature.med_rlvr import MED_RLVR
from bythebook.studies.miniature.medical_vie import MEDICAL_VIE
from bythebook.studies.miniature.one_shot import ONE_SHOT
from bythebook.studies.miniature.perception_r1 import PERCEPTION_R1
from bythebook.studies.miniature.rlpr_fields import RLPR_FIELDS
from bythebook.studies.miniature.table_r1 import TABLE_R1

__all__ = ["MINIATURES"]

_UNIFORM = (
    "objective.archer=null",
    "objective.epsilon=0.2",
    "objective.epsilon_high=0.2",
    "objective.delta=null",
    "objective.beta=0.001",
)
"""GRPO with the clip and the KL of Archer's knowledge for all tokens."""
_MASK = "objective.top_entropy_quantile=0.2"
_PAPER = ("objective.archer.ties=paper", "objective.archer.kl_norm=response")

ARCHER = Miniature(
    system="archer",
    title="Archer: another clip and KL for reasoning than for knowledge",
    paper="arXiv 2507.15778",
    arms=(
        START,
        Arm("grpo", "GRPO, all tokens alike", "archer_tiny", _UNIFORM, updates=3),
        Arm("mask", "GRPO on the fifth of highest entropy", "archer_tiny", (*_UNIFORM, _MASK), updates=3),
        Arm("archer", "Archer, as released", "archer_tiny", updates=3),
        Arm("archer_paper", "Archer, as in the paper", "archer_tiny", _PAPER, updates=3),
    ),
    claims=(
        Claim("Archer is better than GRPO with all tokens alike", "archer", ("grpo",)),
        Claim("Archer is better than learning from tokens of high entropy alone", "archer", ("mask",)),
        Claim(
            "The release and the paper's formula train alike (within 2 points)",
            "archer",
            ("archer_paper",),
            margin=0.02,
        ),
    ),
)

_ONCE = "objective.num_iterations=1"
_SLOW = "training.learning_rate=8.0e-6"
"""At the recipe's own rate the noise of a random reward alone carries a model ten points away, either way."""
_BASE = "reward.options={base: r1_re, group_size: 8, seed: 0}"


def _spurious(name: str, label: str, *overrides: str) -> Arm:
    """A control in the recipe's own setting, eight updates a rollout."""
    return Arm(name, label, "spurious_tiny", overrides, updates=8)


SPURIOUS = Miniature(
    system="spurious",
    title="Spurious Rewards: what RL gains from rewards that see no gold",
    paper="arXiv 2506.10947",
    arms=(
        START,
        Arm("start_brief", "before, one line a relation", prompt={"rendering": "brief"}),
        Arm("start_full", "before, guideline in full", prompt={"rendering": "full"}),
        _spurious("truth", "true reward", "reward.name=r1_re", "reward.options={}"),
        _spurious("majority", "majority of the group", "reward.name=majority", _BASE),
        _spurious("incorrect", "wrong labels", "reward.name=incorrect", _BASE),
        _spurious("format", "form only", "reward.name=format_only", "reward.options={}"),
        _spurious("random", "random, γ = .5"),
        Arm("random_once", "random, one update a rollout", "spurious_tiny", (_ONCE,)),
        Arm("random_slow", "random, one update, a tenth of the rate", "spurious_tiny", (_ONCE, _SLOW)),
        Arm(
            "truth_slow",
            "true reward, one update, a tenth of the rate",
            "spurious_tiny",
            (_ONCE, _SLOW, "reward.name=r1_re", "reward.options={}"),
        ),
    ),
    claims=(
        Claim("The true reward is better than the majority's", "truth", ("majority",)),
        Claim("The true reward is better than those that see no gold", "truth", ("incorrect", "format", "random")),
        Claim("A random reward raises accuracy where clipping acts", "random", ("start",)),
        Claim("With one update a rollout it changes nothing (within 2 points)", "random_once", ("start",), margin=0.02),
        Claim(
            "With one update, at a tenth of the rate, it changes nothing (within 2 points)",
            "random_slow",
            ("start",),
            margin=0.02,
        ),
        Claim("At that rate the true reward does change something", "truth_slow", ("start", "random_slow")),
        Claim("Wrong labels raise accuracy", "incorrect", ("start",)),
    ),
    # The intervals of what changes nothing must fit into ±2 points.
    questions=Questions(out_of_domain=1024),
    smoothed=True,
)

_UNFILTERED = "rollout.refill=null"

RLPR = Miniature(
    system="rlpr",
    title="RLPR: the policy's own probability of the reference answer as reward",
    paper="arXiv 2506.18254",
    arms=(
        START,
        Arm("verifier", "verifier's reward", "rlpr_tiny", ("reward.name=r1_re", "reward.options={}", _UNFILTERED)),
        Arm("rlpr", "RLPR", "rlpr_tiny"),
        Arm("released", "RLPR as released", "rlpr_tiny", ("reward.options={released: true}",)),
        Arm("biased", "RLPR without debiasing", "rlpr_tiny", ("reward.options.debias=false",)),
        Arm("product", "RLPR by the likelihood of the sequence", "rlpr_tiny", ("reward.options.score=product",)),
        Arm("unfiltered", "RLPR without its filter", "rlpr_tiny", (_UNFILTERED,)),
    ),
    claims=(
        Claim("Without any verifier accuracy rises", "rlpr", ("start",)),
        Claim("It is no worse than a verifier's reward (within 5 points)", "rlpr", ("verifier",), margin=0.05),
        Claim("Debiasing helps", "rlpr", ("biased",)),
        Claim("The mean of probabilities is better than the sequence's likelihood", "rlpr", ("product",)),
        Claim("The filter by standard deviation helps", "rlpr", ("unfiltered",)),
    ),
)

_ALL = (
    ARCHER, SPURIOUS, RLPR, RLPR_FIELDS, ONE_SHOT, MED_RLVR, PERCEPTION_R1, CODEV_R1, MEDICAL_VIE, TABLE_R1,
)  # fmt: skip
MINIATURES = {miniature.system: miniature for miniature in _ALL}
