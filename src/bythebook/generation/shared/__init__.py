"""The shared-prefix engine: what the sequences of a batch have in common is computed once.

`prefix` packs the sequences; here a transformers model runs over the pack. `layout` says which tokens attend to which,
`kernels` and `tree_attention` do it, `interface` puts that in the place of a model's attention, `support` says which
models it serves.
"""
