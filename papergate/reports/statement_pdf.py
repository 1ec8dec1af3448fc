"""The statement as a PDF, by reportlab.

Chinese is set in STSong-Light, one of the fonts that PDF readers bring along for Adobe's GB1 characters: nothing is
embedded, and no font is shipped. The same statement gives the same bytes.
"""

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from papergate.errors import OptionsError
from papergate.reports.statement import Deployment, Statement
from papergate.run_folder.notes import note
from papergate.words import worded

LATIN, CHINESE = "Helvetica", "STSong-Light"
INK, SOFT, LINE = "#1b1f24", "#5b6470", "#dde1e6"
ASCII = re.compile(r"[!-~](?:[ -~]*[!-~])?")
"""What a Chinese font would set too tight."""
MARGIN = 45
"""Points, 16 mm."""
WIDTHS = (13, 10, 10, 9, 17, 13, 13, 15)
"""Shares of the width, in hundredths, by column."""


def pdf(statement: Statement) -> bytes:
    """The bytes of the page.

    Raises:
        OptionsError: reportlab is not installed.
    """
    try:
        from reportlab.lib.pagesizes import A4
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont
        from reportlab.platypus import SimpleDocTemplate
    except ImportError as error:
        raise worded(OptionsError, note("pdf_needs_reportlab")) from error
    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
    target = BytesIO()
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), MARGIN)
    document = SimpleDocTemplate(target, pagesize=A4, title=statement.title, invariant=1, **margins)
    document.build([*_parts(statement, document.width)])
    return target.getvalue()


def _parts(statement: Statement, width: float) -> Iterator[Any]:
    from reportlab.platypus import Spacer

    yield _text(statement.title, size=16, after=8)
    for deployment in statement.deployments:
        yield _facts(deployment, width)
        yield Spacer(0, 8)
        yield _table([statement.columns, *deployment.rows], [share * width / 100 for share in WIDTHS], header=True)
        yield Spacer(0, 10)
    for title, texts in ((statement.waivers_title, statement.waivers), (statement.evidence_title, statement.evidence)):
        yield _text(title, size=11, after=3)
        yield from (_text(one, size=8, after=3) for one in texts)


def _facts(deployment: Deployment, width: float) -> Any:  # noqa: ANN401 - reportlab has no types
    return _table(deployment.facts, [0.2 * width, 0.8 * width], header=False)


def _table(rows: Sequence[Sequence[str]], widths: Sequence[float], *, header: bool) -> Any:  # noqa: ANN401
    from reportlab.platypus import Table, TableStyle

    cells = [
        [_text(cell, size=8, colour=SOFT if header and not number else INK) for cell in row]
        for number, row in enumerate(rows)
    ]
    style = [("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    return Table(cells, colWidths=widths, style=TableStyle(style), hAlign="LEFT", repeatRows=int(header))


def _text(text: str, *, size: float, after: float = 0, colour: str = INK) -> Any:  # noqa: ANN401
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    latin = text.encode("cp1252", "ignore").decode("cp1252") == text  # what the PDF's own fonts can show
    style = ParagraphStyle(
        "text",
        fontName=LATIN if latin else CHINESE,
        fontSize=size,
        leading=1.35 * size,
        spaceAfter=after,
        textColor=colour,
        wordWrap=None if latin else "CJK",
        splitLongWords=True,
    )
    marked = escape(text)
    return Paragraph(marked if latin else ASCII.sub(rf'<font name="{LATIN}">\g<0></font>', marked), style)
