"""How sure: estimates, intervals, sequential stopping."""
