"""Mixtures of training domains: which shares to train on, and examples drawn by them (MoDoMoDo, arXiv 2505.24871)."""

from bythebook.mixtures.heuristics import alpha_weights, coli_weights, norm_weights
from bythebook.mixtures.pooling import Mixture, is_even, pooled
from bythebook.mixtures.sampler import Drawn, MixtureSampler
from bythebook.mixtures.search import OPTIMIZERS, Choice, search
from bythebook.mixtures.surrogates import Surrogate, fit_quadratic, fit_scheffe, leave_one_out

__all__ = [
    "OPTIMIZERS",
    "Choice",
    "Drawn",
    "Mixture",
    "MixtureSampler",
    "Surrogate",
    "alpha_weights",
    "coli_weights",
    "fit_quadratic",
    "fit_scheffe",
    "is_even",
    "leave_one_out",
    "norm_weights",
    "pooled",
    "search",
]
