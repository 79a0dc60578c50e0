"""Absolute Zero in miniature: self-play on tiny programs, beside a solver alone and one baseline for all."""
