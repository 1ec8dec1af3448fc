"""What the user asks for: one frozen record, whatever the front end it comes from."""

import argparse
import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from papergate.acceptance.crew import shard_folder
from papergate.acceptance.terms import ProtocolName
from papergate.completions.policy import NO_PROGRESS_S
from papergate.completions.shard import Shard
from papergate.endpoints.address import root_of
from papergate.errors import EngineRefused, OptionsError
from papergate.promises.tool import GraderMode
from papergate.run_folder.notes import note
from papergate.statistics.budget import Budget
from papergate.statistics.looks import LOOKS
from papergate.words import LANGUAGES, VARIABLE, Language, language_of, note_of, worded

TRIAL_PROBLEMS, TRIAL_SAMPLES = 2, 1
"""Of a trial: few enough for minutes, and two, as one answer may be cut by chance."""
MOST_SAMPLES = 10_000
"""Of a problem; every request is listed before the first is sent."""
WAIT_S = NO_PROGRESS_S
"""Silence after which a shard or a coordinator is given up: as long as one answer may take, and half an hour."""
NAMES_AND_PLACES = (
    *("--data", "--predictions", "--targets", "--golden", "--run", "--ca-file"),
    *("--model", "--gain-over", "--endpoint", "--ray"),
)
"""Options whose texts are repeated in reports."""
UNSHOWN = {"Cc", "Cs"}
"""Control characters, and the half surrogates that stand for bytes which are no UTF-8."""
Given = Callable[[str], Any]
"""The value of an option by its name, ``--samples`` for example; None or empty where it is not given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What the user asked for; the defaults are those of the command line."""

    endpoints: tuple[str, ...] = ()
    ray: str = ""
    """Dashboard of a Ray cluster, ``#NAME`` after it where an application is named."""
    ca_file: Path | None = None
    model: str | None = None
    predictions: Path | None = None
    thoughts_stripped: bool = False
    data: dict[str, Path] = field(default_factory=dict)
    targets: tuple[Path, ...] = ()
    protocol: ProtocolName = "paper"
    samples: int | None = None
    max_samples: int = LOOKS[-1]
    budget: Budget = field(default_factory=Budget)
    holm: bool = False
    limit: int | None = None
    trial: bool = False
    golden: Path | None = None
    gain_over: str | None = None
    """Model that a gain is promised over, asked first; a name that the endpoint serves, a folder or a hub id."""
    policy: Path | None = None
    """Which promises gate, and which are waived."""
    grader: GraderMode | None = None
    """None: papergate's own, or under the `vendor` protocol that of the document's tool."""
    letter: bool = False
    """Under the `vendor` protocol: the tool's transport too - no stream, its batches, its number of attempts."""
    concurrency: int | None = None
    preflight: bool = True
    run_seed: int = 0
    shard: Shard | None = None
    coordinate: Path | None = None
    """Folder that shards and their coordinator share."""
    shards: int = 0
    """How many shards this session coordinates."""
    wait_s: float = WAIT_S
    run: Path | None = None
    language: Language = "en"
    """Of the sentences in terminal and JUnit; the page has every language."""

    @property
    def attached(self) -> tuple[str, ...]:
        """Addresses of what runs already; none where the engine is started or loaded here."""
        return (*self.endpoints, self.ray) if self.ray else self.endpoints

    @property
    def coordinates(self) -> bool:
        """Whether this session judges what shards ask elsewhere."""
        return self.coordinate is not None and self.shard is None

    @property
    def rules(self) -> str:
        """Whose rules grade, in a word or two."""
        return self.grader or ("of the document" if self.protocol == "vendor" else "strict")


def add_options(add: Callable[..., object]) -> None:
    """Declare every option of the gate; ``add`` is `argparse`'s ``add_argument`` or one of the same form."""
    add("--endpoint", action="append", default=[], metavar="URL", help="attach to a running server; repeat for several")
    add("--ray", metavar="URL", help="attach to, or deploy on, the Ray cluster of this dashboard; URL#APPLICATION")
    add("--ca-file", metavar="FILE", help="certificates (PEM) to trust for https endpoints, in place of the system's")
    add("--model", metavar="NAME", help="name the endpoint serves, a folder of weights, or the model of --predictions")
    add("--predictions", metavar="LOG", help="grade stored completions, a file or folder, instead of asking")
    add("--thoughts-stripped", action="store_true", help="texts of --predictions hold no thoughts: grade them whole")
    add(
        "--protocol",
        choices=["paper", "vendor"],
        help="paper: mean of k samples; vendor: their one run (default paper)",
    )
    add("--letter", action="store_true", help="with --protocol vendor: the tool's transport too (no stream, batches)")
    add("--samples", type=int, metavar="K", help="samples per problem, fixed; default: as many as the verdict needs")
    add("--max-samples", type=int, metavar="K", help="most samples per problem (default 64)")
    add("--budget-tokens", type=int, metavar="N", help="most output tokens of a promise, looked at before each look")
    add(
        "--budget-hours", type=float, metavar="H", help="most hours of asking for a promise, looked at before each look"
    )
    add("--holm", action="store_true", help="a failure must be sure among all selected promises together (Holm)")
    add("--gain-over", metavar="MODEL", help="test gains alone: ask their base first, its name or folder of weights")
    add("--trial", action="store_true", help="try the set-up on 2 problems; green where it works, no verdict")
    add("--limit", type=int, metavar="N", help="first N problems only: a part, which cannot pass")
    add("--concurrency", type=int, metavar="N", help="requests in flight; default: what serves the engine best")
    add("--no-preflight", action="store_true", help="ask without checking the server first; the report says so")
    add("--run-seed", type=int, metavar="N", help="seed of all samples (default 0)")
    add("--shard", metavar="I/N", help="ask part I of N (0 to N-1) only; auto, auto/N: as the scheduler says")
    add("--coordinate", metavar="DIR", help="shared folder: with --shard ask look by look, else judge the shards there")
    add("--shards", type=int, metavar="N", help="how many shards --coordinate judges")
    add("--wait-hours", type=float, metavar="H", help="longest silence of others with --coordinate (default 2.5)")
    add("--run", metavar="DIR", help="folder of the run: a new one is made, an old one is resumed")
    add_judging_options(add)


def add_judging_options(add: Callable[..., object]) -> None:
    """Declare those of the options that judging a stored run takes too."""
    add(
        "--data",
        action="append",
        default=[],
        metavar="BENCHMARK=FILE",
        help="local copy of a benchmark, e.g. math500=F",
    )
    add("--targets", action="append", default=[], metavar="DIR", help="folder with targets of your own (*.toml)")
    add("--policy", metavar="FILE", help="policy.toml: which promises must be kept, and which are waived until when")
    add("--golden", metavar="RUN", help="stored run of a trusted platform as the reference, in place of the paper")
    add("--grader", choices=get_args(GraderMode), help="whose rules grade; default: strict, with vendor the document's")
    add_language_option(add)


def add_language_option(add: Callable[..., object]) -> None:
    """Declare the option of everything that judges or checks."""
    add("--language", choices=[*LANGUAGES], help=f"of sentences in terminal and JUnit; default: {VARIABLE}, else en")


def options_of(get: Given) -> Options:
    """The options as they were given.

    Raises:
        OptionsError: one cannot mean anything, or two contradict each other.
    """
    _refuse_numbers(get)
    _refuse_odd_names(get)
    _refuse_places(get)
    _refuse_no_addresses("--endpoint", *(get("--endpoint") or ()))
    _refuse_no_addresses("--ray", *_dashboards(get))
    _refuse_bounds_of_one_look(get)
    _refuse_shards_without_plan(get)
    _refuse_coordinating(get)
    _refuse_gain_without_run(get)
    shard = Shard.of(get("--shard"), os.environ) if get("--shard") else None
    trial = bool(get("--trial"))
    return Options(
        endpoints=tuple(get("--endpoint") or ()),
        ray=get("--ray") or "",
        ca_file=_path(get("--ca-file")),
        model=get("--model"),
        predictions=_path(get("--predictions")),
        thoughts_stripped=bool(get("--thoughts-stripped")),
        data=dict(_data(entry) for entry in get("--data") or ()),
        targets=tuple(Path(folder) for folder in get("--targets") or ()),
        protocol=get("--protocol") or "paper",
        samples=get("--samples") or (TRIAL_SAMPLES if trial else None),
        max_samples=get("--max-samples") or LOOKS[-1],
        budget=Budget(tokens=get("--budget-tokens"), hours=get("--budget-hours")),
        holm=bool(get("--holm")),
        limit=get("--limit") or (TRIAL_PROBLEMS if trial else None),
        trial=trial,
        golden=_path(get("--golden")),
        gain_over=get("--gain-over"),
        policy=_path(get("--policy")),
        grader=get("--grader"),
        letter=bool(get("--letter")),
        concurrency=get("--concurrency"),
        preflight=not get("--no-preflight"),
        run_seed=get("--run-seed") or 0,
        shard=shard,
        coordinate=_path(get("--coordinate")),
        shards=get("--shards") or 0,
        wait_s=3600 * get("--wait-hours") if get("--wait-hours") else WAIT_S,
        run=_run(get, shard),
        language=language_of(get("--language")),
    )


def options_in(args: argparse.Namespace, **others: str | None) -> Options:
    """The options among what a command parsed, and ``others`` by their names.

    Raises:
        OptionsError: one cannot mean anything.
    """
    said = {name: f"{value}" if isinstance(value, Path) else value for name, value in vars(args).items()}
    given = {f"--{name.replace('_', '-')}": value for name, value in (said | {"run": None} | others).items()}
    return options_of(given.get)


def refuse_not_above_zero(get: Given, *names: str) -> None:
    """Numbers that are given must be above 0.

    Raises:
        OptionsError: one is not.
    """
    for name in names:
        if (number := get(name)) is not None and not number > 0:
            raise worded(OptionsError, note("option_not_above_zero", option=name, number=number))


def _refuse_numbers(get: Given) -> None:
    for name in ("--samples", "--max-samples", "--limit", "--concurrency"):
        if (number := get(name)) is not None and number < 1:
            raise worded(OptionsError, note("option_not_counting", option=name, number=number))
    for name in ("--samples", "--max-samples"):
        if (get(name) or 0) > MOST_SAMPLES:
            raise worded(OptionsError, note("option_above_most", option=name, number=get(name), most=MOST_SAMPLES))
    refuse_not_above_zero(get, "--budget-tokens", "--budget-hours")


def _refuse_odd_names(get: Given) -> None:
    """What is repeated in reports must be text that they can hold."""
    for name in NAMES_AND_PLACES:
        values = [get(name)] if isinstance(get(name), str) else get(name) or ()
        for value in values:
            if any(unicodedata.category(letter) in UNSHOWN for letter in value):
                raise worded(OptionsError, note("option_unshown", option=name, value=value))


def _refuse_places(get: Given) -> None:
    """Files and folders that are given must be of the kind that is meant."""
    if get("--run") and not (there := _nearest(Path(get("--run")))).is_dir():
        about = {"place": f"{there}", "special": not there.is_file()}
        raise worded(OptionsError, note("run_no_folder", given=get("--run"), **about))
    if get("--ca-file") and not Path(get("--ca-file")).is_file():
        raise worded(OptionsError, note("ca_file_missing", file=get("--ca-file")))
    for name in ("--endpoint", "--ray"):
        if get(name) and get("--predictions"):
            raise worded(OptionsError, note("asks_and_reads", option=name))
    if get("--trial") and get("--predictions"):
        raise worded(OptionsError, note("trial_and_predictions"))
    if get("--golden") and not Path(get("--golden")).is_dir():
        raise worded(OptionsError, note("golden_no_folder", golden=get("--golden")))


def _refuse_no_addresses(option: str, *addresses: str) -> None:
    for address in addresses:
        try:
            root_of(address)
        except EngineRefused as error:
            raise worded(OptionsError, note("option_of", note_of(error), option=option)) from error


def _dashboards(get: Given) -> list[str]:
    """The dashboard that is given, without the name of an application."""
    return [get("--ray").partition("#")[0]] if get("--ray") else []


def _refuse_bounds_of_one_look(get: Given) -> None:
    """A budget and Holm need a verdict that can wait for further looks."""
    if get("--samples") and get("--max-samples"):
        raise worded(OptionsError, note("samples_and_most"))
    if get("--letter") and get("--protocol") != "vendor":
        raise worded(OptionsError, note("letter_without_vendor"))
    if get("--holm") and get("--protocol") == "vendor":
        raise worded(OptionsError, note("holm_of_vendor"))
    fixed = "--samples" if get("--samples") else "--predictions" if get("--predictions") else ""
    fixed = "--protocol vendor" if get("--protocol") == "vendor" else fixed
    if fixed and (get("--budget-tokens") or get("--budget-hours")):
        raise worded(OptionsError, note("budget_of_one_look", option=fixed))


def _refuse_shards_without_plan(get: Given) -> None:
    """A part of a run knows what to ask only where the whole is fixed; what judges belongs to the merge."""
    if not get("--shard"):
        return
    if not (get("--samples") or get("--coordinate") or get("--protocol") == "vendor"):
        raise worded(OptionsError, note("shard_without_plan"))
    for name in ("--holm", "--predictions", "--budget-tokens", "--budget-hours", "--shards"):
        if get(name):
            raise worded(OptionsError, note("shard_with_judging", option=name))


def _refuse_coordinating(get: Given) -> None:
    """A coordinator knows how many shards there are, and asks nothing itself."""
    refuse_not_above_zero(get, "--shards", "--wait-hours")
    if not get("--coordinate"):
        if given := [name for name in ("--shards", "--wait-hours") if get(name)]:
            raise worded(OptionsError, note("coordinating_without_folder", option=given[0]))
        return
    if not (get("--shard") or get("--shards")):
        raise worded(OptionsError, note("coordinate_alone"))
    for name in ("--predictions", *(() if get("--shard") else ("--endpoint", "--ray"))):
        if get(name):
            raise worded(OptionsError, note("coordinate_with_asking", option=name))


def _refuse_gain_without_run(get: Given) -> None:
    """A base is asked whole, in this session, and is the reference itself."""
    for name in ("--golden", "--predictions", "--shard", "--coordinate", "--limit", "--trial"):
        if get("--gain-over") and get(name):
            raise worded(OptionsError, note("gain_with_other_reference", option=name))


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest of its parents that exists."""
    return next(each for each in (path, *path.parents, Path()) if each.exists())


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _run(get: Given, shard: Shard | None) -> Path | None:
    """The folder that is given; a shard that is coordinated has its place."""
    if shard and get("--coordinate") and not get("--run"):
        return shard_folder(Path(get("--coordinate")), shard.index)
    return _path(get("--run"))


def _data(entry: str) -> tuple[str, Path]:
    name, separator, path = entry.partition("=")
    if not (name and separator and path):
        raise worded(OptionsError, note("data_unnamed", entry=entry))
    return name, Path(path)
