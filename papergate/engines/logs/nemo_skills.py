"""NeMo-Skills, and sgl-eval, which writes the same: ``output-rsN.jsonl``, a file for each seed, a line a problem.

Files of several seeds in one folder are samples of the same problems. ``generation`` is the answer; a thought stands in
front of it, or in ``reasoning_content`` or ``_full_generation`` where a parser took it apart. sgl-eval names the
model in ``metrics.json`` beside them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from papergate.engines.logs.files import json_of, read_source
from papergate.engines.logs.rows import Columns, Layout, Row, Source, holding, with_thought
from papergate.engines.records import Finish
from papergate.engines.remote.answer import FINISHES

ACCEPTS = "output-rsN.jsonl, lines of {generation, problem, expected_answer}"
COLUMNS = {"generation", "problem", "expected_answer"}
_fits = holding(COLUMNS)
SEED = re.compile(r"(.*)-rs(\d+)\.jsonl")


def _entry(path: Path) -> Path:
    return _seeds(path)[0]


def _seeds(path: Path) -> list[Path]:
    """The files of all seeds, in their order; a file without a seed stands alone."""
    match = SEED.fullmatch(path.name)
    if match is None:
        return [path]
    beside = (SEED.fullmatch(other.name) for other in path.parent.iterdir())
    numbers = sorted(int(other[2]) for other in beside if other and other[1] == match[1])
    return [path.with_name(f"{match[1]}-rs{number}.jsonl") for number in numbers]


def _rows(source: Source) -> Iterator[Row]:
    model = str(json_of(source.path.with_name("metrics.json")).get("model") or "")
    for sample, path in enumerate(_seeds(source.path)):
        for _, row in (source if path == source.path else read_source(path)).columns(_fits, ACCEPTS):
            yield _row(row, sample, model)


def _row(row: Columns, sample: int, model: str) -> Row:
    finish = FINISHES.get(str(row.get("finish_reason") or "stop").lower(), Finish.FAILED)
    failed = bool(row.get("error")) or row["generation"] is None or finish is Finish.FAILED
    text = row.get("_full_generation") or with_thought(str(row.get("reasoning_content") or ""), str(row["generation"]))
    return Row(
        problem=str(row.get("id", row.get("problem"))),
        sample=sample,
        text=None if failed else str(text),
        cut=finish is Finish.LENGTH,
        error=str(row.get("error") or f"finish {row.get('finish_reason')}") if failed else "",
        gold=str(row["expected_answer"]),
        model=model,
        prompt=str(row["problem"]),
    )


NEMO_SKILLS = Layout(tool="NeMo-Skills, sgl-eval", accepts=ACCEPTS, fits=_fits, rows=_rows, entry=_entry)
