"""Asking: the store of everything that was answered, and the runner that asks."""
