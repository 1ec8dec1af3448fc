"""The whole flow, from options to verdicts and files, in one call; what every front end does.

    from papergate.acceptance.options import Options
    from papergate.gate import gate

    ended = gate(Options(endpoints=("http://host:8000",), model="r1"), targets=["a100"])
    print(ended.passed, ended.folder)

`papergate.acceptance.gate.Gate` is the same for a caller that goes through the promises itself, as pytest does.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from papergate.acceptance.drifting import Making, find_drift, keep_drift, make_golden, read_golden_answers
from papergate.acceptance.flow import Show, silently
from papergate.acceptance.gate import Gate
from papergate.acceptance.options import Options
from papergate.acceptance.preflights import Preflights
from papergate.acceptance.preparing import Benchmarks, prepare
from papergate.acceptance.rejudge import rejudge_run
from papergate.acceptance.selection import Selection, Setup, read_setup, select
from papergate.completions.merging import merge_runs, refuse_others
from papergate.engines import Engine
from papergate.engines.held import Engines
from papergate.engines.start import start
from papergate.errors import OptionsError, PapergateError, StoreError
from papergate.exit_codes import ExitCode, exit_code_of
from papergate.promises import Fleet, Promise
from papergate.reports.run import write_run_page
from papergate.reports.table import Line
from papergate.run_folder.drift import DriftRecord
from papergate.run_folder.files import give_room, new_run, promise_folders, servers_folder
from papergate.run_folder.golden_answers import GoldenAnswers
from papergate.run_folder.history import forget_verdict
from papergate.run_folder.notes import note
from papergate.run_folder.preflight import PreflightRecord
from papergate.run_folder.sums import root_of, sums_of
from papergate.words import Language, explain, say, worded

NO_FLEET: Mapping[str, str] = MappingProxyType({})
NONE_REFUSED: Mapping[str, StoreError] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a session ended."""

    folder: Path
    lines: tuple[Line, ...]
    """Each promise that was tested: its record, or the error that left it without one."""
    selection: Selection = field(default_factory=lambda: Selection(promises=(), left_out={}))
    page_error: str = ""
    """Why there is no page; empty where there is one."""

    @property
    def passed(self) -> bool:
        """Whether every promise that was tested is kept, or its shard complete, and there is at least one."""
        return bool(self.lines) and self.exit_code is ExitCode.KEPT and not any(line.is_trial for line in self.lines)

    @property
    def exit_code(self) -> ExitCode:
        """What a command says of it by its exit status."""
        if not self.lines:
            return ExitCode.NOTHING_SELECTED
        ends = {line.verdict for line in self.lines if not (line.asked or (line.record and not line.record.breaks))}
        return exit_code_of(ends | ({"error"} if self.page_error else set()))


def gate(
    options: Options,
    *,
    targets: Collection[str] = (),
    wanted: Callable[[Promise], bool] = lambda _: True,
    show: Show = silently,
) -> Ended:
    """Test promises, one after another, and leave records and page in the run folder.

    Args:
        options: What the user asked for.
        targets: Targets that are demanded: what they promise is tested or is an error. Without any, all is tested that
            can be on this machine.
        wanted: Which of these promises; all by default.
        show: Shows the progress of a promise.

    Raises:
        PapergateError: a file or an option is wrong, so that nothing can be tested. What goes wrong with one promise
            is in its line, and the others are tested nonetheless.
    """
    setup = read_setup(options)
    candidates = [each for each in setup.promises if (not targets or each.target in targets) and wanted(each)]
    selection = select(setup, candidates, demanded=targets)
    run = (options.run or new_run()).absolute()
    with engines_of(options, run) as engines:
        session = Gate(setup, engines, run, promises=len(selection.promises))
        lines = tuple(_line(session, promise, show, options.language) for promise in selection.promises)
    give_room(run)
    page_error = "" if options.shard else _page_error(run, lines, options.language)
    return Ended(folder=run, lines=lines, selection=selection, page_error=page_error)


def preflights(options: Options, *, targets: Collection[str], show: Show = silently) -> tuple[PreflightRecord, ...]:
    """Check each server that the promises of ``targets`` are about, and ask nothing else; a record is not kept.

    Raises:
        PapergateError: a file or an option is wrong, or a server cannot be started or reached.
    """
    setup = read_setup(options)
    held, benchmarks = Preflights(options.language), Benchmarks(setup.benchmarks, options.data)
    for promise, engine in _deployments(setup, targets, (options.run or new_run()).absolute()):
        held.look(prepare(promise, setup, benchmarks), engine, show)
    return held.records


def drifts(options: Options, *, targets: Collection[str]) -> tuple[tuple[Path, DriftRecord], ...]:
    """Hold each deployment of ``targets`` against the golden answers in ``options.golden``; records and their folders.

    Raises:
        PapergateError: a file or an option is wrong, or an engine cannot be started or reached.
    """
    if options.golden is None:
        raise worded(OptionsError, note("drift_without_golden"))
    golden, run = read_golden_answers(options.golden), (options.run or new_run()).absolute()
    found = []
    for promise, engine in _deployments(read_setup(options), targets, run):
        record, folder = find_drift(promise, golden, engine), run / promise.deployed
        keep_drift(record, folder)
        found.append((folder, record))
    return tuple(found)


def golden_made(options: Options, *, target: str, making: Making, say_so: Callable[[str], None]) -> GoldenAnswers:
    """Make golden answers of the one deployment of ``target``.

    Raises:
        PapergateError: it has several or none, or does not tell what is needed.
    """
    setup = read_setup(options)
    of_target = {promise.deployed for promise in setup.promises if promise.target == target}
    if len(of_target) != 1:
        named = ", ".join(sorted(of_target)) or "none"
        raise worded(OptionsError, note("golden_answers_of_several", target=target, names=named))
    for promise, engine in _deployments(setup, [target], (options.run or new_run()).absolute()):
        return make_golden(promise, setup, engine, making, say_so)
    raise worded(OptionsError, note("not_asked_here", target=target))


def _deployments(setup: Setup, targets: Collection[str], run: Path) -> Iterator[tuple[Promise, Engine]]:
    """One promise of each deployment, and the engine that answers for it; it ends when the next is asked for."""
    candidates = [each for each in setup.promises if each.target in targets]
    selection = select(setup, candidates, demanded=targets)
    with engines_of(setup.options, run) as engines:
        for promise in {promise.deployed: promise for promise in reversed(selection.promises)}.values():
            yield promise, engines.start(promise)


def engines_of(options: Options, run: Path, *, owner: int | None = None) -> Engines:
    """The engines of a session, as the options say; ``owner`` is the process whose end ends their servers."""
    starting = partial(
        start,
        endpoints=options.endpoints,
        ray=options.ray,
        ca_file=options.ca_file,
        model=options.model,
        servers=servers_folder(run),
        owner=owner,
    )
    return Engines(starting)


def judge_again(run: Path, options: Options) -> Ended:
    """Judge what a stored run holds, offline; an error replaces neither a record nor the page.

    Raises:
        PapergateError: a file or an option is wrong, or ``run`` holds no completions.
    """
    return _judged_again(run, read_setup(options))


def _judged_again(
    run: Path,
    setup: Setup,
    *,
    merged: bool = False,
    fleet: Mapping[str, str] = NO_FLEET,
    refused: Mapping[str, StoreError] = NONE_REFUSED,
) -> Ended:
    """Judge ``run``; of one that was ``merged`` just now no page tells yet, so that errors stand on its page too.

    A verdict that was copied tells how to judge; where that fails, the merged run has none.

    ``fleet`` has the protocol of each promise that the run must hold: one that it does not hold is an error, for the
    reason in ``refused`` where there is one.

    Raises:
        StoreError: ``run`` holds no completions.
    """
    family = sum(protocol == "paper" for protocol in fleet.values())
    found = rejudge_run(run, setup, family=family or None)
    lines = tuple(Line(promise=each.promise, record=each.record, error=each.error) for each in found)
    held = {line.promise for line in lines}
    language = setup.options.language
    never_came = say(note("never_came"), language)
    absent = [
        Line(promise=one, error=explain(refused[one], language) if one in refused else never_came)
        for one in fleet
        if one not in held
    ]
    judged = [line for line in lines if line.record]
    for line in lines:
        if merged and not line.record:
            forget_verdict(run / line.promise)
    give_room(run)
    page_error = _page_error(run, [*(lines if merged else judged), *absent], language) if judged else ""
    return Ended(folder=run, lines=(*lines, *absent), page_error=page_error)


def merge(runs: Sequence[Path], into: Path, options: Options) -> Ended:
    """Join the shards of a run, asked on many machines, into the run folder ``into``, and judge it as one run.

    Raises:
        PapergateError: a file or an option is wrong, or the runs are not all parts of one run; nothing is made then.
    """
    setup = read_setup(options)
    merge_runs(runs, into)
    return _judged_again(into, setup, merged=True)


def merge_fleet(runs: Sequence[Path], into: Path, options: Options, fleet: Fleet) -> Ended:
    """Join the runs of all jobs of ``fleet`` and judge their promises as one family (Holm).

    A promise whose job never reported, or whose shards cannot be joined, is an error in its line; others are judged.

    Raises:
        PapergateError: a file or an option is wrong, no run can be read, or one holds a promise that the fleet does not
            name, or under another protocol.
    """
    setup = read_setup(replace(options, holm=True))
    expected = fleet.expand(setup.promises)
    refuse_others(runs, expected)
    refused = merge_runs(runs, into, each=True)
    return _judged_again(into, setup, merged=True, fleet=expected, refused=refused)


def _line(session: Gate, promise: Promise, show: Show, language: Language) -> Line:
    try:
        if session.shard:
            return Line(promise=promise.id, asked=say(session.ask(promise, show).note, language))
        return Line(promise=promise.id, record=session.test(promise, show).record)
    except PapergateError as error:
        return Line(promise=promise.id, error=explain(error, language))


def _page_error(run: Path, lines: Collection[Line], language: Language) -> str:
    try:
        root = root_of(sums_of(run)) if promise_folders(run) else ""
        write_run_page(run, [*lines], language=language, root=root)
    except StoreError as error:
        return str(error)
    return ""
