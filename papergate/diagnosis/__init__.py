"""Why not: what a failing run shows of its cause."""
