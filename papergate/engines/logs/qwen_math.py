"""The harness of Qwen2.5-Math: ``SPLIT_PROMPT_-1_seed0_t0.6_s0_e-1.jsonl``, all samples of a problem in a line.

Whether the token limit ended a text is not written.
"""

from collections.abc import Iterator

from papergate.engines.logs.rows import Columns, Layout, Row, Source, listed
from papergate.errors import PredictionsError

ACCEPTS = "SPLIT_PROMPT_..jsonl, lines of {idx, question, gt, code}"
COLUMNS = {"idx", "gt", "code"}


def _fits(row: Columns) -> bool:
    return row.keys() >= COLUMNS


def _rows(source: Source) -> Iterator[Row]:
    for place, row in source.columns():
        if not _fits(row):
            raise PredictionsError(f"{place} has the columns {', '.join(row)}; give {ACCEPTS}")
        for sample, text in enumerate(listed(row["code"])):
            yield Row(
                problem=str(row["idx"]),
                sample=sample,
                text=str(text),
                gold=str(row["gt"]),
                prompt=str(row.get("question") or ""),
            )


QWEN_MATH = Layout(tool="Qwen2.5-Math", accepts=ACCEPTS, fits=_fits, rows=_rows)
