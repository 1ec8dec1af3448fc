"""What is asked: the problem sets, their prompts, origins and digests."""

from papergate.benchmarks.loader import HERE as BENCHMARKS
from papergate.benchmarks.loader import checked, load, read_specs
from papergate.benchmarks.records import Benchmark, BenchmarkSpec, Problem
from papergate.benchmarks.shots import as_asked

__all__ = ["BENCHMARKS", "Benchmark", "BenchmarkSpec", "Problem", "as_asked", "checked", "load", "read_specs"]
