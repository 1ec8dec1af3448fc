"""What a run folder holds: written once, compared whenever the run is resumed."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from papergate.promises.base import Record
from papergate.promises.records import Sampling

REPAIR = "repair"
"""Name, in the sessions of a run, of what a repair of its store did."""
INFORMATION = frozenset({"harness", "engine_version", "environment", "terms"})
"""Fields that do not decide what the completions mean; a resume may differ in them, and the report names it."""
SHARED = frozenset({"harness", "engine_version", "terms"})
"""Those of them in which the shards of one run agree."""


class Manifest(Record):
    """Everything that decides what a completion means, so that two runs are never mixed in one folder."""

    promise: str
    """Test id of the promise."""
    protocol: str = "paper"
    """``paper`` or ``vendor``: the same completions must not be judged by whichever suits."""
    letter: bool = False
    """Whether requests were sent as the document's tool sends them in their transport, too."""
    engine: str
    model: str
    revision: str = ""
    """Digest or commit of the weights, where it is known."""
    template: str = ""
    """sha256 of the chat template, where it is known."""
    benchmark: str
    benchmark_digest: str
    prompt_digest: str
    """sha256 of the prompt template."""
    sampling: Sampling
    run_seed: int
    shard: str = ""
    """``I/N`` where the folder holds one part of N of the run, see `papergate.completions.shard`; else empty."""
    harness: str = ""
    """Version of papergate; information."""
    engine_version: str = ""
    """Information: a patch release of an engine does not forbid a resume."""
    environment: Mapping[str, str] = Field(default_factory=dict)
    """Driver, devices, flags; information."""
    terms: Mapping[str, str] = Field(default_factory=dict)
    """What the score was held to when the run began, in words by name: tolerance, delta, alpha, reference."""

    @property
    def situation(self) -> dict[str, str]:
        """What may change from one session of a run to the next: the information, as texts by name."""
        named = {"papergate": self.harness, "engine version": self.engine_version}
        return {name: text for name, text in {**named, **self.environment}.items() if text}

    def difference(self, other: "Manifest", *, shards: bool = False) -> list[str]:
        """One line for each field in which ``other``, the stored run, is not this run."""
        mine, theirs = _fields(self, shards=shards), _fields(other, shards=shards)
        return [
            f"{name}: this run '{mine[name]}', stored '{theirs[name]}'" for name in mine if mine[name] != theirs[name]
        ]


def changes(stored: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """The terms that are others than those ``stored``: name, then, now; none of a run that states none."""
    return [(name, stored[name], now.get(name, "")) for name in stored if stored[name] != now.get(name)]


def _fields(manifest: Manifest, *, shards: bool) -> dict[str, Any]:
    """The compared fields, those of the sampling one by one."""
    left_out = INFORMATION - SHARED if shards else INFORMATION
    compared = {name: value for name, value in manifest if name not in left_out and name != "sampling"}
    return compared | {f"sampling.{name}": value for name, value in manifest.sampling}
