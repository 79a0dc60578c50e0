"""Experiments that run several rooms: the demo, the embedded model's making, baselines."""
