"""What each stage says of a deployment, what it cost, and how much the score really lost."""

import random
import re
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from papergate.acceptance.drifting import readers_of
from papergate.acceptance.options import Options
from papergate.acceptance.terms import sampling_of
from papergate.benchmarks import load, read_specs
from papergate.diagnosis.door import Door
from papergate.diagnosis.drift import drift
from papergate.diagnosis.preflight import Subject, preflight
from papergate.diagnosis.sampling import OTHER_DISTRIBUTION
from papergate.endpoints.address import Access
from papergate.engines.remote.engine import RemoteEngine
from papergate.errors import PapergateError
from papergate.gate import gate
from papergate.promises import read_promises
from papergate.promises.records import Sampling
from papergate.run_folder.drift import DriftRecord
from papergate.run_folder.golden_answers import GoldenAnswers
from papergate.run_folder.preflight import Check, PreflightRecord
from papergate.scoring import AnswerKind, Attempt, Grader, Outcome
from papergate.words import LANGUAGES
from tests.sabotage.faults import Sabotage
from tests.servers.model_server import MODEL, Fault, deployed_at

TARGET, BENCHMARK = "cpu_vllm", "tiny-aime"
SPECS = read_specs()
SPEC = SPECS[BENCHMARK]
PROBLEMS = load(SPEC).problems
(PROMISE,) = (one for one in read_promises(benchmarks=SPECS) if one.target == TARGET and one.benchmark == BENCHMARK)
SAMPLING: Sampling = sampling_of(PROMISE, "paper")
MOST_SAMPLES = 16


@dataclass(kw_only=True)
class Found:
    """One row of the matrix."""

    name: str
    loss: float | None = None
    loss_error: float | None = None
    stage: str = "nothing"
    named: str = ""
    right: bool = False
    tokens: dict[str, int] = field(default_factory=dict)
    """Drawn or read by the server, by stage."""
    noted: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)


def measured(
    sabotage: Sabotage,
    golden: GoldenAnswers,
    *,
    concurrency: int = 16,
    seed: int = 1,
    loss: int = 0,
    whole: bool = False,
    at: Callable[[Fault], AbstractContextManager[tuple[str, Any]]] = deployed_at,
) -> Found:
    """The stages up to the first that says something, or all; ``loss`` is the number of samples for the true loss.

    ``at`` serves a fault: it gives an address, and what counts ``tokens`` there.
    """
    found = Found(name=sabotage.name)
    with ExitStack() as servers:
        faults = [sabotage.fault, *([sabotage.replica] if sabotage.replica else [])]
        places = [servers.enter_context(at(fault)) for fault in faults]
        urls, deployed = [url for url, _ in places], [one for _, one in places]
        stages: dict[str, Callable[[], list[str]]] = {
            "preflight": lambda: _preflight(urls, concurrency, found),
            "drift": lambda: _drift(urls, golden, found),
            "run": lambda: _run(urls, concurrency, seed, found),
        }
        for name, stage in stages.items():
            if found.stage != "nothing" and not whole:
                break
            before = sum(one.tokens for one in deployed)
            said = _guarded(stage)
            found.tokens[name] = sum(one.tokens for one in deployed) - before
            found.said[name] = ", ".join(said)
            if said and found.stage == "nothing":
                found.stage = found.said["run_stage"] if name == "run" else name
                found.named = said[0]
        if loss:
            found.loss, found.loss_error = true_loss(urls, loss, sabotage.fault.device)
    found.right = (found.named or "nothing") in sabotage.right or bool(set(found.noted) & sabotage.right)
    return found


def _guarded(stage: Callable[[], list[str]]) -> list[str]:
    try:
        return stage()
    except PapergateError as error:
        return [f"error: {str(error)[:200]}"]


def _preflight(urls: list[str], concurrency: int, found: Found) -> list[str]:
    engine = RemoteEngine(urls, MODEL)
    prompts = [problem.prompt for problem in PROBLEMS]
    subject = Subject(
        deployment="sabotage", engine=engine, sampling=SAMPLING, prompts=prompts, thinks=True, concurrency=concurrency
    )
    record: PreflightRecord = preflight(subject)
    found.noted += [_cause_of(check) for check in record.checks if check.state == "noted"]
    return [_cause_of(check) for check in record.failed]


def _cause_of(check: Check) -> str:
    """What a check of a preflight names."""
    if check.code == "whole_answer":
        return check.values["cause"]
    if check.values.get("seen") == OTHER_DISTRIBUTION:
        return "decoding"
    return check.code


def _drift(urls: list[str], golden: GoldenAnswers, found: Found) -> list[str]:
    record: DriftRecord = drift(golden, readers_of(RemoteEngine(urls, MODEL)), deployment="sabotage")
    states = {(check.server, check.code): check for check in record.checks}
    found.noted += [f"drift {check.code}" for check in record.checks if check.state == "noted"]
    said = []
    for server in {check.server for check in record.checks}:
        if (check := states[server, "prompts"]).state == "failed":
            said.append(check.values["reason"])
        elif states[server, "forced"].state == "failed":
            said.append("computation")
        elif states[server, "greedy_answers"].state == "failed":
            alone = "decoding" if states[server, "forced"].state in ("ok", "noted") else "computation"
            said.append(states[server, "greedy_answers"].values.get("reason", alone))
    return said


def _run(urls: list[str], concurrency: int, seed: int, found: Found) -> list[str]:
    """The gate itself, without its preflight."""
    with tempfile.TemporaryDirectory() as folder:
        options = Options(
            endpoints=tuple(urls),
            model=MODEL,
            run=Path(folder) / "run",
            run_seed=seed,
            preflight=False,
            max_samples=MOST_SAMPLES,
            concurrency=concurrency,
        )
        (line,) = gate(options, targets=[TARGET], wanted=lambda promise: promise.benchmark == BENCHMARK).lines
    if line.record is None:
        found.said["run_stage"] = "early stop" if "asking was stopped" in line.error else "run"
        return [_cause_in(line.error)]
    found.said["verdict"], found.said["run_stage"] = line.record.verdict, "verdict"
    causes = [one.code.removeprefix("cause_") for one in line.record.causes]
    return (causes or ["low, no cause"]) if line.record.verdict == "fail" else []


def _cause_in(error: str) -> str:
    """The code of the cause whose sentence stands in an error."""
    if "copies, not" in error:
        return "copies"
    for code, words in LANGUAGES["en"].SENTENCES.items():
        if code.startswith("cause_") and isinstance(words, str):
            tail = re.split(r"\{[^}]*\}", words)[-1].strip()
            if tail and tail[:40] in error:
                return code.removeprefix("cause_")
    return error[:80]


def true_loss(urls: list[str], samples: int, device: str) -> tuple[float, float]:
    """Points lost against the honest deployment on the same seeds, and their standard error, paired by problem."""
    theirs = _rates(urls, samples)
    own = _honest_rates(samples, device)
    apart = [100 * (one - other) for one, other in zip(own, theirs, strict=True)]
    return round(fmean(apart), 1), round(stdev(apart) / len(apart) ** 0.5, 1)


@cache
def _honest_rates(samples: int, device: str) -> list[float]:
    with deployed_at(Fault(device=device)) as (url, _):
        return _rates([url], samples)


def _rates(urls: list[str], samples: int) -> list[float]:
    """The share of right answers of each problem."""
    doors = [Door(url=url, model=MODEL, access=Access.of_environment()) for url in urls]
    jobs = [(doors[n % len(doors)], problem, n) for n in range(samples) for problem in PROBLEMS]
    with ThreadPoolExecutor(max_workers=32) as pool:
        texts = list(pool.map(lambda job: _answer(*job), jobs))
    attempts = [
        Attempt(text=text, gold=problem.gold, kind=AnswerKind(SPEC.answer), thinks=True)
        for text, (_, problem, _) in zip(texts, jobs, strict=True)
    ]
    with Grader() as grader:
        right = [grade.outcome is Outcome.CORRECT for grade in grader.grade(attempts)]
    return [fmean(right[place :: len(PROBLEMS)]) for place in range(len(PROBLEMS))]


def _answer(door: Door, problem, seed: int) -> str:
    drawn = {"temperature": float(SAMPLING.temperature), "top_p": float(SAMPLING.top_p)}
    number = random.Random(f"{seed}|{problem.id}").getrandbits(31)
    for _ in range(10):  # a server that fails in a share of requests is asked again, as the runner does
        try:
            return door.chat(problem.prompt, **drawn, max_tokens=SAMPLING.max_tokens, seed=number)
        except PapergateError:
            continue
    return ""


def row_of(found: Found) -> dict[str, object]:
    """The row as plain values."""
    return asdict(found)
