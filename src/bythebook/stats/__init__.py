"""Statistics of repeated samples and of differences. Arrays in, numbers out; an average over nothing is None."""

from bythebook.stats.bootstrap import Difference, PooledDifference, paired_bootstrap, paired_document_bootstrap
from bythebook.stats.calibration import (
    CalibrationMap,
    ReliabilityBin,
    brier_score,
    expected_calibration_error,
    fit_calibration,
    reliability_curve,
)
from bythebook.stats.means import interval, mean, trailing_mean
from bythebook.stats.samples import avg_at_k, chance_agreement, maj_at_k, majority, mean_pass_at_k, pass_at_k

__all__ = [
    "CalibrationMap",
    "Difference",
    "PooledDifference",
    "ReliabilityBin",
    "avg_at_k",
    "brier_score",
    "chance_agreement",
    "expected_calibration_error",
    "fit_calibration",
    "interval",
    "maj_at_k",
    "majority",
    "mean",
    "mean_pass_at_k",
    "paired_bootstrap",
    "paired_document_bootstrap",
    "pass_at_k",
    "reliability_curve",
    "trailing_mean",
]
