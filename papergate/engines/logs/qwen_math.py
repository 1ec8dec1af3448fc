"""The harness of Qwen2.5-Math: ``SPLIT_PROMPT_-1_seed0_t0.6_s0_e-1.jsonl``, all samples of a problem in a line.

Whether the token limit ended a text is not written.
"""

from collections.abc import Iterator

from papergate.engines.logs.rows import Layout, Row, Source, holding, listed

ACCEPTS = "SPLIT_PROMPT_..jsonl, lines of {idx, question, gt, code}"
COLUMNS = {"idx", "gt", "code"}
_fits = holding(COLUMNS)


def _rows(source: Source) -> Iterator[Row]:
    for _, row in source.columns(_fits, ACCEPTS):
        for sample, text in enumerate(listed(row["code"])):
            yield Row(
                problem=str(row["idx"]),
                sample=sample,
                text=str(text),
                gold=str(row["gt"]),
                prompt=str(row.get("question") or ""),
            )


QWEN_MATH = Layout(tool="Qwen2.5-Math", accepts=ACCEPTS, fits=_fits, rows=_rows)
