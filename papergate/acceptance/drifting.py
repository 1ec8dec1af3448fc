"""Golden answers of a promise's deployment, and another deployment held against them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from papergate.acceptance.preparing import Benchmarks
from papergate.acceptance.selection import Setup
from papergate.acceptance.terms import sampling_of
from papergate.diagnosis.door import Door, Untold
from papergate.diagnosis.drift import drift
from papergate.diagnosis.drift_golden import given_of, golden_answers, variation
from papergate.diagnosis.drift_readers import Given, ModelReader, Reader, ServerReader
from papergate.engines import Engine
from papergate.engines.in_process import huggingface
from papergate.engines.in_process.huggingface import HuggingFaceEngine
from papergate.engines.records import Logprobs
from papergate.engines.remote.engine import RemoteEngine
from papergate.errors import EngineError, EngineRefused, StoreError
from papergate.files import reason
from papergate.promises import Promise, Sampling
from papergate.run_folder.drift import DriftRecord, write_drift
from papergate.run_folder.files import DRIFT_FILE, GOLDEN_ANSWERS_FILE
from papergate.run_folder.golden_answers import GoldenAnswers, Variation
from papergate.run_folder.notes import note
from papergate.words import Language, label, say, worded

ANSWERS = 60
"""Some 3,000 tokens of the embedded model; 60 greedy ones tell a share of 8 % from one of a third."""
TOKENS = 256
"""Of an answer at most."""
OTHER_DTYPES = ("bfloat16", "float16")
"""Arithmetics that a faithful deployment may have beside the golden's own."""
DAMAGED_BITS = 4
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Making:
    """How golden answers are made."""

    answers: int = ANSWERS
    tokens: int = TOKENS
    faithful: tuple[str, ...] = ()
    """Servers of the same weights that are right too: another arithmetic, batch, kernel or card."""
    damaged: tuple[str, ...] = ()
    """Servers of the same weights in four bits."""


def make_golden(
    promise: Promise, setup: Setup, engine: Engine, making: Making, say_so: Say = lambda _: None
) -> GoldenAnswers:
    """Golden answers of ``engine``, with what faithful and damaged variations of it differ by.

    Raises:
        PapergateError: the deployment does not tell what is needed, or a benchmark cannot be read.
    """
    prompts, sampling = _asked(promise, setup, making)
    identity, name = engine.identity(), promise.deployment.model
    (reader, *more) = readers_of(engine)
    if more:
        raise worded(EngineRefused, note("golden_answers_of_servers"))
    draw = partial(
        golden_answers,
        reader,
        sampling=sampling,
        deployment=promise.deployed,
        model=name,
        engine=f"{identity.engine} {identity.version}".strip(),
        texts=_texts(engine),
    )
    others = [*_others(promise, setup, making)]
    if others:  # a server without log-probabilities is refused now, before any answer is drawn in vain
        first = given_of(draw(prompts[:1]))
        for other in others:
            other.read(first)
    say_so(f"drawing {2 * len(prompts)} answers of {promise.deployed}")
    golden, found = draw(prompts), []
    for one in _variations(golden, promise, setup, engine, others):
        say_so(f"{one.name}: divergence {one.divergence:.2g}")
        found.append(one)
    return golden.model_copy(update={"variations": tuple(found)})


def find_drift(promise: Promise, golden: GoldenAnswers, engine: Engine) -> DriftRecord:
    """The deployment of ``promise``, as ``engine`` reaches it, held against ``golden``.

    Raises:
        StoreError: the golden answers are of another model.
        EngineError: the engine tells no tokens at all.
    """
    asked, theirs = promise.deployment.model, golden.model
    if asked.rpartition("/")[2] != theirs.rpartition("/")[2]:
        raise worded(StoreError, note("golden_answers_of_other", golden=theirs, asked=asked))
    return drift(golden, readers_of(engine), deployment=promise.deployed)


def read_golden_answers(folder: Path) -> GoldenAnswers:
    """The golden answers in ``folder``.

    Raises:
        StoreError: there are none, or they are damaged or of a later release.
    """
    path = folder / GOLDEN_ANSWERS_FILE
    if not path.exists():
        raise worded(StoreError, note("golden_answers_missing", folder=f"{folder}", file=GOLDEN_ANSWERS_FILE))
    return GoldenAnswers.read(path)


def keep_drift(record: DriftRecord, folder: Path) -> None:
    """Write the record.

    Raises:
        StoreError: the disk refused.
    """
    try:
        write_drift(folder, record)
    except OSError as error:
        raise worded(StoreError, note("not_written", file=f"{folder / DRIFT_FILE}", reason=reason(error))) from error


def drift_lines(record: DriftRecord, language: Language = "en") -> list[str]:
    """What a reader must know: the result, then every check."""
    order = ("failed", "noted", "unknown", "ok")
    result = note(
        "drift_result",
        deployment=record.deployment,
        golden=record.golden,
        result=label(record.result, language),
        seconds=record.seconds,
    )
    checks = sorted(record.checks, key=lambda check: order.index(check.state))
    return [say(result, language), *(say(check, language) for check in checks)]


def readers_of(engine: Engine) -> list[Reader]:
    """One for each server of ``engine``, or one for the model in this process.

    Raises:
        EngineRefused: it only replays.
    """
    if isinstance(engine, HuggingFaceEngine):
        return [ModelReader(engine=engine)]
    if isinstance(engine, RemoteEngine):
        doors = (Door(url=url, model=engine.model, access=engine.access) for url in engine.served)
        return [ServerReader(door=door) for door in doors]
    raise worded(EngineRefused, note("logprobs_of_stored"))


def _asked(promise: Promise, setup: Setup, making: Making) -> tuple[list[str], Sampling]:
    """User turns, evenly spread over the benchmarks of the deployment; those that must not be shown are left out."""
    benchmarks = Benchmarks(setup.benchmarks, setup.options.data)
    names = dict.fromkeys(each.benchmark for each in setup.promises if each.deployed == promise.deployed)
    shown = [name for name in names if not setup.benchmarks[name].confidential]
    if not shown:
        raise worded(EngineRefused, note("golden_answers_confidential", deployment=promise.deployed))
    each = -(-making.answers // len(shown))
    spread = [_spread([problem.prompt for problem in benchmarks.load(name).problems], each) for name in shown]
    prompts = list(dict.fromkeys(prompt for chosen in spread for prompt in chosen))[: making.answers]
    sampling = sampling_of(promise, "paper")
    return prompts, sampling.model_copy(update={"max_tokens": min(sampling.max_tokens, making.tokens)})


def _spread(prompts: Sequence[str], count: int) -> list[str]:
    return list(islice(prompts, 0, None, max(1, len(prompts) // count)))[:count]


def _texts(engine: Engine) -> dict[int, str]:
    if not isinstance(engine, HuggingFaceEngine):
        return {}
    return engine.texts(range(engine.vocabulary))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Other:
    """Another server of the same weights."""

    url: str
    reader: Reader
    faithful: bool

    def read(self, given: Sequence[Given]) -> list[list[Logprobs]]:
        """Its log-probabilities of the ``given`` tokens.

        Raises:
            EngineError: it does not tell them, or does not answer.
        """
        try:
            return self.reader.read(given)
        except Untold as untold:
            raise worded(EngineError, note("logprobs_untold", url=self.url, reason=untold.reason)) from None


def _others(promise: Promise, setup: Setup, making: Making) -> Iterator[_Other]:
    model, ca_file = setup.options.model or promise.deployment.model, setup.options.ca_file
    for faithful, urls in ((True, making.faithful), (False, making.damaged)):
        for url in urls:
            (reader,) = readers_of(RemoteEngine([url], model, ca_file=ca_file))
            yield _Other(url=url, reader=reader, faithful=faithful)


def _variations(
    golden: GoldenAnswers, promise: Promise, setup: Setup, engine: Engine, others: Sequence[_Other]
) -> Iterator[Variation]:
    given, (reader,) = given_of(golden), readers_of(engine)
    yield variation(golden, "read again, one answer at a time", [reader.read([one])[0] for one in given])
    if isinstance(engine, HuggingFaceEngine):
        yield from _of_the_model(golden, setup.options.model or promise.deployment.model, engine)
    for other in others:
        yield variation(golden, other.url, other.read(given), faithful=other.faithful)


def _of_the_model(golden: GoldenAnswers, model: str, engine: HuggingFaceEngine) -> Iterator[Variation]:
    """What the golden's own weights differ by in other arithmetics, and in four bits."""
    given, own = given_of(golden), engine.identity().environment.get("dtype", "")
    for dtype in OTHER_DTYPES:
        if dtype != own:
            yield variation(golden, dtype, _loaded(model, dtype).read(given))
    damaged = _loaded(model, own)
    damaged.round_weights(DAMAGED_BITS)
    yield variation(golden, f"weights in {DAMAGED_BITS} bits", damaged.read(given), faithful=False)
    yield variation(golden, "read whole by transformers", engine.read_whole(given))


def _loaded(model: str, dtype: str) -> HuggingFaceEngine:
    engine = huggingface.load(model, dtype=dtype)
    engine.close()  # it is read, and draws nothing
    return engine
