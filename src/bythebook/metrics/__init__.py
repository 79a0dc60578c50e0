"""Metrics: matching and scores, each protocol by its published name."""
