"""WHY NOT: what each completion looks like, what is wrong with a run, and what may have caused it."""
