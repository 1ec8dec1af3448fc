"""What a JUnit report quotes of a run: the root of its evidence, and the verdict of each promise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from papergate.evidence.records import Checked, Result, refused
from papergate.printable import one_line
from papergate.reports.junit import EVIDENCE_PROPERTY, properties
from papergate.run_folder.notes import Note, note

HELD = frozenset(
    {
        *("verdict", "score_percent", "interval", "n", "k", "errors", "truncations", "reason_code", "warning_code"),
        *("reference_percent", "reference", "tolerance", "source", "alpha", "delta_points", "protocol", "grader"),
        *("sampling_temperature", "sampling_top_p", "sampling_max_tokens", "run_seed"),
        *("benchmark_name", "benchmark_digest", "engine_engine", "engine_model", "engine_revision"),
        *("tier", "gates", "waiver", "waiver_expires"),
    }
)
"""Properties of a promise that must be those of its record: what was promised, asked, found, warned of and waived. The
others are sentences, or repeat these."""


COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
"""Attributes of a suite, and the elements that they count. How pytest counts its ``tests``, their elements do not tell:
a test that fails and breaks in its teardown has two."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """The test case of a promise."""

    properties: frozenset[tuple[str, str]]
    endings: frozenset[str]
    """The elements that say how it ended; a plain pass has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A JUnit report, as far as it quotes the run."""

    name: str
    """Where it lies, for messages."""
    root: str
    """Empty where it quotes none."""
    promises: Sequence[Quote]
    miscounted: Note | None = None
    """The first count of a suite that is not that of its elements; None where all are."""


def read_report(data: bytes, name: str) -> Report:
    """The report in ``data``.

    Raises:
        Refused: it is no JUnit report.
    """
    if b"<!DOCTYPE" in data:
        raise refused(Result.ALTERED, note("report_with_document_type", report=name))
    try:
        tree = ET.fromstring(data)  # noqa: S314 - expat alone, and without a document type there is nothing to expand
    except (ET.ParseError, ValueError, LookupError) as error:
        raise refused(Result.ALTERED, note("report_malformed", report=name, said=f"{error}")) from None
    whole = [_properties(suite) for suite in tree.iter("testsuite")]
    cases = [Quote(properties=_properties(case), endings=_endings(case)) for case in tree.iter("testcase")]
    return Report(
        name=name,
        root=next((value for of_suite in whole for key, value in of_suite if key == EVIDENCE_PROPERTY), ""),
        promises=[each for each in cases if "promise" in dict(each.properties)],
        miscounted=next((wrong for suite in tree.iter("testsuite") for wrong in _miscounted(suite, name)), None),
    )


def refuse_other_quotes(report: Report, promises: Sequence[Checked]) -> None:
    """See that ``report`` states the verdicts that the bundle holds.

    Raises:
        Refused: it states another verdict, or one that the bundle does not hold; or its elements end otherwise.
    """
    if report.miscounted:
        raise refused(Result.ALTERED, report.miscounted)
    held = {one.promise: one.stated for one in promises}
    for quote in report.promises:
        quoted, named = quote.properties, dict(quote.properties)
        if named.get("verdict") == "error":  # it leaves no record; one of an earlier session may be there
            _refuse_other_ending(report, quote, named["promise"], breaks=True, accepted=False)
            continue
        record = held.get(named["promise"])
        if record is None:
            said = note("report_of_another_promise", report=report.name, promise=one_line(named["promise"]))
            raise refused(Result.ALTERED, said)
        mine = frozenset(each for each in properties(record) if each[0] in HELD)
        if other := sorted({each for each in quoted if each[0] in HELD} ^ mine):
            about = {"report": report.name, "promise": record.promise}
            name, value = other[0]
            raise refused(Result.ALTERED, note("report_differs", **about, name=name, value=one_line(value)))
        _refuse_other_ending(report, quote, record.promise, breaks=record.breaks, accepted=record.accepted)


def _refuse_other_ending(report: Report, quote: Quote, promise: str, *, breaks: bool, accepted: bool) -> None:
    """A CI reads elements, not properties. An error in the teardown of a test stands beside any verdict."""
    ended, red = quote.endings, quote.endings & {"failure", "error"}
    if (breaks and not red) or (not breaks and "failure" in ended) or (accepted and "skipped" in ended):
        about = {"report": report.name, "promise": one_line(promise)}
        seen = ", ".join(f"<{name}>" for name in sorted(ended))
        verdict = one_line(dict(quote.properties).get("verdict", "none"))
        raise refused(Result.ALTERED, note("report_ends_otherwise", **about, seen=seen, verdict=verdict))


def _endings(case: "ET.Element") -> frozenset[str]:
    return frozenset(child.tag for child in case if child.tag in COUNTED.values())


def _miscounted(suite: "ET.Element", report: str) -> Iterator[Note]:
    for name, tag in COUNTED.items():
        stated, found = suite.get(name), len(suite.findall(f"testcase/{tag}"))
        if stated is not None and stated != str(found):
            yield note("report_miscounts", report=report, stated=one_line(stated), name=name, found=found, tag=tag)


def _properties(element: "ET.Element") -> frozenset[tuple[str, str]]:
    return frozenset(_pairs(element))


def _pairs(element: "ET.Element") -> Iterator[tuple[str, str]]:
    for each in element.iterfind("properties/property"):
        yield each.get("name", ""), each.get("value", "")
