"""papergate's own ``completions.jsonl``, as a run left it: the last answer counts, and a failure only where none came.

A run appends: a sample that failed and was asked again has two lines. The model's name is in ``manifest.json`` beside
the file.
"""

from collections.abc import Iterator

from papergate.engines.logs.files import json_of
from papergate.engines.logs.rows import Columns, Layout, Row, Source, sample_number
from papergate.engines.records import Finish
from papergate.errors import PredictionsError
from papergate.run_folder.files import COMPLETIONS_FILE, MANIFEST_FILE

COLUMNS = {"problem", "sample", "seed", "text", "finish", "attempts"}
ACCEPTS = f"{COMPLETIONS_FILE} of a run, lines of {{{', '.join(sorted(COLUMNS))}, ..}}"


def _fits(row: Columns) -> bool:
    return row.keys() >= COLUMNS


def _rows(source: Source) -> Iterator[Row]:
    manifest = json_of(source.path.with_name(MANIFEST_FILE))
    if shard := manifest.get("shard"):
        raise PredictionsError(f"{source.path} is shard {shard} of a run; join all of them first: papergate merge")
    model = str(manifest.get("model") or "")
    last: dict[tuple[str, int], Columns] = {}
    for place, row in source.columns():
        if not _fits(row):
            raise PredictionsError(f"{place} has the columns {', '.join(row)}; give {ACCEPTS}")
        key = str(row["problem"]), sample_number(row["sample"], place)
        if row["finish"] != Finish.FAILED or key not in last:
            last[key] = row
    for (problem, sample), row in last.items():
        finish, reason = _finish(row["finish"], problem), row.get("finish_reason")
        yield Row(
            problem=problem,
            sample=sample,
            text=None if finish is Finish.FAILED else str(row["text"]),
            finish=finish,
            finish_reason=str(reason) if reason else None,
            error=str(row.get("error") or ""),
            model=model,
        )


def _finish(found: object, problem: str) -> Finish:
    try:
        return Finish(str(found))
    except ValueError:
        raise PredictionsError(f"{problem}: finish {found!r} is none of {', '.join(Finish)}") from None


PAPERGATE = Layout(tool="papergate", accepts=ACCEPTS, fits=_fits, rows=_rows)
