"""From a file or folder to the rows of its log: the layout is told from what the files hold, never from their names."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from papergate.engines.logs.aisbench import AISBENCH
from papergate.engines.logs.almost import how_to_fit
from papergate.engines.logs.evalchemy import EVALCHEMY
from papergate.engines.logs.evalscope import EVALSCOPE
from papergate.engines.logs.files import ENDINGS, read_source
from papergate.engines.logs.inspect_ai import INSPECT
from papergate.engines.logs.lighteval import LIGHTEVAL
from papergate.engines.logs.lm_eval import LM_EVAL
from papergate.engines.logs.nemo_skills import NEMO_SKILLS
from papergate.engines.logs.opencompass import OPENCOMPASS
from papergate.engines.logs.papergate_run import PAPERGATE
from papergate.engines.logs.plain import PLAIN
from papergate.engines.logs.qwen_math import QWEN_MATH
from papergate.engines.logs.qwq import QWQ
from papergate.engines.logs.rows import Layout, Row, Source, id_of_text, quotable
from papergate.engines.logs.simple_evals import SIMPLE_EVALS
from papergate.engines.logs.verifiers import VERIFIERS, VERIFIERS_TRACES
from papergate.errors import PredictionsError
from papergate.run_folder.notes import note
from papergate.words import worded

LAYOUTS = (
    PAPERGATE,
    AISBENCH,
    OPENCOMPASS,
    LM_EVAL,
    EVALSCOPE,
    LIGHTEVAL,
    NEMO_SKILLS,
    INSPECT,
    VERIFIERS,
    VERIFIERS_TRACES,
    SIMPLE_EVALS,
    EVALCHEMY,
    QWEN_MATH,
    QWQ,
    PLAIN,
)
"""The most particular first: rows of a tool may have an id and a text too."""
ACCEPTED = "".join(f"\n  - {layout.tool}: {layout.accepts}" for layout in LAYOUTS)
SCRATCH = "tmp"
"""What AISBench and OpenCompass call the files of a run that goes on."""


def read_log(path: Path) -> tuple[Row, ...]:
    """Every sample of the log at ``path``, a file or the folder of a run.

    Raises:
        PredictionsError: it is missing, empty, broken, in no known layout, or a folder of several logs.
    """
    if path.is_dir():
        folder = path.absolute()  # a tool's layout names the files beside one by their whole path
        return _one_log(_logs_in(folder), folder)
    source = read_source(path)
    layout = _layout_of(source)
    if layout is None:
        raise PredictionsError(f"{_seen(source)}; accepted are{ACCEPTED}{how_to_fit(source)}")
    return _rows(source, layout)


def _layout_of(source: Source) -> Layout | None:
    return next((layout for layout in LAYOUTS if _is_in(layout, source)), None)


def _is_in(layout: Layout, source: Source) -> bool:
    return layout.fits_whole(source.whole) or (bool(source.head) and layout.fits(source.head))


def _seen(source: Source) -> str:
    if not source.entries:
        return f"{source.path}: no completions in it"
    place, row = source.entries[0]
    return f"{place}: the columns {', '.join(row)}" if isinstance(row, dict) else f"{place}: {type(row).__name__}"


def _rows(source: Source, layout: Layout) -> tuple[Row, ...]:
    """The rows of the whole log that the file is a part of."""
    entry = layout.entry(source.path)
    if entry != source.path:
        return read_log(entry)
    try:
        rows = tuple(layout.rows(source))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        seen = {"tool": layout.tool, "kind": type(error).__name__, "error": f"{error}", "accepts": layout.accepts}
        raise worded(PredictionsError, note("log_of_other_shape", log=f"{source.path}", **seen)) from error
    if not rows:
        raise worded(PredictionsError, note("log_without_completions", log=f"{source.path}", accepts=layout.accepts))
    return rows


def _logs_in(folder: Path) -> dict[Path, tuple[Row, ...]]:
    """The logs in the folder of a run, by the file each starts from; its other files hold no samples."""
    logs: dict[Path, tuple[Row, ...]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name.endswith(ENDINGS) and not path.name.startswith(SCRATCH):
            source = read_source(path)
            layout = _layout_of(source)
            if layout and (entry := layout.entry(path)) not in logs:
                logs[entry] = _rows(source, layout)
    return logs


def _one_log(logs: Mapping[Path, tuple[Row, ...]], folder: Path) -> tuple[Row, ...]:
    """The rows of all ``logs``, which may share out the problems of a benchmark, but not have one in common.

    Files that each number their own rows are told apart by the problems' texts.
    """
    if not logs:
        raise worded(PredictionsError, note("folder_without_log", folder=f"{folder}", accepted=ACCEPTED))
    if len(logs) > 1:
        logs = {path: tuple(_of_part(row, path.relative_to(folder)) for row in rows) for path, rows in logs.items()}
    stated: dict[str, Path] = {}
    for path, rows in logs.items():
        for row in rows:
            if stated.setdefault(row.problem, path) != path:
                problem = quotable(row.problem)
                seen = {"problem": problem, "first": stated[row.problem], "log": f"{path}"}
                raise worded(PredictionsError, note("log_of_several_runs", folder=f"{folder}", **seen))
    return tuple(row for rows in logs.values() for row in rows)


def _of_part(row: Row, path: Path) -> Row:
    """The row as one of a part of a log; a number that counts within its file gives way to the problem's text."""
    problem = id_of_text(row.prompt) if row.prompt and row.problem.isdecimal() else row.problem
    return replace(row, problem=problem, part=row.part or str(path))
