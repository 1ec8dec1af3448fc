"""What stands between a server and the figures of a run: a gateway that holds chunks back, a limit, a missing count."""

from collections.abc import Iterator
from itertools import pairwise
from statistics import fmean, median

from papergate.performance.records import LoadRun, TimedRequest, TokenSource
from papergate.run_folder.notes import Note, note

FEWEST_TOKENS = 16
"""Of an output, for its chunks to tell how they came."""
HELD_BACK = 0.05
"""Share of a request's time within which all its text came: what streams takes most of the time."""
FEWEST_HELD = 0.5
"""Share of the requests that must look so."""
TOGETHER_S = 0.001
"""Gap between chunks that came together: no server of today draws a token for one request so fast."""
BURSTS = 0.5
"""Share of all gaps that are so short."""
PACKED = 4.0
"""Tokens for each chunk; servers that draw ahead send up to four."""
AT_ONCE = 0.75
"""Share of the requests in flight that must be answered at once."""


def causes_of_figures(run: LoadRun, *, concurrency: int | None) -> tuple[Note, ...]:
    """What a reader must know of how the answers came; empty where nothing stood between.

    Args:
        run: One run of a workload.
        concurrency: Requests in flight of a closed loop; None of an open one.
    """
    long = [each for each in run.answered if len(each.chunks_s) > 1 and (each.output_tokens or 0) >= FEWEST_TOKENS]
    return (*_held_back(run.answered), *_bursts(long), *_limit(run, concurrency), *_uncounted(run))


def _held_back(answered: tuple[TimedRequest, ...]) -> Iterator[Note]:
    """Whole answers that came at their end: TTFT is then e2e, and ITL nothing."""
    known = [each for each in answered if each.chunks_s and (each.output_tokens or 0) >= FEWEST_TOKENS]
    held = [each for each in known if _written_s(each) < HELD_BACK * _taken_s(each)]
    if known and len(held) >= FEWEST_HELD * len(known):
        yield note("speed_held_back", count=len(held), of=len(known))


def _bursts(long: list[TimedRequest]) -> Iterator[Note]:
    """Chunks that wait for each other, or hold many tokens: ITL is then a gateway's, and TPOT the server's."""
    streamed = [each for each in long if _written_s(each) >= HELD_BACK * _taken_s(each)]
    gaps = [after - before for each in streamed for before, after in pairwise(each.chunks_s)]
    if not gaps:
        return
    packed = median([(each.output_tokens or 0) / len(each.chunks_s) for each in streamed])
    together = sum(gap < TOGETHER_S for gap in gaps) / len(gaps)
    if together > BURSTS or packed > PACKED:
        yield note("speed_bursts", percent=round(100 * together), tokens_per_chunk=round(packed, 1))


def _limit(run: LoadRun, concurrency: int | None) -> Iterator[Note]:
    """Fewer answers under way at once than requests: a limit of the server, a gateway, or this machine."""
    streams = [(each.chunks_s[0], each.chunks_s[-1]) for each in run.answered if len(each.chunks_s) > 1]
    if concurrency is None or len(streams) < 2 * concurrency or concurrency == 1:
        return
    most = max(sum(begun <= at < ended for begun, ended in streams) for at, _ in streams)
    waited = fmean(_first_s(each) / _taken_s(each) for each in run.answered if each.chunks_s)
    if most < AT_ONCE * concurrency and waited > 1 - AT_ONCE:
        yield note("speed_limit", most=most, asked=concurrency)


def _uncounted(run: LoadRun) -> Iterator[Note]:
    """Answers whose tokens the server did not count."""
    by = {source: sum(each.tokens_from is source for each in run.answered) for source in TokenSource}
    if by[TokenSource.UNKNOWN]:
        yield note("speed_not_counted", count=by[TokenSource.UNKNOWN], of=len(run.answered))
    elif by[TokenSource.TOKENIZER]:
        yield note("speed_counted_by_tokenizer", count=by[TokenSource.TOKENIZER], of=len(run.answered))


def _written_s(request: TimedRequest) -> float:
    """From the first chunk to the last."""
    return request.chunks_s[-1] - request.chunks_s[0]


def _first_s(request: TimedRequest) -> float:
    return request.chunks_s[0] - request.sent_s


def _taken_s(request: TimedRequest) -> float:
    return max((request.last_s or request.chunks_s[-1]) - request.sent_s, TOGETHER_S)
