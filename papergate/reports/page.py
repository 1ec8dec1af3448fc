"""The HTML page: one file, no scripts, nothing fetched from elsewhere."""

import time
from collections.abc import Sequence
from pathlib import Path

from papergate import __version__
from papergate.reports.files import Summary
from papergate.reports.pictures import pictures_of, sweep_pictures
from papergate.reports.remarks import family_of, standing
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

PAGE_FILE = "report.html"
TEMPLATE = "page.html.jinja"


def write_page(
    summaries: Sequence[Summary], errors: Sequence[tuple[str, str]], folder: Path, speeds: Sequence[Speed] = ()
) -> Path:
    """Write the page of a run: verdicts, promises of this session that got none, and workloads."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # autoescape: completions and server errors are other people's text
    environment = Environment(
        loader=PackageLoader("papergate.reports", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters |= FILTERS
    made = time.strftime("%Y-%m-%d %H:%M %Z")
    html = environment.get_template(TEMPLATE).render(
        summaries=summaries,
        errors=errors,
        heading=_heading(summaries, errors, speeds),
        speeds=speeds,
        sweeps=sweep_pictures([speed.figures for speed in speeds if speed.figures]),
        family=family_of(summaries),
        standing=standing(summaries),
        version=__version__,
        made=made,
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PAGE_FILE
    path.write_text(html, encoding="utf-8")
    return path


def _heading(summaries: Sequence[Summary], errors: Sequence[tuple[str, str]], speeds: Sequence[Speed]) -> str:
    """What the page is about: promises where there are any, else speed."""
    if summaries or errors:
        kept = sum(summary["verdict"] == "pass" for summary in summaries)
        return f"Acceptance: {kept} of {len(summaries) + len(errors)} promises kept"
    models = sorted({speed.record["model"] for speed in speeds if speed.record})
    return f"Speed of {', '.join(models) or 'no deployment: nothing was measured'}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.2f}"


def _grouped(number: float | None) -> str:
    return "not reported" if number is None else f"{number:,.0f}"


FILTERS = {
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
