"""Damage is seen in a text, and healthy writing is left alone."""

import random

import pytest

from papergate.diagnosis.signs import foreign_scripts, is_foreign, is_garbled, is_loop, period_of_tail

HEALTHY = (
    "Let me add the first two terms. We have 3x + 4 = 19, so 3x = 15 and x = 5. Wait, the problem asks for the sum of "
    "all digits; I check case {number} of the table again: {number} times {square} gives {product}.\n"
)
ENGLISH = "".join(HEALTHY.format(number=n, square=n * n % 97, product=n**3 % 9973) for n in range(12))


def noise(length, letters, seed=1):
    draw = random.Random(seed)
    return "".join(draw.choice(letters) for _ in range(length))


def test_healthy_writing_shows_no_sign():
    assert len(ENGLISH) > 1500
    assert not is_garbled(ENGLISH)
    assert not is_foreign(ENGLISH)
    assert period_of_tail(ENGLISH) == ""


@pytest.mark.parametrize("end", [" and so on" * 60, "\nWait, let me check again." * 20, "ab" * 200, " 0" * 300])
def test_an_exact_loop_is_one_wherever_it_breaks_off(end):
    assert all(is_loop(ENGLISH + end[: len(end) - cut]) for cut in range(4))


def test_a_loop_with_a_counter_is_one():
    assert is_loop(ENGLISH + "".join(f"Case {n}: the value is not an integer, so we go on. " for n in range(200)))


def test_three_copies_and_short_repeats_are_no_loop():
    assert not is_loop("x = 5. " + "I repeat the line. " * 3)
    assert not is_loop("1111111111")


@pytest.mark.parametrize(
    "text",
    [
        "!" * 400,
        ENGLISH + "?!" * 200,
        "The sum \ufffd\ufffd is \ufffd 5.",
        "Thus Ġthe Ġsum is 5.",
        "Thus<0xE4><0xBD> is 5.<|im_end|>",
        "value 挡极 ה กระจาย риниз اسم",
        "x" * 45,
        ENGLISH.replace(" ", "")[:1600],
        noise(2000, "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-*/()[]{};:,."),
    ],
)
def test_what_is_no_writing_is_garbled(text):
    assert is_garbled(text)


def test_a_script_that_the_prompt_uses_is_at_home():
    text = "答案是五个苹果，所以总数为五。"
    assert is_foreign(text)
    assert not is_foreign(text, prompt="小明有几个苹果？")
    assert foreign_scripts("α + β ≤ γ, x² ∈ ℝ, 𝑥") == {}
