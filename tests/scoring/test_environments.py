"""An environment that is not closed, or closed by a word, is read to its end and refused; no grader hangs."""

import pytest

from papergate.scoring import equivalent
from papergate.scoring.answers.grammar.sentences import Sentences
from papergate.scoring.answers.spelling import Unreadable, tokens

NAMES = ("cases", "matrix", "pmatrix", "array", "aligned")
ENDS = (r"\text{or}end{cases}", r"\text{end}", "end", r"\\", r"\end", r"\text{end}\begin{cases}", "")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ENDS)
def test_an_environment_without_its_end_is_no_answer(name, end):
    assert equivalent("1", rf"\begin{{{name}}}[\sin(\$3)]{end}").equal is not True


def test_an_environment_with_the_word_end_in_a_line_has_its_own_end():
    assert equivalent(r"\begin{cases}1\\2\end{cases}", r"\begin{cases}1\\2\end{cases}").equal is True
    assert equivalent("1", r"\begin{cases}1\text{ end}\end{cases}").equal is not None


def test_a_turn_that_reads_nothing_is_the_last_one():
    turns = Sentences(tokens("x"))._until(lambda: False)
    next(turns)
    with pytest.raises(Unreadable, match="an end is missing"):
        next(turns)
