"""Answers, many spellings of each, and near misses: for every value drawn, spellings are drawn apart from it."""

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

small = st.integers(-60, 60)
positive = st.integers(1, 60)
fractions = st.builds(Fraction, st.integers(-200, 200), st.integers(1, 60))
square_free = st.sampled_from([2, 3, 5, 6, 7, 10, 11, 13, 15, 21])


@dataclass(frozen=True)
class Surd:
    """`rational + factor * sqrt(root)`."""

    rational: Fraction
    factor: Fraction
    root: int


@dataclass(frozen=True)
class Polynomial:
    """Coefficients from the constant upwards, in x."""

    coefficients: tuple[int, ...]


@dataclass(frozen=True)
class Ordered:
    """A tuple of values."""

    items: tuple[object, ...]


@dataclass(frozen=True)
class Unordered:
    """A set of distinct values."""

    items: frozenset


@dataclass(frozen=True)
class Span:
    """An interval with its ends."""

    low: Fraction
    high: Fraction
    brackets: str


surds = st.builds(Surd, fractions, fractions.filter(bool), square_free)
polynomials = st.builds(Polynomial, st.lists(small, min_size=2, max_size=5).filter(lambda c: c[-1] != 0).map(tuple))
numbers = st.one_of(fractions, surds)
tuples = st.builds(Ordered, st.lists(fractions, min_size=2, max_size=4).map(tuple))
sets = st.builds(Unordered, st.frozensets(fractions, min_size=2, max_size=4))
spans = st.builds(
    lambda low, width, brackets: Span(low, low + width, brackets),
    fractions,
    fractions.filter(lambda width: width > 0),
    st.sampled_from(["()", "[]", "(]", "[)"]),
)
values = st.one_of(numbers, polynomials, tuples, sets, spans)


def spelling(value):
    """A strategy of LaTeX spellings of a value."""
    return _SPELLINGS[type(value)](value).flatmap(typeset)


def typeset(text):
    """A strategy of typographic variants that mean the same."""
    return st.sampled_from(
        [
            text,
            f"${text}$",
            f" {text} ",
            f"{text}.",
            f"\\displaystyle {text}",
            text.replace("\\frac", "\\dfrac"),
            text.replace("\\frac", "\\tfrac"),
            text.replace(",", ", "),
            text.replace(" + ", "+"),
            text.replace("-", "−"),
        ]
    )


def fraction_spellings(number):
    sign, size = ("-" if number < 0 else ""), abs(number)
    over, under = size.numerator, size.denominator
    forms = [f"\\frac{{{number.numerator}}}{{{under}}}", f"{sign}\\frac{{{over}}}{{{under}}}", f"{sign}{over}/{under}"]
    if under == 1:
        forms += [f"{sign}{over}", f"{sign}{over}.0", f"{sign}0{over}"]
    if over < 10 and under < 10:
        forms.append(f"{sign}\\frac{over}{under}")
    if over > under > 1:
        forms.append(f"{sign}{over // under}\\frac{{{over % under}}}{{{under}}}")
    if 10**6 % under == 0:
        forms.append(f"{float(number):.6f}")
    return st.sampled_from(forms)


def surd_spellings(surd):
    root = st.sampled_from([f"\\sqrt{{{surd.root}}}", f"{surd.root}^{{1/2}}", f"\\sqrt {{{surd.root}}}"])
    parts = st.tuples(fraction_spellings(surd.rational), fraction_spellings(abs(surd.factor)), root)
    sign = "-" if surd.factor < 0 else "+"
    return parts.flatmap(
        lambda p: st.sampled_from(
            [
                f"{p[0]} {sign} {p[1]}\\cdot {p[2]}",
                f"{p[0]} {sign} \\left({p[1]}\\right) {p[2]}",
                f"{'-' if surd.factor < 0 else ''}({p[1]}) {p[2]} + ({p[0]})",
                f"{p[0]} {sign} \\frac{{{surd.root}}}{{{p[2]}}} \\times \\left({p[1]}\\right)",
            ]
        )
    )


def polynomial_spellings(polynomial):
    terms = [
        f"{factor}" if power == 0 else f"{factor}x" if power == 1 else f"{factor}x^{{{power}}}"
        for power, factor in enumerate(polynomial.coefficients)
        if factor
    ]
    horner = str(polynomial.coefficients[-1])
    for factor in reversed(polynomial.coefficients[:-1]):
        horner = f"\\left({horner}\\right)x + {factor}" if factor >= 0 else f"\\left({horner}\\right)x {factor}"
    in_any_order = st.permutations(terms).map(lambda order: " + ".join(order).replace("+ -", "- "))
    return st.one_of(in_any_order, st.just(horner))


def tuple_spellings(ordered):
    return _joined([fraction_spellings(item) for item in ordered.items]).map(lambda text: f"\\left({text}\\right)")


def set_spellings(unordered):
    listed = st.permutations(sorted(unordered.items)).flatmap(
        lambda order: _joined([fraction_spellings(item) for item in order], separator=", ")
    )
    return listed.flatmap(lambda text: st.sampled_from([f"\\{{{text}\\}}", text]))


def span_spellings(span):
    low, high = fraction_spellings(span.low), fraction_spellings(span.high)
    opening, closing = span.brackets
    left, right = (" \\le " if opening == "[" else " < "), (" \\leq " if closing == "]" else " < ")
    return st.tuples(low, high).flatmap(
        lambda ends: st.sampled_from(
            [
                f"{opening}{ends[0]}, {ends[1]}{closing}",
                f"\\left{opening}{ends[0]},{ends[1]}\\right{closing}",
                f"x \\in {opening}{ends[0]}, {ends[1]}{closing}",
                f"{ends[0]}{left}x{right}{ends[1]}",
            ]
        )
    )


def _joined(strategies, separator=","):
    return st.tuples(*strategies).map(separator.join)


_SPELLINGS = {
    Fraction: fraction_spellings,
    Surd: surd_spellings,
    Polynomial: polynomial_spellings,
    Ordered: tuple_spellings,
    Unordered: set_spellings,
    Span: span_spellings,
}


def near_misses(value):
    """A strategy of values that are close to a value, and are another."""
    return _MISSES[type(value)](value)


def _near_fraction(number):
    step = st.sampled_from([Fraction(1), Fraction(-1), Fraction(1, 60), Fraction(1, 10**9)])
    near = step.map(lambda by: number + by)
    return near | st.just(-number) if number else near


_MISSES = {
    Fraction: _near_fraction,
    Surd: lambda surd: (
        _near_fraction(surd.rational).map(lambda near: Surd(near, surd.factor, surd.root))
        | st.just(Surd(surd.rational, -surd.factor, surd.root))
    ),
    Polynomial: lambda polynomial: st.sampled_from(range(len(polynomial.coefficients))).map(
        lambda at: Polynomial(
            (*polynomial.coefficients[:at], polynomial.coefficients[at] + 61, *polynomial.coefficients[at + 1 :])
        )
    ),
    Ordered: lambda ordered: (
        st.permutations(ordered.items).map(tuple).filter(lambda order: order != ordered.items).map(Ordered)
        if len(set(ordered.items)) > 1
        else st.just(Ordered((*ordered.items[1:], ordered.items[0] + 1)))
    ),
    Unordered: lambda unordered: st.just(Unordered(unordered.items | {max(unordered.items) + 1})),
    Span: lambda span: st.sampled_from([b for b in ("()", "[]", "(]", "[)") if b != span.brackets]).map(
        lambda brackets: Span(span.low, span.high, brackets)
    ),
}

SIGNS = r"""
\frac \sqrt \boxed{ \left( \right) { } ^ _ [ ] ( ) | ! \pi e i x 0 1 9 10 ^{99} 7! , ; = < > \le + - * / \cdot \pm \in
\cup \{ \} \sin \log \ln \infty & \\ \% ^\circ \text{cm} \text{and} . ' : \begin{pmatrix} \end{pmatrix} \binom \sum
\int \ldots \overline $ \mid \bmod \approx f( 1,000 \mathrm{e} \choose \setminus \mathbb{R} ４ ° ½ 答 C( 2^ 3^{ +1)^{16}
"""
commands = st.sampled_from([*SIGNS.split(), " is ", "\ud800", "\x00"])
noise = st.lists(st.one_of(commands, st.text(max_size=3)), max_size=25).map("".join)
