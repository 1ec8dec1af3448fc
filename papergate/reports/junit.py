"""What JUnit says of a promise: properties of its test case."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from papergate.errors import StoreError
from papergate.files import reason
from papergate.printable import one_line, printable
from papergate.reports.table import Line
from papergate.run_folder.files import write_text
from papergate.run_folder.notes import note
from papergate.run_folder.speed import SpeedRecord
from papergate.run_folder.verdict import Judged, Spread, VerdictRecord
from papergate.words import Language, say, worded

EVIDENCE_PROPERTY = "evidence_sha256"
"""Property of the whole suite: the root of the run's evidence, see `papergate.run_folder.sums`."""


def write_junit(path: Path, lines: Sequence[Line], language: Language = "en") -> None:
    """Write what a command without pytest says of its promises as pytest would: a test case for each.

    Sentences are in ``language``.

    Raises:
        StoreError: it cannot be written.
    """
    suite = Element("testsuite", name="papergate", tests=str(len(lines)))
    ended = [_ending(line, language)[0] for line in lines]
    for tag in ("failure", "error", "skipped"):
        suite.set("skipped" if tag == "skipped" else f"{tag}s", str(ended.count(tag)))
    for line in lines:
        _case(SubElement(suite, "testcase", classname="papergate", name=one_line(line.promise)), line, language)
    root = Element("testsuites")
    root.append(suite)
    try:
        write_text(path, tostring(root, encoding="unicode", xml_declaration=True))
    except OSError as error:
        raise worded(StoreError, note("junit_not_written", file=f"{path}", reason=reason(error))) from error


def _case(case: Element, line: Line, language: Language) -> None:
    listed = SubElement(case, "properties")
    said = properties(line.record, language) if line.record else iter([("verdict", line.verdict)])
    for name, value in (("promise", line.promise), *said):
        SubElement(listed, "property", name=name, value=printable(value))
    tag, message = _ending(line, language)
    if tag:
        SubElement(case, tag, message=one_line(message)).text = printable(message)


def _ending(line: Line, language: Language) -> tuple[str, str]:
    """The element that says how the test case of a promise ended, empty where it is kept, and its message."""
    if line.record:
        return ("failure", say(line.record.said, language)) if line.record.breaks else ("", "")
    return ("skipped", line.asked) if line.asked else ("error", line.error)


def properties(record: VerdictRecord, language: Language = "en") -> Iterator[tuple[str, str]]:
    """Name and value of every property, in the order a reader asks for them; scores in percent.

    Sentences are in ``language``, each with its code; names and all other values are the same in every language.
    """
    return ((one_line(name), printable(value)) for name, value in _properties(record, language))


def _properties(record: VerdictRecord, language: Language) -> Iterator[tuple[str, str]]:
    judgement, promised = record.judgement, record.promised
    yield "verdict", record.verdict
    yield "sentence", say(record.said, language)
    yield from (("reason_code", one.code) for one in record.reasons)
    yield from _standing(record)
    yield "protocol", record.protocol
    yield "reference_percent", f"{100 * judgement.reference:.3f}"
    yield "reference", promised.reference
    yield "tolerance", promised.tolerance
    yield "source", promised.source
    if not record.is_trial:  # which has answers, and no score
        yield "score_percent", f"{100 * judgement.score:.3f}"
        yield from _judged(record)
        yield from _aggregates(record)
    yield from ((f"samples_{name}", str(count)) for name, count in record.tally.items())
    yield from ((f"sampling_{name}", str(value)) for name, value in record.sampling)
    yield from ((f"benchmark_{name}", str(value)) for name, value in record.benchmark if value)
    yield from ((f"engine_{name}", str(value)) for name, value in record.engine if name != "environment")
    yield from ((f"environment_{name}", value) for name, value in record.engine.environment.items())
    yield from _golden(record)
    yield from (("earlier_verdict", f"{one.verdict} at {one.at}: {one.sentence}") for one in record.earlier)
    yield from ((f"term_{name}", words) for name, words in record.terms.items())
    yield "output_tokens", str(record.tokens.output)
    yield "run_seed", str(record.run_seed)
    yield "grader", record.grader
    yield "papergate", record.papergate
    yield from ((f"kind_{name.replace(' ', '_')}", str(count)) for name, count in record.kinds.items())
    for one in record.causes:
        yield "cause", say(one, language)
        yield "cause_code", one.code.removeprefix("cause_")
    for one in record.notes:
        yield "warning", say(one, language)
        yield "warning_code", one.code
    for one in record.remarks:
        yield "remark", say(one, language)
        yield "remark_code", one.code


def _standing(record: VerdictRecord) -> Iterator[tuple[str, str]]:
    """What a policy says of the promise; nothing without one."""
    if record.standing:
        yield "tier", record.standing.tier
        yield "gates", _word(record.gates)
        yield "waiver", _word(record.standing.reason)
        yield "waiver_expires", _word(record.standing.expires)


def _judged(record: VerdictRecord) -> Iterator[tuple[str, str]]:
    """What the verdict rests on; `none` where there is nothing to state."""
    judgement = record.judgement
    yield "literal", _word(judgement.literal)
    yield "difference_points", f"{100 * judgement.d:.3f}"
    yield "interval_points", f"[{100 * judgement.lo:.3f}, {100 * judgement.hi:.3f}]"
    yield "interval", "[{:.3f}, {:.3f}]".format(*(100 * end for end in judgement.interval))
    yield "n", str(judgement.n)
    yield "k", str(judgement.k)
    yield "k_most", str(max(record.counts.samples))
    yield "errors", str(record.errors)
    yield "truncations", str(record.truncations)
    yield "alpha", _word(judgement.alpha)
    yield "delta_points", _points(judgement.delta)
    yield "looks", _word(judgement.looks)
    yield "proven_within", _word(judgement.proven_within)
    yield "p_value", f"{judgement.p_value:.4g}"
    if not record.partial:
        yield from _of_a_whole_run(judgement)


def _aggregates(record: VerdictRecord) -> Iterator[tuple[str, str]]:
    aggregates = record.aggregates
    for name, shares in (("pass", aggregates.pass_at_k), ("cons", aggregates.cons_at_k)):
        yield from ((f"{name}_at_{k}", _share(share)) for k, share in shares.items())
    yield "majority_correct", _share(aggregates.majority_correct)


def _of_a_whole_run(judgement: Judged) -> Iterator[tuple[str, str]]:
    """What a part of the problems cannot tell."""
    yield "runs_needed", _word(judgement.runs_needed)
    yield "paper_error_points", _points(judgement.se_paper)
    yield "paper_noise_chance", _share(judgement.paper_noise_chance)


def _golden(record: VerdictRecord) -> Iterator[tuple[str, str]]:
    """How the run lies beside a golden run; nothing without one."""
    golden = record.golden
    if golden:
        yield "golden", golden.promise
        yield "golden_length_ratio", _share(golden.length_ratio)
        yield "golden_length_within_band", _word(golden.length_within_band)
        yield "golden_moved", str(len(golden.moved))


def _word(value: object) -> str:
    """None is a value of its own: nothing to state."""
    return "none" if value is None else str(value).lower()


def _points(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.3f}"


def _share(share: float | None) -> str:
    return "none" if share is None else f"{share:.4f}"


def speed_properties(record: SpeedRecord) -> Iterator[tuple[str, object]]:
    """The figures of a workload, where the run can be used: units in the names."""
    yield "model", record.model
    yield "engine", record.engine
    for one in record.causes:
        yield "cause", say(one)
        yield "cause_code", one.code
    given = record.metrics.model_fields_set if record.metrics else ()
    for name, value in record.metrics or ():
        if isinstance(value, Spread):
            yield from ((f"{name}_{p}", at) for p, at in (("p50", value.p50), ("p99", value.p99)) if value.count)
        elif name in given:
            yield name, value
