"""Runs side by side as one HTML file, in the style of a run's page, without a script."""

from papergate import __version__
from papergate.reports.beside import Beside, notes, picture, tables
from papergate.reports.page import resource, template_named
from papergate.reports.said import noted
from papergate.words import Language

TEMPLATE = "beside.html.jinja"


def beside_page(beside: Beside, heading: str, language: Language) -> str:
    """The page; ``heading`` is the name of a label."""
    pictures = [picture(group) for group in beside.groups]
    return str(
        template_named(TEMPLATE).render(
            language=language,
            heading=heading,
            tables=[*tables(beside)],
            pictures=pictures,
            notes=[noted(one) for one in notes(beside)],
            style=resource("page.css"),
            version=__version__,
        )
    )
