"""What is asked: the problem sets, their prompts, origins and digests."""
