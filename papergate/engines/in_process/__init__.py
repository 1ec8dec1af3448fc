"""Models that answer inside this process, through transformers."""
