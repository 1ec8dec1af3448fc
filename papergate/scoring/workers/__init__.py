"""The pool of processes that can be killed: the graders of other tools ask sympy there."""
