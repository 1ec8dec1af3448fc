"""Rows of a document that are means of others: reported beside the verdicts, judged by none."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

from papergate.promises import Promise
from papergate.run_folder.notes import Note, note
from papergate.run_folder.verdict import VerdictRecord


def averages_of(records: Iterable[VerdictRecord], promises: Sequence[Promise]) -> Iterator[Note]:
    """The unweighted means that the documents of the ``promises`` print, where all of their parts have been judged."""
    scores = {record.promise: record.judgement.score for record in records if not record.partial}
    for deployed, deployment in {promise.deployed: promise.deployment for promise in promises}.items():
        for average in deployment.averages:
            parts = [scores.get(f"{deployed}-{name}") for name in average.of]
            found = [score for score in parts if score is not None]
            if len(found) == len(parts):
                yield note(
                    "average",
                    title=average.title,
                    percent=100 * fmean(found),
                    stated=float(average.percent),
                    source=average.source,
                )
