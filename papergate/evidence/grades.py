"""Grades as a bundle states them beside those computed anew."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from papergate.completions.table import Key
from papergate.printable import one_line
from papergate.run_folder.notes import Note, note
from papergate.scoring import Grade

LIMIT = "limit"
"""What settles a comparison that a bound of time or memory ended: another machine may reach another grade."""

NAMED = 20
"""Samples that a note lists."""
SHOWN = 60
"""Letters of a value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """The samples whose grades are not the same twice."""

    stated: Mapping[Key, Grade]
    computed: Mapping[Key, Grade]
    wrong: tuple[Key, ...]
    """No grade of these completions."""
    limited: tuple[Key, ...]
    """Ended by a limit of time or memory, here or there."""
    withheld: tuple[Key, ...]
    """Of questions whose options are not here, so that an answer in their words could not be read."""

    @property
    def agreed(self) -> dict[Key, Grade]:
        """The computed grades, where they could be computed; else the stated ones."""
        apart = {key: self.stated[key] for key in (*self.limited, *self.withheld)}
        return {**self.computed, **apart}

    def contradictions(self) -> Iterator[Note]:
        """What no machine grades so."""
        if self.wrong:
            key = self.wrong[0]
            stated, computed = _told_apart(_whole(self.stated, key), _whole(self.computed, key))
            problem, sample = key
            named = {"problem": problem, "sample": sample, "stated": stated, "computed": computed}
            yield note("verify_grades_differ", count=len(self.wrong), **named)

    def gaps(self) -> Iterator[Note]:
        """What needs the benchmark's own file."""
        if self.withheld:
            yield note("verify_options_absent", count=len(self.withheld))

    def remarks(self) -> Iterator[Note]:
        """What a slower or faster machine may grade otherwise."""
        if self.limited:
            named = ", ".join(f"{problem} {sample}" for problem, sample in self.limited[:NAMED])
            yield note("verify_grades_limited", count=len(self.limited), samples=named)


def compare_grades(
    stated: Mapping[Key, Grade], computed: Mapping[Key, Grade], *, same_release: bool, options_known: bool
) -> Compared:
    """Hold ``stated`` against ``computed``; of another release only outcome and right answer are held."""
    held = _whole if same_release else _decided
    differ = [key for key in sorted(stated.keys() | computed.keys()) if held(stated, key) != held(computed, key)]
    both = [key for key in differ if key in stated and key in computed]
    limited = tuple(key for key in both if _limited(stated[key]) or _limited(computed[key]))
    withheld = () if options_known else tuple(key for key in both if key not in limited)
    apart = {*limited, *withheld}
    return Compared(
        stated=stated,
        computed=computed,
        wrong=tuple(key for key in differ if key not in apart),
        limited=limited,
        withheld=withheld,
    )


def _whole(grades: Mapping[Key, Grade], key: Key) -> dict[str, object] | None:
    return {**asdict(grades[key]), "seconds": None} if key in grades else None


def _decided(grades: Mapping[Key, Grade], key: Key) -> tuple[object, ...] | None:
    return (grades[key].outcome, grades[key].gold) if key in grades else None


def _limited(grade: Grade) -> bool:
    return grade.rule.rpartition("/")[2] == LIMIT


def _told_apart(stated: dict[str, object] | None, computed: dict[str, object] | None) -> tuple[str, str]:
    """The outcomes; where these are the same, the first field that is not."""
    pair = stated or {"outcome": "absent"}, computed or {"outcome": "absent"}
    name = next((name for name in pair[0] if name in pair[1] and pair[0][name] != pair[1][name]), "outcome")
    left, right = (one_line(str(each[name]), SHOWN) for each in pair)
    return (left, right) if name == "outcome" else (f"{name} {left}", f"{name} {right}")
