"""What one comparison may cost. Each limit is here with its reason."""

CPU_S = 1.5  # CPU seconds; the slowest comparison that math-verify decides rightly takes about one
WALL_S = 4.5  # wall seconds; catches a worker that sleeps, and holds the five seconds promised to a caller
MEMORY_BYTES = 1 << 30  # address space; sympy needs a tenth of it, a runaway expansion all of it
START_S = 120.0  # wall seconds for a worker to import sympy; a busy machine may need tens of seconds
MAX_SYMBOLIC_CHARS = 1_000  # sympy is not asked about a longer answer: the longest gold of MATH-500 has 53
MAX_QUICK_CHARS = 400  # longer answers are compared in the worker, where even the cheap layers can be killed
RECYCLE_AFTER = 2_000  # comparisons after which a worker is replaced: sympy's caches never shrink
