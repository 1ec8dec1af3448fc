"""What one comparison may cost. Each limit is here with its reason."""

CPU_S = 3.0  # CPU seconds in a worker; what math-verify decides takes one at most, and a slow machine three
WALL_S = 60.0  # wall seconds; catches a worker that sleeps. One that works is ended by its CPU limit, however busy
ASKED = 2  # times a comparison is asked that the wall limit cut, before it counts
MEMORY_BYTES = 1 << 30  # address space; sympy needs a tenth of it, a runaway expansion all of it
START_S = 120.0  # wall seconds for a worker to import sympy; a busy machine may need tens of seconds
MAX_CHARS = 5_000  # of an answer that is read; a longer one is no final answer, and only equals its own text
MAX_SHALLOW_CHARS = 100  # of a pair that the caller's stack holds, however it is nested; others get one of their own
MAX_QUICK_CHARS = 400  # of an answer that takes part in a vote by its value
RECYCLE_AFTER = 2_000  # comparisons after which a worker is replaced: sympy's caches never shrink
