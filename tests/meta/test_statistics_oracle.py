"""The rule against vectors that were computed by independent means."""

import json
import os
from fractions import Fraction
from pathlib import Path

import pytest

from papergate.statistics.counts import Counts
from papergate.statistics.intervals import all_correct_lower_bound, anytime_radius, mixture_variance
from papergate.statistics.reference import Reference
from papergate.verdict import Rule, judge

SHARED = Path(os.environ.get("PAPERGATE_SHARED", Path(__file__).parents[3] / "shared"))
ORACLE = SHARED / "oracle" / "statistics.json"


def vectors(kind):
    if not ORACLE.is_file():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no oracle at {ORACLE}; set PAPERGATE_SHARED"))]
    found = [vector for vector in json.loads(ORACLE.read_text())["vectors"] if vector["kind"] == kind]
    assert found, f"the oracle has no vector of kind {kind}"
    return [pytest.param(vector, id=vector["id"]) for vector in found]


def close(vector, **seen):
    expected = {name: vector["expected"][name] for name in seen}
    assert seen == pytest.approx(expected, abs=vector["abs_tol"], rel=0)


def counts_of(inputs):
    runs = inputs.get("counts_rle") or [(count, 1) for count in inputs["counts"]]
    return Counts.equal(tuple(count for count, times in runs for _ in range(times)), inputs["k"])


def reference_of(inputs):
    if "ref_counts" in inputs:
        return Reference.golden(Counts.equal(tuple(inputs["ref_counts"]), inputs["ref_k"]))
    score = Fraction(inputs["ref_percent"]) / 100
    samples = inputs["ref_k"]
    return Reference.exact(score) if samples is None else Reference.sampled(score, samples=samples)


def rule_of(inputs):
    return Rule(
        tolerance=Fraction(inputs["tol_fraction"]),
        delta=Fraction(inputs["delta_fraction"]),
        alpha=Fraction(str(inputs["alpha"])),
        two_sided=inputs["two_sided"],
    )


@pytest.mark.parametrize("vector", vectors("gate_verdict"))
def test_the_verdict_and_all_its_numbers_agree(vector):
    inputs, expected = vector["inputs"], vector["expected"]
    judgement = judge(counts_of(inputs), reference_of(inputs), rule_of(inputs))
    evidence = judgement.evidence
    close(
        vector,
        d=float(evidence.difference),
        se_measured=evidence.se_measured,
        se_ref=evidence.se_reference,
        radius=evidence.radius,
        lo=evidence.lo,
        hi=evidence.hi,
    )
    assert judgement.literal is expected["literal"]
    assert judgement.decision == expected["verdict"]
    assert judgement.runs_needed == expected["runs_needed"]


@pytest.mark.parametrize("vector", vectors("literal_rule"))
def test_the_literal_assert_is_exact(vector):
    inputs = vector["inputs"]
    score = Fraction(inputs["correct"], inputs["n"] * inputs["k"])
    rule = Rule(tolerance=Fraction(inputs["tol_fraction"]), delta=Fraction(1, 100))
    assert rule.holds(score - Fraction(inputs["ref_percent"]) / 100) is vector["expected"]["within"]


@pytest.mark.parametrize("vector", vectors("standard_errors"))
def test_the_error_of_the_fixed_panel_agrees(vector):
    counts = Counts.equal(tuple(vector["inputs"]["counts"]), vector["inputs"]["k"])
    close(vector, mean=float(counts.score), var_panel=float(counts.variance), se_panel=float(counts.variance) ** 0.5)


@pytest.mark.parametrize("vector", vectors("anytime_radius"))
def test_the_anytime_radius_agrees(vector):
    inputs = vector["inputs"]
    design, alpha = inputs["I_star"], inputs["a_two_sided"] / 2
    close(
        vector,
        rho2=mixture_variance(design, alpha),
        radius=anytime_radius(inputs["information"], design, alpha),
    )


@pytest.mark.parametrize("vector", vectors("all_correct_lower_bound"))
def test_the_bound_of_an_all_correct_run_agrees(vector):
    inputs = vector["inputs"]
    close(vector, lo=all_correct_lower_bound(inputs["N"], inputs["alpha_one_sided"]))
