"""The HTML page: one file, no scripts, nothing fetched from elsewhere."""

import time
from collections.abc import Sequence
from pathlib import Path

from papergate import __version__
from papergate.printable import printable
from papergate.reports.family import family_of, standing
from papergate.reports.pictures import pictures_of, sweep_pictures
from papergate.reports.speed import (
    Speed,
    client_words,
    duration,
    latency_rows,
    load_words,
    number,
    rate_rows,
    times_words,
)
from papergate.run_folder.files import PAGE_FILE, write_text
from papergate.run_folder.verdict import VerdictRecord
from papergate.words import say

TEMPLATE = "page.html.jinja"


def write_page(
    records: Sequence[VerdictRecord], errors: Sequence[tuple[str, str]], folder: Path, speeds: Sequence[Speed] = ()
) -> Path:
    """Write the page of a run: verdicts, promises of this session that got none, and workloads.

    A record of a promise that is among the errors is shown as the verdict of an earlier session.

    Raises:
        OSError: the disk refused; an earlier page stays.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # autoescape: completions and server errors are other people's text
    environment = Environment(
        loader=PackageLoader("papergate.reports", "."), autoescape=True, undefined=StrictUndefined, finalize=_shown
    )
    environment.filters |= FILTERS
    broken = {promise for promise, _ in errors}
    judged = [record for record in records if record.promise not in broken]
    made = time.strftime("%Y-%m-%d %H:%M %Z")
    html = environment.get_template(TEMPLATE).render(
        records=records,
        errors=errors,
        heading=_heading(records, errors, speeds),
        speeds=speeds,
        sweeps=sweep_pictures([speed.figures for speed in speeds if speed.figures]),
        earlier=broken,
        family=family_of(judged),
        standing=standing(judged),
        version=__version__,
        made=made,
    )
    write_text(folder / PAGE_FILE, html)
    return folder / PAGE_FILE


def _shown(value: object) -> object:
    """Every value that the page shows, as it may be shown; finished markup stays."""
    return printable(value) if type(value) is str else value


def _heading(records: Sequence[VerdictRecord], errors: Sequence[tuple[str, str]], speeds: Sequence[Speed]) -> str:
    """What the page is about: promises where there are any, else speed."""
    if records or errors:
        broken = {promise for promise, _ in errors}
        if records and all(record.verdict == "trial" for record in records):
            return "A trial of the set-up: no promise was judged"
        kept = sum(record.verdict == "pass" and record.promise not in broken for record in records)
        promises = len(records) + len(broken - {record.promise for record in records})
        return f"Acceptance: {kept} of {promises} promises kept"
    models = sorted({speed.record.model for speed in speeds if speed.record})
    return f"Speed of {', '.join(models) or 'no deployment: nothing was measured'}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.2f}"


def _grouped(number: float | None) -> str:
    return "not reported" if number is None else f"{number:,.0f}"


FILTERS = {
    "sentence": say,
    "percent": _percent,
    "points": _points,
    "grouped": _grouped,
    "duration": duration,
    "number": number,
    "latency_rows": latency_rows,
    "rate_rows": rate_rows,
    "load_words": load_words,
    "client_words": client_words,
    "times_words": times_words,
    "pictures_of": pictures_of,
}
"""What the templates may call."""
