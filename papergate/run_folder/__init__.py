"""WHAT A RUN LEAVES: the names of its files, its records, and their one reader and writer."""
