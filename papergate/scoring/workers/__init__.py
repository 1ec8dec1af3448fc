"""The pool of processes that can be killed: what sympy is asked happens there."""
