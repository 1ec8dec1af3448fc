"""What there is to test, which of it is tested here, and why the rest is left out."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from papergate.acceptance.options import Options
from papergate.benchmarks import BENCHMARKS, BenchmarkSpec, read_specs
from papergate.engines import hardware
from papergate.engines.logs.rows import quotable
from papergate.engines.replay import Predictions, read_predictions
from papergate.engines.start import ENGINES, spec_of
from papergate.errors import OptionsError
from papergate.promises import PAPERS, TARGETS, TOOLS, Promise, Target, read_promises, read_targets
from papergate.promises.policy import GatePolicy, read_policy
from papergate.run_folder.notes import Note, note
from papergate.suggest import nearest
from papergate.words import worded


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """What the options and the files that they name state, read before anything is tested."""

    options: Options
    targets: tuple[Target, ...]
    benchmarks: Mapping[str, BenchmarkSpec]
    promises: tuple[Promise, ...]
    """All that any target promises."""
    predictions: Predictions | None
    """Completions that exist already; None where an engine is asked."""
    policy: GatePolicy | None = None
    """Which promises gate; None where all do."""

    @property
    def holm(self) -> bool:
        """Whether a failure must be sure among all promises of the session."""
        return self.options.holm or bool(self.policy and self.policy.holm)


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The promises that are tested, and the others by the reason for which they are not."""

    promises: tuple[Promise, ...]
    left_out: Mapping[str, tuple[str, ...]]

    @property
    def notes(self) -> list[Note]:
        """What is not tested and why."""
        return [note("not_tested", promises=len(ids), reason=why) for why, ids in sorted(self.left_out.items())]


def read_setup(options: Options) -> Setup:
    """Read targets, papers, benchmarks and stored completions.

    Raises:
        PapergateError: a file is wrong, with every mistake of it; or an option names what does not exist.
    """
    folders = [TARGETS, *options.targets]
    targets = read_targets(folders, engines=ENGINES)
    benchmarks = read_specs([BENCHMARKS, *_folders(options, "benchmarks")])
    papers = [PAPERS, *_folders(options, "papers")]
    tools = [TOOLS, *_folders(options, "tools")]
    promises = read_promises(folders, papers, tools, benchmarks=benchmarks, engines=ENGINES)
    predictions = read_predictions(options.predictions) if options.predictions else None
    _refuse_unknown_data(benchmarks, options)
    return Setup(
        options=options,
        targets=tuple(target for _, target in targets.values()),
        benchmarks=benchmarks,
        promises=promises,
        predictions=predictions,
        policy=read_policy(options.policy, [promise.id for promise in promises]) if options.policy else None,
    )


def select(setup: Setup, candidates: Iterable[Promise], *, demanded: Collection[str]) -> Selection:
    """Of ``candidates`` those that are tested; one whose target is in ``demanded`` stays and may fail.

    Raises:
        OptionsError: stored completions or an endpoint are given and no promise is about them.
    """
    asked = tuple(candidates)
    reasons = {promise.id: _why_not(setup, promise, demanded=promise.target in demanded) for promise in asked}
    kept = tuple(promise for promise in asked if not reasons[promise.id])
    gone = tuple(promise for promise in asked if reasons[promise.id])
    if setup.predictions:
        _refuse_unrelated_predictions(setup.predictions, setup.options, kept, gone)
    elif setup.options.attached and gone and not kept:
        raise worded(OptionsError, note("endpoint_of_no_promise", option=_attaching(setup.options)))
    left_out: dict[str, tuple[str, ...]] = {}
    for promise in gone:
        left_out[reasons[promise.id]] = (*left_out.get(reasons[promise.id], ()), promise.id)
    return Selection(promises=kept, left_out=left_out)


def _why_not(setup: Setup, promise: Promise, *, demanded: bool) -> str:
    """Why ``promise`` is not tested here; empty where it is."""
    if setup.options.gain_over and promise.tolerance.unit != "gain":
        return "no gain, and --gain-over measures gains alone"
    if setup.predictions:
        return _why_not_in(setup.predictions, promise, setup.benchmarks[promise.benchmark], setup.options)
    if setup.options.coordinates:
        return "" if demanded else "asked by no shard that anybody named: name its target with -m"
    if setup.options.attached:
        other = f"not about the server at {_attaching(setup.options)}: name its target with -m"
        return spec_of(promise).not_attached if demanded else other
    return "" if demanded else _why_not_here(promise)


def _attaching(options: Options) -> str:
    """The option that names the server."""
    return "--ray" if options.ray else "--endpoint"


def _why_not_here(promise: Promise) -> str:
    """Why a promise that nobody demanded cannot be tested on this machine; empty where it can."""
    if wrong := hardware.why_not_here(promise.hardware):
        return f"{promise.target}: {promise.hardware.title} is not here: {wrong}"
    return spec_of(promise).missing(promise.deployment)


def _why_not_in(predictions: Predictions, promise: Promise, spec: BenchmarkSpec, options: Options) -> str:
    """Why a file of completions says nothing about ``promise``; empty where it does."""
    model = options.model or predictions.model
    if model and not _same_model(model, promise):
        return f"about other models than {model}"
    fits = spec.name in options.data or (
        spec.id_pattern and all(re.fullmatch(spec.id_pattern, problem) for problem in predictions.problems)
    )
    return "" if fits else f"about other benchmarks than {predictions.path.name}"


def _refuse_unrelated_predictions(
    predictions: Predictions, options: Options, kept: Sequence[Promise], gone: Sequence[Promise]
) -> None:
    about = {(promise.deployment.model, promise.benchmark) for promise in kept}
    if not about and gone:
        model = options.model or predictions.model
        seen = {"problems": len(predictions.problems), "first": quotable(predictions.problems[0])}
        asked = sorted({promise.benchmark for promise in gone if model and _same_model(model, promise)})
        log = {"log": f"{predictions.path}", "model": model or "unknown", "benchmarks": asked}
        raise worded(OptionsError, note("log_of_no_promise", **seen, **log))
    if len(about) > 1:
        raise worded(OptionsError, note("log_of_several_models", log=f"{predictions.path}", count=len(about)))


def _same_model(model: str, promise: Promise) -> bool:
    """Whether both are one model, in any owner's folder."""
    return model.rpartition("/")[2] == promise.deployment.model.rpartition("/")[2]


def _refuse_unknown_data(known: Iterable[str], options: Options) -> None:
    unknown = sorted(options.data.keys() - set(known))
    if unknown:
        names = sorted(known)
        about = {"name": unknown[0], "known": names, "close": nearest(unknown[0], names)}
        raise worded(OptionsError, note("data_unknown", **about))


def _folders(options: Options, name: str) -> list[Path]:
    return [folder / name for folder in options.targets if (folder / name).is_dir()]
