"""How fast: one tested function per metric."""
