"""What a JUnit report quotes of a run: the root of its evidence, and the verdict of each promise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from papergate.evidence.records import Checked, Refused, Result
from papergate.printable import one_line
from papergate.reports.junit import EVIDENCE_PROPERTY, properties

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A JUnit report, as far as it quotes the run."""

    name: str
    """Where it lies, for messages."""
    root: str
    """Empty where it quotes none."""
    promises: Sequence[frozenset[tuple[str, str]]]
    """Name and value of the properties of each test of a promise."""


def read_report(data: bytes, name: str) -> Report:
    """The report in ``data``.

    Raises:
        Refused: it is no JUnit report.
    """
    if b"<!DOCTYPE" in data:
        raise Refused(Result.ALTERED, f"{name} declares a document type, as no JUnit report does")
    try:
        tree = ET.fromstring(data)  # noqa: S314 - expat alone, and without a document type there is nothing to expand
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Refused(Result.ALTERED, f"{name} is no JUnit report: {error}") from None
    whole = [_properties(suite) for suite in tree.iter("testsuite")]
    cases = [_properties(case) for case in tree.iter("testcase")]
    return Report(
        name=name,
        root=next((value for of_suite in whole for key, value in of_suite if key == EVIDENCE_PROPERTY), ""),
        promises=[each for each in cases if "promise" in dict(each)],
    )


def refuse_other_quotes(report: Report, promises: Sequence[Checked]) -> None:
    """See that ``report`` states the verdicts that the bundle holds.

    Raises:
        Refused: it states another verdict, or one that the bundle does not hold.
    """
    held = {one.promise: one.stated for one in promises}
    for quoted in report.promises:
        named = dict(quoted)
        if named.get("verdict") == "error":
            continue  # an error leaves no record; one of an earlier session may be there
        record = held.get(named["promise"])
        if record is None:
            raise Refused(
                Result.ALTERED, f"{report.name} has a verdict on {one_line(named['promise'])}, the bundle none"
            )
        mine = frozenset(each for each in properties(record) if each[0] in HELD)
        if other := sorted({each for each in quoted if each[0] in HELD} ^ mine):
            name, value = other[0]
            raise Refused(
                Result.ALTERED,
                f"{report.name} and the record of {record.promise} differ in {name} (one states {one_line(value)})",
            )


def _properties(element: "ET.Element") -> frozenset[tuple[str, str]]:
    return frozenset(_pairs(element))


def _pairs(element: "ET.Element") -> Iterator[tuple[str, str]]:
    for each in element.iterfind("properties/property"):
        yield each.get("name", ""), each.get("value", "")
