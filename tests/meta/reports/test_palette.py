"""The page's colours: letters can be read on them, and no eye takes one state for another."""

import math
import re
from importlib.resources import files
from itertools import combinations

import pytest

CSS = files("papergate.reports").joinpath("page.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})\b", block))
    for block in re.findall(r":root \{(.*?)\n *\}", CSS, re.DOTALL)[:2]
)
THEMES = {"light": LIGHT, "dark": DARK}
EYES = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    # Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB
    "without red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "without green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "without blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
STATES = ("pass", "fail", "inconclusive", "error")
CELLS = ("correct", "wrong", "cut", "lost")
READABLE = 4.5
"""Contrast that WCAG 2.2 asks of letters (1.4.3)."""
APART = 10.0
"""Distance in CIELAB; colours beside each other differ plainly from 5 on."""


def linear(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def luminance(colour):
    return sum(weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(colour, eye):
    r, g, b = (min(max(sum(w * c for w, c in zip(row, linear(colour), strict=True)), 0), 1) for row in EYES[eye])
    x, y, z = (
        0.4124 * r + 0.3576 * g + 0.1805 * b,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        0.0193 * r + 0.1192 * g + 0.9505 * b,
    )
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x / 0.9505, y, z / 1.089))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def distance(one, other, eye):
    return math.dist(lab(one, eye), lab(other, eye))


@pytest.mark.parametrize("theme", THEMES)
def test_letters_can_be_read(theme):
    colours = THEMES[theme]
    pairs = [(ink, paper) for ink in ("ink", "soft", "link") for paper in ("paper", "wash")]
    pairs += [("on-badge", state) for state in (*STATES, "recorded")]
    pairs += [("on-cell", cell) for cell in (*CELLS, "open") if cell != "correct"] + [("paper", "link")]
    low = {pair: round(contrast(*(colours[name] for name in pair)), 2) for pair in pairs}
    assert {pair: found for pair, found in low.items() if found < READABLE} == {}


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("names", [STATES, CELLS], ids=["states", "cells"])
def test_no_eye_takes_one_state_for_another(theme, names, eye):
    colours = THEMES[theme]
    near = {(a, b): round(distance(colours[a], colours[b], eye), 1) for a, b in combinations(names, 2)}
    assert {pair: found for pair, found in near.items() if found < APART} == {}
