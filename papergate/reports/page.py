"""The HTML page: one file, no scripts, nothing fetched from elsewhere."""

import time
from collections.abc import Sequence
from pathlib import Path

from papergate import __version__
from papergate.reports.files import Summary
from papergate.reports.remarks import family_of, standing

PAGE_FILE = "report.html"
TEMPLATE = "page.html.jinja"


def write_page(summaries: Sequence[Summary], errors: Sequence[tuple[str, str]], folder: Path) -> Path:
    """Write the page of a run: every verdict in ``folder``, and the promises of this session that got none."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # autoescape: completions and server errors are other people's text
    environment = Environment(
        loader=PackageLoader("papergate.reports", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters |= {"percent": _percent, "points": _points, "grouped": _grouped}
    made = time.strftime("%Y-%m-%d %H:%M %Z")
    html = environment.get_template(TEMPLATE).render(
        summaries=summaries,
        errors=errors,
        family=family_of(summaries),
        standing=standing(summaries),
        version=__version__,
        made=made,
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PAGE_FILE
    path.write_text(html, encoding="utf-8")
    return path


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.2f}"


def _grouped(number: float | None) -> str:
    return "not reported" if number is None else f"{number:,.0f}"
