"""The model that a gain is promised over, asked first by the same harness: its run is the golden run of the gain."""

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from papergate.acceptance.options import Options
from papergate.engines import EngineIdentity
from papergate.engines.checkpoint import refuse_incomplete
from papergate.engines.weights import digest_of_weights
from papergate.errors import OptionsError
from papergate.promises import Promise
from papergate.promises.records import PromisedScore
from papergate.run_folder.notes import note
from papergate.statistics.rule import GAIN_MARGIN
from papergate.words import worded

LARGEST_ERROR = GAIN_MARGIN / 5
"""Standard error of a base's score at most: a fifth of the gain that the rule is planned for, whatever the score."""

LARGEST_VARIANCE = Fraction(1, 4)
"""Of one answer, right or wrong."""


def base_run(run: Path) -> Path:
    """The run folder of the base: beside that of the checkpoint, an ordinary one."""
    return run.with_name(f"{run.name}-base")


def base_of(promise: Promise, model: str) -> Promise:
    """What is asked of ``model``: the score that the gain is held against.

    Its texts are graded whole. A base seldom closes a thought, and one that did not would have no score at all; guesses
    in a thought that was cut off count for the base, never for the gain.
    """
    deployment = promise.deployment.model_copy(
        update={"name": f"{promise.deployment.name}-base", "model": model, "thinks": False}
    )
    score = PromisedScore(
        percent=Decimal(0),
        samples=None,
        reference="exact",
        source=f"none: the base model of {promise.id}, measured as its reference",
        sampling=promise.score.sampling,
    )
    return promise.model_copy(update={"deployment": deployment, "score": score, "measured": None, "reproductions": ()})


def base_options(options: Options, run: Path, *, problems: int) -> Options:
    """How the base is asked: as the checkpoint is, with a fixed number of samples."""
    samples = fixed_samples(options, problems=problems)
    return replace(options, model=options.gain_over, gain_over=None, run=base_run(run), samples=samples)


def fixed_samples(options: Options, *, problems: int) -> int | None:
    """Samples of each problem that the base gets; None where its document says how many."""
    enough = None if options.protocol == "vendor" else base_samples(problems, options.max_samples)
    return options.samples or enough


def base_called(name: str, model: str, promises: Sequence[Promise]) -> Promise | None:
    """What was asked of the base ``model`` under the id ``name``, where one of ``promises`` is the gain over it."""
    bases = (base_of(each, model) for each in promises if each.tolerance.unit == "gain")
    return next((each for each in bases if each.id == name), None)


def base_samples(problems: int, most: int) -> int:
    """Samples of each problem that bound the standard error by `LARGEST_ERROR` at any score; at most ``most``."""
    return min(most, math.ceil(LARGEST_VARIANCE / (problems * LARGEST_ERROR**2)))


def refuse_no_gain(promise: Promise, options: Options) -> None:
    """See, before hours are spent on the base, that the checkpoint is whole and another model.

    Raises:
        EngineError: the checkpoint is not whole.
        OptionsError: both are one model.
    """
    checkpoint = options.model or promise.deployment.model
    assert options.gain_over, "there is a base"
    if Path(checkpoint).resolve() == Path(options.gain_over).resolve():
        raise worded(OptionsError, note("base_is_model", model=checkpoint))
    if not options.attached:
        refuse_incomplete(checkpoint)
        _refuse_a_copy(Path(checkpoint), Path(options.gain_over))


def refuse_one_model(checkpoint: EngineIdentity, base: EngineIdentity) -> None:
    """See that two names on a server are two models, where the server tells their weights.

    Raises:
        OptionsError: both are one model.
    """
    if checkpoint.revision and checkpoint.revision == base.revision:
        seen = {"checkpoint": checkpoint.model, "revision": base.revision}
        raise worded(OptionsError, note("base_of_same_revision", base=base.model, **seen))


def _refuse_a_copy(checkpoint: Path, base: Path) -> None:
    digest = digest_of_weights(checkpoint)
    if digest and digest == digest_of_weights(base):
        raise worded(
            OptionsError, note("base_of_same_weights", base=f"{base}", checkpoint=f"{checkpoint}", digest=digest[:12])
        )
