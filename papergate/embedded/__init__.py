"""The model and the problems that ship with papergate."""
