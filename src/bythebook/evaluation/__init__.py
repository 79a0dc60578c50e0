"""Task + model → records → scores, in domain and out of domain side by side."""

from bythebook.evaluation.asking import evaluate_examples
from bythebook.evaluation.run import evaluate
from bythebook.evaluation.scoring import scores, scores_by_domain

__all__ = ["evaluate", "evaluate_examples", "scores", "scores_by_domain"]
