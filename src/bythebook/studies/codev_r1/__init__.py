"""CodeV-R1: the verifier on published benchmarks, adaptive sampling in real runs, and the page beside the miniature."""
