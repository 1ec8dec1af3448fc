"""The statement of a run: one page in the shape of the vendors' documents, with what those leave out.

Data set, official score, measured score, error and result; beside them the interval, the protocol, what was waived or
could not be verified, and the root of the evidence, by which anyone checks all of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from papergate.errors import StoreError
from papergate.printable import one_line, printable
from papergate.run_folder.history import read_history, refuse_changed_in
from papergate.run_folder.notes import note
from papergate.run_folder.sums import root_of, sums_of
from papergate.run_folder.verdict import Judged, VerdictRecord, read_verdicts
from papergate.words import Language, label, say, worded

COLUMNS = ("benchmark", "official", "measured", "error_points", "interval", "tolerance", "n_x_k", "outcome")


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """What was tested, and a row for each of its data sets."""

    facts: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """All texts of the page in one language, as they may be shown."""

    title: str
    colon: str
    columns: Sequence[str]
    deployments: Sequence[Deployment]
    waivers_title: str
    waivers: Sequence[str]
    """What a reader must know: what was waived, and what is not verified."""
    evidence_title: str
    evidence: Sequence[str]


def statement_of(run: Path, language: Language = "en") -> Statement:
    """The statement of what ``run`` holds.

    Raises:
        StoreError: it holds no verdict, or one that cannot be read.
    """
    found = read_verdicts(run)
    if found.refused:
        raise StoreError(found.refused[0][1])
    if not found.records:
        raise worded(StoreError, note("statement_without_verdict", run=f"{run}"))
    refuse_changed_in(run)
    named = dict.fromkeys((one.engine.model, one.hardware, one.engine.engine, one.protocol) for one in found.records)
    groups = [[one for one in found.records if _group(one) == group] for group in named]
    return Statement(
        title=label("statement", language),
        colon=label("colon", language),
        columns=[label(name, language) for name in COLUMNS],
        deployments=[_deployment(run, group, language) for group in groups],
        waivers_title=label("waivers", language),
        waivers=[*_waivers(found.records, language)],
        evidence_title=label("evidence", language),
        evidence=[say_root(run, language)],
    )


def say_root(run: Path, language: Language) -> str:
    """The root of the evidence, and how it is checked."""
    return _with_label("root", f"{root_of(sums_of(run))} (papergate bundle, papergate verify)", language)


def markdown(statement: Statement) -> str:
    """The page as Markdown."""
    return "\n".join(_markdown_lines(statement))


def _group(record: VerdictRecord) -> tuple[str, str, str, str]:
    return record.engine.model, record.hardware, record.engine.engine, record.protocol


def _deployment(run: Path, records: Sequence[VerdictRecord], language: Language) -> Deployment:
    facts = [(label(name, language), value) for name, value in _facts(run, records)]
    return Deployment(facts=facts, rows=[_row(record, language) for record in records])


def _facts(run: Path, records: Sequence[VerdictRecord]) -> Iterator[tuple[str, str]]:
    """What holds for all ``records`` of one deployment; several values where they differ."""
    yield "model", _joined(one.engine.model for one in records)
    yield "hardware_promised", _joined(one.hardware for one in records)
    yield "engine", _joined(f"{one.engine.engine} {one.engine.version}" for one in records)
    yield "weights", _joined(one.engine.revision for one in records) or "-"
    for source in dict.fromkeys(one.promised.source for one in records):
        yield "official_source", one_line(source)
    yield "protocol", _joined(_protocol(one) for one in records)
    yield "seed", _joined(str(one.run_seed) for one in records)
    yield "grader", _joined(one.grader for one in records)
    yield "judged_at", _joined(entry.at for one in records for entry in read_history(run / one.promise)[-1:]) or "-"
    yield "version", f"papergate {_joined(one.papergate for one in records)}"


def _joined(values: Iterator[str]) -> str:
    return one_line(", ".join(filter(None, dict.fromkeys(values))))


def _protocol(record: VerdictRecord) -> str:
    sampling = record.sampling
    return (
        f"{record.protocol} (temperature {sampling.temperature}, top_p {sampling.top_p}, "
        f"max_tokens {sampling.max_tokens})"
    )


def _row(record: VerdictRecord, language: Language) -> list[str]:
    judged = record.judgement
    return [
        record.benchmark.name,
        f"{100 * judged.reference:.2f} %",
        *(["-"] * 3 if record.is_trial else _measured(judged)),
        one_line(say(record.promised.within, language)),
        f"{judged.n} x {record.counts.samples_each}",
        label(record.verdict, language),
    ]


def _measured(judged: Judged) -> Sequence[str]:
    low, high = judged.interval
    return f"{100 * judged.score:.2f} %", f"{100 * judged.d:+.2f}", f"{100 * low:.2f} - {100 * high:.2f} %"


def _waivers(records: Sequence[VerdictRecord], language: Language) -> Iterator[str]:
    """Each verdict in a sentence, then what is to be known of it; what holds for several is said once."""
    for record in records:
        yield _with_label(record.benchmark.name, say(record.said, language), language)
    yield from dict.fromkeys(printable(say(note, language)) for record in records for note in record.notes)


def _with_label(name: str, text: str, language: Language) -> str:
    return printable(f"{label(name, language)}{label('colon', language)}{text}")


def _markdown_lines(statement: Statement) -> Iterator[str]:
    yield f"# {statement.title}\n"
    for deployment in statement.deployments:
        yield from (f"- {_cell(name)}{statement.colon}{_cell(value)}" for name, value in deployment.facts)
        yield ""
        yield from _markdown_table([statement.columns, *deployment.rows])
        yield ""
    yield f"## {statement.waivers_title}\n"
    yield from (f"- {_cell(one)}" for one in statement.waivers)
    yield f"\n## {statement.evidence_title}\n"
    yield from (f"- {_cell(one)}" for one in statement.evidence)
    yield ""


def _markdown_table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    head, *body = ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    yield head
    yield "|" + "---|" * len(rows[0])
    yield from body


def _cell(text: str) -> str:
    """Text from outside as Markdown that shows it: no mark-up, no column, no line of its own."""
    shown = " ".join(printable(text).split()).replace("\\", "\\\\")
    for sign in "|`*_[]":
        shown = shown.replace(sign, f"\\{sign}")
    return shown.replace("<", "&lt;")
