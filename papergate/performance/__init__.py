"""How fast: one tested function per metric, a client that does not disturb what it measures, and a gate."""
