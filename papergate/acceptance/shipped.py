"""What this papergate itself ships, to hold the promise of a target file or of a bundle against."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from papergate.benchmarks import BENCHMARKS, BenchmarkSpec, read_specs
from papergate.engines.start import ENGINES
from papergate.promises import PAPERS, TARGETS, Promise, read_promises


@dataclass(frozen=True, kw_only=True, slots=True)
class Own:
    """Promises by their id, benchmarks by their name."""

    promises: Mapping[str, Promise]
    benchmarks: Mapping[str, BenchmarkSpec]

    def states(self, promise: Promise, spec: BenchmarkSpec) -> bool:
        """Whether both are here, in the same words."""
        return self.promises.get(promise.id) == promise and self.benchmarks.get(spec.name) == spec


@cache
def own() -> Own:
    """The files of this release."""
    benchmarks = read_specs([BENCHMARKS])
    promises = read_promises([TARGETS], [PAPERS], benchmarks=benchmarks, engines=ENGINES)
    return Own(promises={promise.id: promise for promise in promises}, benchmarks=benchmarks)
