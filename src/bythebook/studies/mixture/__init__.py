"""Which mixture of domains to train on: heuristics and surrogates from the runs that are there (MoDoMoDo)."""
