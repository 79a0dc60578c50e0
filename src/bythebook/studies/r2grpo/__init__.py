"""MimicSFT and R²GRPO in miniature (arXiv 2505.22068): the published rows and the controls that reviewers asked for."""
