"""Which rows are samples of one problem, where a log only numbers its rows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from papergate.errors import PredictionsError
from papergate.run_folder.notes import note
from papergate.words import worded


def problems_of(prompts: Iterable[tuple[int, str]], path: Path) -> dict[int, int]:
    """The number of the problem that each row asks about, by the number of the row.

    Tools that draw n samples repeat a problem in its place (rows 0 .. n-1 are problem 0) or the whole data (row m is
    problem 0 again). Which one it was shows in the prompts: rows are of one problem exactly where their prompts agree.

    Raises:
        PredictionsError: the prompts repeat in neither way, or one row has several.
    """
    rows = _rows_by_prompt(prompts)
    repeats = max(map(len, rows), default=1)
    gaps = [later - row for found in rows for row, later in pairwise(found)]
    in_place = {row: row // repeats for found in rows for row in found}
    in_turn = {row: row % min(gaps, default=row + 1) for row in in_place}
    for numbered in (in_place, in_turn):
        if _agree(numbered, rows):
            return numbered
    raise worded(PredictionsError, note("log_rows_ambiguous", log=f"{path}", repeats=repeats))


def _rows_by_prompt(prompts: Iterable[tuple[int, str]]) -> list[list[int]]:
    rows: dict[str, set[int]] = {}
    for row, prompt in prompts:
        rows.setdefault(prompt, set()).add(row)
    return [sorted(found) for found in rows.values()]


def _agree(numbered: Mapping[int, int], groups: Collection[Sequence[int]]) -> bool:
    """Whether the rows of a group have one number, and no two groups the same."""
    numbers = [{numbered[row] for row in group} for group in groups]
    return all(len(found) == 1 for found in numbers) and len(set().union(*numbers)) == len(groups)
