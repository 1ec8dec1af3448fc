"""What is asked: the problem sets, their prompts, origins and digests."""

from papergate.benchmarks.loader import HERE as BENCHMARKS
from papergate.benchmarks.loader import checked, load, read_specs
from papergate.benchmarks.records import Benchmark, BenchmarkSpec, Problem

__all__ = ["BENCHMARKS", "Benchmark", "BenchmarkSpec", "Problem", "checked", "load", "read_specs"]
