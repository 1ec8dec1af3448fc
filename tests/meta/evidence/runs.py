"""Finished runs on disk, as a gate leaves them, and a JUnit report that quotes them."""

from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

from papergate.acceptance import manifest_of
from papergate.acceptance.flow import accept
from papergate.acceptance.saving import save
from papergate.completions.policy import seed_of
from papergate.completions.store import Store
from papergate.engines import Finish
from papergate.evidence.bundle import write_bundle
from papergate.reports.junit import EVIDENCE_PROPERTY, properties
from papergate.run_folder.sums import root_of, sums_of
from papergate.run_folder.verdict import read_verdicts
from tests.meta.tiny_runs import TINY, case_of, completions_of, like_the_paper


class Answered:
    """A stand-in for an engine that has nothing left to answer."""

    concurrency = 1

    def check(self, *_):
        pass


def finished_run(run: Path, right=like_the_paper, k=4, promise=TINY, seed=0, golden=None, *, trial=False):
    """A run of ``k`` samples with an acceptance; the first sample of each problem failed once before it came."""
    case = case_of(promise, samples=k, run_seed=seed, trial=trial, golden=golden.run.counts if golden else None)
    done = [replace(one, seed=seed_of(seed, one.problem, one.sample)) for one in completions_of(right, k)]
    failed = [replace(one, text=None, finish=Finish.FAILED, error="busy") for one in done if one.sample == 0]
    with Store.open(run / promise.id, manifest_of(case)) as store:
        store.append(*failed, *done)
        found = accept(case, Answered(), store)
    return save(found, run / promise.id, golden)


def junit_of(run: Path) -> str:
    """A report as pytest writes it."""
    records = read_verdicts(run).records
    cases = "".join(
        f'<testcase classname="tests" name={quoteattr(record.promise)}><properties>'
        + "".join(_property(*each) for each in [("promise", record.promise), *properties(record)])
        + f"</properties>{'<failure/>' * record.breaks}</testcase>"
        for record in records
    )
    counts = f'errors="0" failures="{sum(record.breaks for record in records)}" skipped="0"'
    root = _property(EVIDENCE_PROPERTY, root_of(sums_of(run)))
    return (
        f'<testsuites><testsuite name="pytest" {counts}><properties>{root}</properties>{cases}</testsuite></testsuites>'
    )


def _property(name, value):
    return f"<property name={quoteattr(name)} value={quoteattr(value)}/>"


def bundled(folder: Path, **settings) -> Path:
    """The bundle of a finished run, its JUnit report in it."""
    finished_run(folder / "run", **settings)
    (folder / "junit.xml").write_text(junit_of(folder / "run"))
    write_bundle(folder / "run", folder / "run.zip", folder / "junit.xml")
    return folder / "run.zip"
