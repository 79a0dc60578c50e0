"""Both sides of the benches that need a model: each does its work over and over, when it is its turn.

Ours and its peers get the same weights and the same prompts, which are drawn from seeds. `studies.bench_sides` runs a
side in a process of its own.
"""
