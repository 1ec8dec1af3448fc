"""Is it right: extraction, equivalence, and the pool that can be killed."""
