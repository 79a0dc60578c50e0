"""The analyses of R1-RE (arXiv 2507.04642): on records that are there, and as experiments on the procedural world."""
