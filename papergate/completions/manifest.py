"""What a run folder holds: written once, compared whenever the run is resumed."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from papergate.promises.records import Record, Sampling

REPAIR = "repair"
"""Name, in the sessions of a run, of what a repair of its store did."""
INFORMATION = frozenset({"harness", "engine_version", "environment"})
"""Fields that explain a run without deciding what its completions mean; a resume may differ in them."""


class Manifest(Record):
    """Everything that decides what a completion means, so that two runs are never mixed in one folder."""

    promise: str
    """Test id of the promise."""
    protocol: str = "paper"
    """``paper`` or ``vendor``: the same completions must not be judged by whichever suits."""
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
    harness: str = ""
    """Version of papergate; information."""
    engine_version: str = ""
    """Information: a patch release of an engine does not forbid a resume."""
    environment: Mapping[str, str] = Field(default_factory=dict)
    """Driver, devices, flags; information."""

    @property
    def situation(self) -> dict[str, str]:
        """What may change from one session of a run to the next: the information, as texts by name."""
        named = {"papergate": self.harness, "engine version": self.engine_version}
        return {name: text for name, text in {**named, **self.environment}.items() if text}

    def difference(self, other: "Manifest") -> list[str]:
        """One line for each field in which ``other``, the stored run, is not this run."""
        mine, theirs = _fields(self), _fields(other)
        return [
            f"{name}: this run '{mine[name]}', stored '{theirs[name]}'" for name in mine if mine[name] != theirs[name]
        ]


def _fields(manifest: Manifest) -> dict[str, Any]:
    """The compared fields, those of the sampling one by one."""
    compared = {name: value for name, value in manifest if name not in INFORMATION and name != "sampling"}
    return compared | {f"sampling.{name}": value for name, value in manifest.sampling}
