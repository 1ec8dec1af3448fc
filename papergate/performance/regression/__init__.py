"""Is it slower than before: one rule, and its three baselines."""
