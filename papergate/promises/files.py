"""Reading papers and targets: every mistake of a file is reported at once."""

import os
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from papergate.errors import PromiseError
from papergate.files import MOST_TOML, read_plain, reason, text_of
from papergate.promises.records import (
    FromGolden,
    FromPaper,
    Paper,
    Promise,
    PromisedScore,
    PromiseEntry,
    Reproduction,
    Sampling,
    Stated,
    Target,
)
from papergate.promises.tool import Tool
from papergate.suggest import among

HERE = Path(__file__).parent
PAPERS = HERE / "papers"
TARGETS = HERE / "targets"
TOOLS = HERE / "tools"

STEERING = re.compile(r"[^\n\t\x20-\x7e\xa0-\u2029\u202f-\u2065\u206a-\U0010ffff]")
"""Control characters but tabs and line ends, and the marks that turn the direction of writing."""
SHOWN = 100
"""Characters of a wrong value that a message repeats."""
IN_LLM_CONFIG = {
    "flags": "engine_kwargs",
    "dtype": "engine_kwargs",
    "env": "runtime_env.env_vars",
    "python": "runtime_env.py_executable",
}
"""Fields for a server that has a command line, and where an LLMConfig of Ray Serve states the same."""

_Record = TypeVar("_Record", bound=BaseModel)


def read_toml(path: Path) -> dict[str, object]:
    """Read a TOML file with its decimals kept exact.

    Raises:
        PromiseError: the file is not TOML, with its line, or cannot be read.
    """
    try:
        return tomllib.loads(text_of(read_plain(path, most=MOST_TOML)), parse_float=Decimal)
    except OSError as error:
        raise PromiseError(f"{path}: cannot be read: {reason(error)}") from error
    except RecursionError:
        raise PromiseError(f"{path}: not a TOML file: it is nested too deeply") from None
    except (ValueError, ArithmeticError) as error:
        raise PromiseError(f"{path}: not a TOML file: {error}") from error


def mistakes_of(error: ValidationError) -> list[str]:
    """Every mistake that pydantic found, one line each: field, what is wrong, what was seen."""
    lines = []
    for detail in error.errors():
        if detail["type"] == "too_short" and detail["input"]:
            continue  # the list is not empty: its items are wrong, and are listed themselves
        # a union adds its tag to the place; the user never wrote it
        place = ".".join(
            str(step)
            for step in detail["loc"]
            if step not in {"paper", "golden", "percent"} or step == detail["loc"][-1]
        )
        seen = "" if detail["type"] == "missing" else f" (seen: {shortened(detail['input'])})"
        lines.append(f"{place or 'file'}: {detail['msg'].removeprefix('Value error, ')}{seen}")
    return lines


def shortened(value: object) -> str:
    """``value`` as a message shows it: of what may be a whole file, the beginning."""
    try:
        shown = repr(value)
    except (RecursionError, ValueError):
        shown = f"a {type(value).__name__}"
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}.."


def refuse(path: Path, mistakes: Sequence[str]) -> None:
    """Raise one error that lists every mistake of ``path``; nothing where there is none."""
    if mistakes:
        listed = "\n".join(f"  - {mistake}" for mistake in mistakes)
        raise PromiseError(f"{path}: {len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}:\n{listed}")


def read_record(path: Path, record: type[_Record], more_mistakes: Iterable[str] = ()) -> _Record:
    """Read ``path`` as a ``record``; ``more_mistakes`` are listed with those of the fields."""
    raw = read_toml(path)
    found = [*more_mistakes, *_control_characters(raw)]
    try:
        read = record.model_validate(raw)
    except ValidationError as error:
        found = mistakes_of(error) + found
        refuse(path, found)
        raise
    refuse(path, found)
    return read


def read_papers(folders: Sequence[Path] = (PAPERS,)) -> dict[str, Paper]:
    """Every paper of ``folders``, by name."""
    papers: dict[str, Paper] = {}
    for path in _toml_files(folders):
        raw = read_toml(path)
        if path.stem in papers:
            raise PromiseError(f"{path}: paper {path.stem!r} is one of papergate's own; rename the file")
        keys = (_key(row, "model", "benchmark", "metric") for row in _tables(raw, "scores"))
        papers[path.stem] = read_record(path, Paper, [*_wrong_name(path, raw), *_twice(keys, "score")])
    return papers


def read_tools(folders: Sequence[Path] = (TOOLS,)) -> dict[str, Tool]:
    """Every tool of ``folders``, by name."""
    tools: dict[str, Tool] = {}
    for path in _toml_files(folders):
        raw = read_toml(path)
        if path.stem in tools:
            raise PromiseError(f"{path}: tool {path.stem!r} is one of papergate's own; rename the file")
        keys = (_key(row, "benchmark") for row in _tables(raw, "tasks"))
        tools[path.stem] = read_record(path, Tool, [*_wrong_name(path, raw), *_twice(keys, "task")])
    return tools


def read_targets(
    folders: Sequence[Path] = (TARGETS,), *, engines: Collection[str] | None = None
) -> dict[str, tuple[Path, Target]]:
    """Every target of ``folders``, by name; a later folder may not redefine a target of an earlier one.

    ``engines`` are the names that a deployment may give; without them, any name is taken and refused when it starts.
    """
    targets: dict[str, tuple[Path, Target]] = {}
    for path in _toml_files(folders):
        if path.stem in targets:
            raise PromiseError(
                f"{path}: target {path.stem!r} is already defined in {targets[path.stem][0]}; rename the file"
            )
        targets[path.stem] = (path, read_target(path, engines))
    return targets


def read_target(path: Path, engines: Collection[str] | None = None) -> Target:
    """One target file; see ``read_targets``."""
    raw = read_toml(path)
    deployments = _tables(raw, "deployments")
    found = _wrong_name(path, raw) + _twice((_key(row, "name") for row in deployments), "deployment")
    for row in deployments:
        found += _unknown_engine(row, engines) + _beside_llm_config(row)
        keys = (f"{_key(entry, 'benchmark')}{_gain(entry)}" for entry in _tables(row, "promises"))
        found += _twice(keys, f"deployment {row.get('name')!r}: promise")
    return read_record(path, Target, found)


def read_promises(
    target_folders: Sequence[Path] = (TARGETS,),
    paper_folders: Sequence[Path] = (PAPERS,),
    tool_folders: Sequence[Path] = (TOOLS,),
    *,
    benchmarks: Collection[str],
    engines: Collection[str] | None = None,
) -> tuple[Promise, ...]:
    """Every promise of every target, its number resolved.

    ``benchmarks`` and ``engines`` are the names that exist; see ``read_targets`` for the engines.

    Raises:
        PromiseError: a file is wrong, or names a paper, a score or a benchmark that does not exist; every mistake of
            the first such file is listed.
    """
    papers, tools = read_papers(paper_folders), read_tools(tool_folders)
    promises: list[Promise] = []
    for path, target in read_targets(target_folders, engines=engines).values():
        entries = [(deployment, entry) for deployment in target.deployments for entry in deployment.promises]
        unknown = [line for _, entry in entries for line in _unknown(entry, papers, benchmarks)]
        refuse(path, unknown + _unknown_tools(target, tools))
        promises += [
            Promise(
                target=target.name,
                hardware=target.hardware,
                deployment=deployment,
                benchmark=entry.benchmark,
                tolerance=entry.tolerance,
                measured=entry.measured,
                reproductions=_reproductions(entry, papers),
                tool=tools.get(deployment.tool),
                score=_resolved(entry, papers, deployment.sampling),
            )
            for deployment, entry in entries
        ]
    return tuple(promises)


def _resolved(entry: PromiseEntry, papers: Mapping[str, Paper], vendor: Sampling) -> PromisedScore:
    """The number that ``entry`` promises; a score without a paper was drawn as the vendor draws."""
    score = entry.score
    if isinstance(score, FromGolden):
        return PromisedScore(percent=None, samples=None, reference="golden", source=score.golden, sampling=vendor)
    if isinstance(score, Stated):
        stated = score.model_dump(include={"percent", "samples", "reference", "source"})
        return PromisedScore(**stated, sampling=vendor)
    paper = papers[score.paper]
    row = paper.score(score.model, entry.benchmark)
    assert row is not None, "unknown rows were refused before"
    return PromisedScore(
        percent=row.percent,
        samples=row.samples,
        reference=score.reference,
        source=f"{paper.source}, {row.source}",
        sampling=paper.sampling.model_copy(update={"max_tokens": row.max_tokens or paper.sampling.max_tokens}),
    )


def _reproductions(entry: PromiseEntry, papers: Mapping[str, Paper]) -> tuple[Reproduction, ...]:
    score = entry.score
    if not isinstance(score, FromPaper):
        return ()
    found = papers[score.paper].reproductions
    return tuple(one for one in found if (one.model, one.benchmark) == (score.model, entry.benchmark))


def _unknown(entry: PromiseEntry, papers: Mapping[str, Paper], benchmarks: Collection[str]) -> Iterator[str]:
    """What ``entry`` names that does not exist."""
    if entry.benchmark not in benchmarks:
        yield f"benchmark {entry.benchmark!r} is unknown{among(entry.benchmark, benchmarks)}"
    if not isinstance(entry.score, FromPaper):
        return
    paper = papers.get(entry.score.paper)
    if paper is None:
        yield f"paper {entry.score.paper!r} is unknown{among(entry.score.paper, papers)}"
    elif paper.score(entry.score.model, entry.benchmark) is None:
        rows = sorted(
            {row.model for row in paper.scores if row.benchmark == entry.benchmark and row.metric == "pass@1"}
        )
        known = ", ".join(rows) or "none"
        yield f"{paper.name} publishes no {entry.benchmark} pass@1 for {entry.score.model!r}; it has it for: {known}"


def _unknown_tools(target: Target, tools: Mapping[str, Tool]) -> list[str]:
    named = {deployment.tool for deployment in target.deployments if deployment.tool}
    return [f"tool {name!r} is unknown; known: {', '.join(sorted(tools))}" for name in sorted(named - tools.keys())]


def _toml_files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        if not folder.is_dir():
            raise PromiseError(f"{folder}: not a folder; --targets takes the folder that holds your *.toml files")
        if not os.access(folder, os.R_OK | os.X_OK):
            raise PromiseError(f"{folder}: it may not be read; give its user the right to")
        yield from sorted(folder.glob("*.toml"))


def _tables(raw: Mapping[str, object], key: str) -> list[dict[str, object]]:
    """The tables listed under ``key``; what is no table is left to the field checks."""
    rows = raw.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _key(row: Mapping[str, object], *fields: str) -> str:
    return " ".join(str(row.get(field, "pass@1" if field == "metric" else "?")) for field in fields)


def _gain(entry: Mapping[str, object]) -> str:
    return " (gain)" if entry.get("tolerance") == "gain" else ""


def _unknown_engine(deployment: Mapping[str, object], engines: Collection[str] | None) -> list[str]:
    name = deployment.get("engine")
    if engines is None or name is None or name in engines:
        return []
    return [f"deployment {deployment.get('name')!r}: engine {name!r} is unknown; known: {', '.join(engines)}"]


def _beside_llm_config(deployment: Mapping[str, object]) -> list[str]:
    """Ray Serve gets the LLMConfig alone; other fields would be ignored silently, so they are refused."""
    if not deployment.get("llm_config"):
        return []
    name = f"deployment {deployment.get('name')!r}"
    return [
        f"{name}: {field} does not reach Ray Serve; state it in llm_config.{place}"
        for field, place in IN_LLM_CONFIG.items()
        if deployment.get(field)
    ]


def _control_characters(value: object, place: str = "") -> list[str]:
    """Where a text holds what can steer a terminal or turn the direction of what is read."""
    if isinstance(value, str):
        found = STEERING.search(value)
        return [f"{place}: holds the control character {found[0]!r}; remove it"] if found else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [
        mistake
        for key, each in inner
        for text, where in ((key, place or "file"), (each, f"{place}.{key}".lstrip(".")))
        for mistake in _control_characters(text, where)
    ]


def _twice(keys: Iterable[str], what: str) -> list[str]:
    listed = list(keys)
    return [f"{what} {key!r} is listed twice; keep one" for key in sorted({k for k in listed if listed.count(k) > 1})]


def _wrong_name(path: Path, raw: Mapping[str, object]) -> list[str]:
    name = raw.get("name")
    return [] if name == path.stem else [f"name: {name!r} differs from the file's own, {path.stem!r}; make them equal"]
