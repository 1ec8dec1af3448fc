"""The HTML page: one file that asks nothing of any server; the texts of answers lie in a folder beside it."""

import base64
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from papergate import __version__
from papergate.diagnosis.kinds import Kind
from papergate.errors import StoreError
from papergate.files import reason
from papergate.printable import UNPRINTABLE, printable
from papergate.reports.answers import LETTERS, LOOKS, Ended
from papergate.reports.family import family_of, standing
from papergate.reports.pictures import pictures_of, sweep_pictures
from papergate.reports.promise import Told, told
from papergate.reports.said import Said, both, joined, noted, plain
from papergate.reports.speed import (
    Speed,
    client_words,
    duration,
    latency_rows,
    load_words,
    measured_words,
    number,
    rate_rows,
    times_words,
)
from papergate.reports.transcripts import write_transcripts
from papergate.run_folder.files import PAGE_FILE, TRANSCRIPTS_FOLDER, write_text
from papergate.run_folder.verdict import VerdictRecord
from papergate.scoring import Outcome
from papergate.thoughts import KNOWN_MARKS
from papergate.words import LANGUAGES, Language, label

TEMPLATE = "page.html.jinja"
OF_SCRIPT = (
    *(f"ended_{ended}" for ended in Ended),
    *(f"outcome_{outcome}" for outcome in Outcome),
    *(f"filter_{name}" for name in ("all", "wrong", "cut", "loops", "moved", "open")),
    *(f"texts_{what}" for what in ("missing", "of_another_run", "damaged", "withheld")),
    *Kind,
    *("answers_of", "answers", "answer", "filter", "search", "search_hint", "search_texts", "searched", "previous"),
    *(
        "next",
        "close",
        "listed",
        "nothing_listed",
        "loading",
        "question_not_kept",
        "this_run",
        "golden_run",
        "question",
    ),
    *("problem_rates", "never_came", "error", "grade", "not_graded", "extracted", "gold", "rule", "class", "tokens"),
    *("finish", "endpoint", "model_named", "seed", "seconds", "whole_text", "thought", "answer_after_thought"),
)
"""Labels that the page's script uses."""
IN_SCRIPTS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""Letters that mean something to HTML, or to old readers of scripts, as JSON may write them."""


class TextsMissing(StoreError):
    """The page was written, and not all texts beside it."""


def write_page(
    records: Sequence[VerdictRecord],
    errors: Sequence[tuple[str, str]],
    folder: Path,
    speeds: Sequence[Speed] = (),
    *,
    language: Language = "en",
    root: str = "",
) -> Path:
    """Write the page of a run (verdicts, promises of this session that got none, workloads) and the texts beside it.

    A record of a promise that is among the errors is shown as the verdict of an earlier session. The page holds every
    language; ``language`` is the one that it opens in. ``root`` is that of the run's evidence, see
    `papergate.run_folder.sums`; empty where it is not told.

    Raises:
        OSError: the disk refused; an earlier page stays.
        TextsMissing: the disk took the page, and not all texts; the page says that they are missing.
    """
    broken = {promise for promise, _ in errors}
    judged = [record for record in records if record.promise not in broken]
    promises = [*told(folder, records, broken, standing(judged))]
    heading = _heading(records, errors, speeds)
    style, script = resource("page.css"), resource("page.js")
    html = template_named(TEMPLATE).render(
        language=language,
        promises=promises,
        records=records,
        errors=[(promise, message) for promise, message in errors],
        heading=heading,
        counts=_counts(records, errors),
        speeds=speeds,
        sweeps=sweep_pictures([speed.figures for speed in speeds if speed.figures]),
        family=noted(family.note) if (family := family_of(judged)) else None,
        version=__version__,
        root=root,
        made=time.strftime("%Y-%m-%d %H:%M %Z"),
        style=_markup(style),
        script=_markup(script),
        data=_markup(_json(_data(promises, heading))),
        policy=_policy(style, script),
    )
    write_text(folder / PAGE_FILE, html)
    _write_texts(folder, promises)
    return folder / PAGE_FILE


def _write_texts(folder: Path, promises: Sequence[Told]) -> None:
    try:
        for promise in promises:
            if promise.answers:
                write_transcripts(folder, promise.record, promise.answers, promise.golden)
    except OSError as error:
        raise TextsMissing(
            f"{folder / PAGE_FILE} stands without the texts of its answers, which cannot be written: {reason(error)}; "
            f"make room, then type the same command with --run={folder}"
        ) from error


def template_named(name: str) -> Any:  # noqa: ANN401 - jinja2 is imported where it is used
    """A template of this folder, with all that the templates may call."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # autoescape: completions and server errors are other people's text
    environment = Environment(
        loader=PackageLoader("papergate.reports", "."), autoescape=True, undefined=StrictUndefined, finalize=_shown
    )
    environment.filters |= FILTERS
    environment.globals |= {"t": _t, "t_text": both}
    return environment.get_template(name)


def _t(name: str, /, **values: object) -> object:
    return both(name, **values).html


def _markup(text: str) -> object:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - our own files, and JSON without a letter of HTML


def resource(name: str) -> str:
    """A file that stands beside this module."""
    return files("papergate.reports").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """What the page may do: its own style and script, and the scripts that this one loads; nothing else, anywhere."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}' 'strict-dynamic'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _json(value: object) -> str:
    """JSON that may stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return "".join(IN_SCRIPTS.get(letter, letter) for letter in text)


def _data(promises: Sequence[Told], heading: Said) -> dict[str, Any]:
    return {
        "promises": [promise.data for promise in promises],
        "letters": {letter: str(ended) for ended, letter in LETTERS.items()},
        "looks": {letter: kind for kind, letter in LOOKS.items()},
        "folder": TRANSCRIPTS_FOLDER,
        "marks": sorted({marks.closes for marks in KNOWN_MARKS}),
        "unprintable": _for_script(UNPRINTABLE.pattern),
        "titles": {language: f"papergate: {heading.texts[language]}" for language in LANGUAGES},
        "labels": {language: {name: label(name, language) for name in OF_SCRIPT} for language in LANGUAGES},
    }


def _for_script(pattern: str) -> str:
    """A class of letters as a regular expression of JavaScript writes it."""
    return "".join(f"\\u{{{ord(letter):x}}}" if letter not in "[]-" else letter for letter in pattern)


def _shown(value: object) -> object:
    """Every value that the page shows, as it may be shown; finished markup stays."""
    return printable(value) if type(value) is str else value


def _counts(records: Sequence[VerdictRecord], errors: Sequence[tuple[str, str]]) -> dict[str, int]:
    """How many promises ended in which way; each counts once."""
    broken = {promise for promise, _ in errors}
    ended = [record.verdict for record in records if record.promise not in broken] + ["error"] * len(broken)
    counts = {name: ended.count(name) for name in ("pass", "fail", "inconclusive", "trial", "error")}
    return {name: count for name, count in counts.items() if count}


def _heading(records: Sequence[VerdictRecord], errors: Sequence[tuple[str, str]], speeds: Sequence[Speed]) -> Said:
    """What the page is about: promises where there are any, else speed."""
    if counts := _counts(records, errors):
        ended = [both("counted", n=count, what=both(f"count_{name}")) for name, count in counts.items()]
        return joined(both("promises_counted", n=sum(counts.values())), *ended)
    models = sorted({speed.record.model for speed in speeds if speed.record})
    return both("heading_speed", models=plain(", ".join(models)) if models else both("nothing_measured"))


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.2f}"


def _grouped(number: float | None) -> str:
    return "-" if number is None else f"{number:,.0f}"


FILTERS: Mapping[str, Any] = {
    "percent": _percent,
    "points": _points,
    "grouped": _grouped,
    "duration": duration,
    "number": number,
    "latency_rows": latency_rows,
    "rate_rows": rate_rows,
    "load_words": load_words,
    "measured_words": measured_words,
    "client_words": client_words,
    "times_words": times_words,
    "pictures_of": pictures_of,
    "noted": noted,
}
"""What the templates may call."""
