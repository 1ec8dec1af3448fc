"""Whether the words around an answer leave open if it is the answer: supposed, reported, one of two, taken back later.

What denies plainly is read by `denials`. Here a reader must look, and the grade is never `correct`. Prose that leaves
an answer open has no closed form, but a conclusion has. It equates, counts, concludes or states the answer ("the sum
is", "we get") without a word of doubt. Another sentence counts where all its words are those of conclusions, a closed
class, or where the text has worked the answer out; and what follows explains or confirms the answer.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from papergate.scoring.reading.denials import CLOSERS, MAX_CACHED

MAX_AROUND = 300  # characters of the sentence on each side of an answer; bounds the regular expressions
MAX_AFTER = 2_000  # characters after the answer in which a later sentence may take it back
MIN_WORKED = 100  # characters before its sentence that work an answer out; the work has words of its own
MIN_EXPLAINED = 300  # characters after an answer that is given first and explained then

_PLAIN = """
a about above add after again agree agreement all already also altogether am amounts an and angle answer any
approximately are area arrive as ask at attained average base be because been better both box but by can cannot
careful case check circle coefficient combine complete computation compute conclude condition confirms consistent
correct correction count degree denominator determine difference different digit distance divide divisible do does
done double each edge end equal equation even every exactly expect expression factor final finally find first follow
for form formula found from function further general get give given got half has have he height hence her his hold
how i improved in induction integer into is it it's its itself largest last latter lead leave left length make many
match maximum may mean method minimum minus modulo more multiple multiply must my nearest need negative no not now
number odd of ok on once one only options or order original other our out over pair part pass passes per percent
perimeter plus point positive possibility possible prime probability problem product proof property put radical
radius ratio reached real recursion reduce requested required result right root row same satisfied satisfy second
see set seventh she should shown shows side simple simplest simplified simply since six sixth smallest so solution
solve square step subtract such sum symmetry ten term than that the their then theorem there these they third this
those three thus to together total triangle true two unit up us use value verified verify volume wanted was way we
well were what when where which whole will with work written yes yield you zero
"""
_PLAIN_SIGNS = (
    "所以因此故则得到即解共有是为等于答案最终结果综上述可知大小值数面积周长个种元的选一二三四五六七八九十"
    "原方程根都只能要少经检验算符合满足题意求"
)
_UNSURE = """
according allegedly almost although another apparently appears argue assert assume assumption attempt auxiliary
believe bet bound careless claim commonly conjecture could decoy discard dismiss disregard distractor doubt doubtful
draft earlier either elsewhere erroneous error estimate example except false falsely feeling forget forgot format
former formerly gamble guess guesses hardly hunch hypothesis hypothetically if ignore imagine impression impulse
incorrect incorrectly insist instinct intermediate maybe might miscounted misprint mistake mistakenly naive naively
nearly never otherwise partial pending perhaps placeholder possibly preliminary presumably pretend previous probably
propose provisional reckon reject reports retract roughly rumor rumour said sample say scarcely seems somebody
someone stab suggest superficially suppose supposedly swear template tempt temptation tentative textbook think
though thought trap trial tried typed typo uncertain unchecked unless unsure until unverified withdrawn would wrong
wrongly wrote yet
"""
_UNSURE_SIGNS = "若如假设似乎可能不误错猜吗但曾估粗"
_CONDITIONS = {"if", "would", "could", "may", "如", "设"}  # an equation or a count may stand under them

_ENDING = re.compile(r"(?<=\w{3})(?:ings?|ed|e?s|e)$")
_WORD = re.compile(r"(?:I\b|[A-Za-z]{2,})(?:[’'][a-z]+)?|[\u4e00-\u9fff]")
_NO_WORDS = re.compile(
    r"\$\$.*?\$\$|\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]|\\(?:begin|end)\{\w+\*?\}|\\[a-zA-Z]+", re.DOTALL
)
_LABELS = {"", "answer", "final answer", "the answer is", "the final answer is", "so the answer is", "答案", "最终答案"}
_LABEL_MARKS = " \t\r\n*_#:：.,$\\([{-−="
_SENTENCE_ENDS = re.compile(
    r"(?<!e\.g)(?<!i\.e)[.!?][$*)\]]*(?=\s)|[。！？]|\n\s*\n|[;；]|\\end\{align\*?\}|\|\s*\n\s*(?=\|)"
)
_CONCLUDES = re.compile(  # what begins a main clause; what stands before it does not count
    r"\b(?:so(?!\s+far)|thus|hence|therefore|consequently)\b|所以|因此|故|从而|于是|得到|而是"
    r"|，(?=\W*(?:正确|最终|最后)?答案|则|共|得|即|那么|结果|解得|面积|取)|\bnothing\s+wrong\s+with\b"
    r"|\b(?:contrary\s+to|unlike|despite)\b[^,]*,|,\s+it(?:[’']s|\s+is)\b|,\s+which\s+leaves\b"
    r"|[:：](?=\s*(?:the\s+)?(?:final\s+|correct\s+)?answer\b)"
    r"|\d[^,;]*,\s+(?:but|yet|while|whereas|however)\b",
    re.IGNORECASE,
)
_ASIDES = re.compile(  # what is said of another value, or doubts nothing
    r"\d[\d.}]*\$?\s+(?:(?:is|are|was|were)\s+(?:wrong|incorrect|excluded|too|not|no)|fails|would|does|cannot|isn[’']t)\b[^,;:.]*"
    r"|[(（][^()（）]*[-\d][^()（）]*[)）]|，不是\d+|,\s*where\b[^,.]*,|\b(?:all|every)\s+others?\b[^,;:.]*"
    r"|,?\s*\bbut\s+(?:this|that|it)\s+(?:is|does)\b(?:\s+no\s+surprise)?|^\W*i\s+did\s+not\s+expect|\bis,\s+for\s+example,"
    r"|\b(?:least\s+upper|greatest\s+lower)\s+bound|\bnumber\s+of\s+\w+|\bin\s+either\s+case|\bnot\s+only\b[^,;:]*\bbut\b"
    r"|\b(?:requested|required)\s+format",
    re.IGNORECASE,
)
_EQUATED = re.compile(r"(?:=|\\equiv|\\approx)(?:[\s&{$]|\\[,;:!]|\\\w+)*$")
_STATED = re.compile(
    r"(?:^|[,.，]|\b(?:and|then|so|now|here|but|that|means|us)\b)[\s*_#-]*(?:(?:final\s+)?answer\W+)?(?:"
    r"(?:the|our|its|his|her|their)\s[^;:]{1,120}\b(?:is|are|was|were|equals|comes\s+to|becomes|must\s+be|amounts\s+to)"
    r"|(?:(?:we|it|this|which|that|you|one|they|there|she|he)\s+(?:have|has|is|are|equals|needs?)"
    r"|(?:(?:we|it|this|which|that|you|one|they|she|he)\s+)?(?:get|give|obtain|find|leave|leaving|yield|mak(?:e|ing)"
    r"|giving|arrives?\s+at|end\s+up)s?)(?:\s+(?:us|with|a|an|total|of|to|be))*)"
    r"(?:\s+(?:\w+ly|then|thus|just|exactly|only))?\W*$|[为是有得到共剩即等于]\W*$",
    re.IGNORECASE,
)
_NO_UNIT = (
    r"(?!(?:the|an?|its|th[ai][ts]|these|i?t|i|we|you|s?he|of|here|from|as|in(?:to|stead)?|for|to|on|out|off|up|down|with(?:out)?|if|when"
    r"|or|and|but|is|was|were|are|has|had|c?w?ould|can(?:not)?|must|does|did|do|should|will|not?|may|might|by|until|before|except|at|works"
    r"|only|so|denote)\b)[a-z]{2,}"
)
_COUNTED = re.compile(
    rf"[ $)\\]*(?:text\W*)?(?:(?:second|minute|hour|day|week|month|year)s\b|(?:{_NO_UNIT}\s+){{0,2}}{_NO_UNIT}\b"
    r"(?!\s+(?:the|an?|its|all|every|only|up|out|off)\b)"
    r"|(?![左只系是不为可但似偏有就才也还取并])[\u4e00-\u9fff]{1,5}(?=[。，,.\s]|$))",
    re.IGNORECASE,
)
_BOUND = re.compile(
    r"\b(?:at\s+(?:least|most)|(?:more|less|fewer|greater|larger|smaller|bigger|other|rather)\s+than|below|above"
    r"|(?<!add )up\s+to|exceeds?|anything\s+but|far\s+from|\d\s+(?:or|and)|between)\W*$|(?:不超过|至多)\W*$",
    re.IGNORECASE,
)
_UNSTATED = re.compile(  # a part of a formula, an order, another box, a list, a condition
    r"(?:\\(?:leq?|geq?|neq?|lt|gt)|[<?≠]|(?<=[\w)}] )>)[\s{}=$]*$|\\[dt]?frac\s*(?:\{[^{}]*\})?\{\W*$|\\sqrt\{\W*$"
    r"|\b(?:let|try)\s+\S{0,12}\W*$|\\[fb]?box(?:ed)?\s*\{[^{}]*\}(?!.*ox|\W*(?:then|but)\b).*[a-z]{2}|^\W*(?:before|not)\b|\be\.g\.\W*$"
    r"|\d,\s*\d+,\s*$|^\W*(?:如果|要是|若|假如|表面)(?!.*(?:则|那么))",
    re.IGNORECASE,
)
_GOES_ON = re.compile(  # the formula, the table, a choice or a question goes on
    r"\s*(?:[-+/]\s*[\d\\(]|\\(?:cdot|times|div|to|neq?)\b|[\\ ]*\\lightning|\^(?!\{?\\circ))|[^$\]]*\\\\[^$]*="
    r"|[\s$]*\|[^\n]*\n\s*\||[^.!?。！？\n]*[?？](?!\S)|\W*(?:divided|times|plus|minus|give\s+or)\b"
    r"|\W*(?:text\W*)?or(?:\W*\d+(?!\d|[./]\d|[%\\])|\s+(?:there|so|near|maybe|perhaps|possibly))"
    r"|[^.;\n]*(?:\b(?:is|are|mean)\b|\\(?:Long)?[rR]ightarrow\b.*=|\\implies.*=)\s*\$?\d|[^.;\n]*,\s*(?:so|hence)\s+(?!we)"
)
_REASON = re.compile(
    r"\W*(?:since|because|as|where|when|for|with|not(?=\s+[-\d$\\])|by|in|at|of|per|to\s+the|from|approximately|independent)\b"
    r"|\s*:\s|\W*(?:因为|由于|其中|希望)",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"\W*(?:(?:note|notice|remark|check|checking|testing|verif\w+|explanation|in\s+fact|indeed|to\s+(?:see|verify|check)"
    r"|(?:one|you|we)\s+(?:can|may|could)|alternatively|since|because|where|here|i\s+hope|hope|let\s+me\s+know|feel\s+free"
    r"|would\s+you|if|thank\w*|it\s+is\s+easy|an?\s+(?:\w+\s+){0,2}(?:mistake|error|slip|answer)|the\s+answer|\\boxed)\b"
    r"|验证|检验|注|其中|希望|如有)|\s*\*{1,2}[\w ]{1,30}[:.]?\*{1,2}",
    re.IGNORECASE,
)
_TAKES_BACK = re.compile(
    r"^[ *_(]*(?:wait|hold\s+on|hmm+|actually|sorry|oops|edit|update|correction|erratum|no\b[,.:!]|scratch\s+that"
    r"|(?:(?:however|but),?\s+)?(?:this|that|it)\b[^.\n\d]{0,60}\b(?:not(?!\s+(?:hard|difficult|surpris))|wrong|incorrect|fails"
    r"|contradict\w*|(?:cannot|can[’']t)\s+be(?!\s+\w+ed)|impossible|ignor\w+|violat\w+|mistake|error|absurd)\b"
    r"|(?-i:I)\s+(?:mis\w+|over\w+|made|was\s+wrong|forgot|retract|withdraw))|\b(?:problem|question)\W+(?:however\W+)?(?:wants|needs|asks|is)\b"
    r"|\b(?-i:I)(?:\s+am|[’']m|\s+(?:do|did|could|can))\s*(?:unable|not|n[’']t)\b|更正|不对|矛盾|重新|不成立|有误|错了|无法|不知道",
    re.IGNORECASE,
)
_RESTATES = re.compile(
    r"(?:^|[.!?]\s|\n)(?:(?!\b(?:if|would|suppose)\b)[^.\n]){0,60}\b(?:answer|result|value|count|total)(?:\s+\w+){0,3}\s+"
    r"(?:is|was|becomes)\W{0,4}(-?[\d.,]*\d)|(?:结果|总数|答案)应?该?[为是]\W{0,3}(-?[\d.,]*\d)",
    re.IGNORECASE,
)
_LAST_NUMBER = re.compile(
    r"(?<=[.!?。\n])(?:[^.!?。\n]|\.(?=\d)){0,200}?(?<![\w.^_{\\])(-?(?:\d[\d.,]*)?\d)[*$]*[.!。][*$\s]*$"
)
_ASIDE = re.compile(
    r"\b(?:if|would|could|note|remark|about|approx\w*|(?:sum|product)\s+of|check\w*|verif\w*|divisible|mistakes?|example|other|fails?|wrong|step|part|question)\b"
    r"|[=<>\\^]",
    re.IGNORECASE,
)


def is_doubtful(text: str, start: int, end: int, *, announced: bool = False) -> bool:
    """Whether the sentence of the answer between two places, or what follows it, leaves open if this is the answer.

    Args:
        text: The conclusion.
        start: Where the answer starts.
        end: Where it ends.
        announced: Whether its words announce it ("the answer is"), so that they need not be those of a conclusion.
    """
    sentence = _sentence_before(text, start)
    if sentence.strip(_LABEL_MARKS).lower() in _LABELS and not text[end : end + MAX_AFTER].strip(CLOSERS):
        return False
    rest, *later = _SENTENCE_ENDS.split(text[end : end + MAX_AROUND].partition("[asy]")[0])
    worked = start - len(sentence) >= MIN_WORKED or len(text) - end >= MIN_EXPLAINED
    return bool(
        not _is_stated(sentence, counted=_COUNTED.match(rest) is not None, worked=worked or announced)
        or _GOES_ON.match(text, end, end + MAX_AROUND)
        or not _is_left(rest, worked=worked or announced)
        or not _is_explained(later, worked=worked or announced)
        or any(told not in text[start:end] for told in _restated(text, end))
    )


def _sentence_before(text: str, start: int) -> str:
    """The sentence up to an answer; of one that stands apart, what leads to it: a heading, or words and a colon."""
    before = text[max(start - MAX_AROUND, 0) : start]
    lead, _, line = (before.partition(" ")[2] if start > MAX_AROUND else before).rpartition("\n\n")
    if line.strip(_LABEL_MARKS):
        return _last_sentence(line)
    lead = lead.rstrip()
    return _last_sentence(lead.rpartition("\n")[2]) if lead.endswith((":", "*", "：")) else ""


@lru_cache(MAX_CACHED)  # few headings and sentences stand before most answers
def _last_sentence(line: str) -> str:
    return _SENTENCE_ENDS.split(line)[-1]


@lru_cache(MAX_CACHED)
def _is_stated(sentence: str, *, counted: bool, worked: bool) -> bool:
    """Whether a sentence equates, counts, concludes or states the answer, or has known words only."""
    *leads, clause = _CONCLUDES.split(sentence)
    clause = _ASIDES.sub(" ", clause)
    unsure = _words(clause) & _WORDS_OF_DOUBT
    if _UNSTATED.search(sentence):
        return False
    if counted or _EQUATED.search(clause):
        return not unsure - _CONDITIONS
    alone = leads and not clause.strip(_LABEL_MARKS)
    told = alone or _STATED.search(clause) or _are_known(clause, worked=worked)
    return bool(told) and not (unsure or _BOUND.search(clause))


def _is_left(rest: str, *, worked: bool) -> bool:
    """Whether the rest of the sentence leaves the answer as it is: it names a unit or a reason, or has known words."""
    first, *others = re.split(r"[,，—]|\band\b", _ASIDES.sub(" ", rest))
    unsure = _words(first) & _WORDS_OF_DOUBT
    parts = others if _COUNTED.match(first) and not unsure else [first, *others]
    return all(_are_known(part, worked=worked or _REASON.match(part) is not None) for part in parts)


def _is_explained(later: list[str], *, worked: bool) -> bool:
    """Whether the sentences after that of the answer explain or confirm it."""
    first = next((part for part in later if _words(part)), "")
    confirmed = _are_known(_ASIDES.sub(" ", first), worked=worked) and not re.search(r"\d", first)
    return bool(worked or confirmed or _EXPLAINS.match(first)) and not any(map(_TAKES_BACK.search, later))


def _are_known(part: str, *, worked: bool) -> bool:
    """Whether a part of a sentence has the words of conclusions only, or, in a worked answer, none of doubt."""
    words = _words(part)
    return not words & _WORDS_OF_DOUBT if worked else words <= _WORDS_OF_CONCLUSIONS


def _words(part: str) -> set[str]:
    return _stems(_WORD.findall(_NO_WORDS.sub(" ", part)))


def _stems(words: Iterable[str]) -> set[str]:
    return {_ENDING.sub("", word.lower()) for word in words}


_WORDS_OF_CONCLUSIONS = _stems([*_PLAIN.split(), *_PLAIN_SIGNS])
_WORDS_OF_DOUBT = _stems([*_UNSURE.split(), *_UNSURE_SIGNS])


def _restated(text: str, end: int) -> list[str]:
    """The numbers that later sentences state as the result, and the one that the last of them ends with."""
    stated = [told for match in _RESTATES.finditer(text, end, end + MAX_AFTER) for told in match.groups() if told]
    last = _LAST_NUMBER.search(text, max(end, len(text) - MAX_AROUND))
    return [*stated, last[1]] if last and not _ASIDE.search(last[0]) else stated
