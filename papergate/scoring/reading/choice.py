"""The letter that an answer to a multiple-choice question commits to.

A letter counts where it is given as the answer: in a box or an answer tag, after an announcement ("Answer: C",
答案选C), in a sentence of choice ("I choose C", "C is correct"), or alone on a line. A letter that begins a sentence or
a formula ("A photon ...", `C=3`) is none, and two letters ("A and B") are no answer.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple

from papergate.scoring.reading.boxes import boxes_backwards
from papergate.scoring.reading.denials import is_denied, is_taken_back

MAX_TAIL = 20_000  # characters of the conclusion that are searched; bounds the regular expressions
MAX_BOXES = 50  # boxes looked at, the last ones; bounds the walk over 10,000 of them
MAX_ANCHORS = 100  # announcements and sentences of choice looked at, the last ones
MAX_LINE = 200  # characters of a line that may be an option; a longer one is an argument
_MAX_BEFORE = 40  # characters before a sentence of choice in which a denial or a condition counts

_WRAPPER = re.compile(
    r"\\(?:text|textbf|textit|textrm|textsf|texttt|mathrm|mathbf|mathit|mathsf|mathcal|operatorname|mbox|emph)\s*"
    r"\{([^{}]*)\}"
)
_ALONE = re.compile(
    r"(\*\*|__|\*|`|\$|\\\(|\\\[|\{|(?<![\w'])')\s*[(\[]?\s*([A-Za-z])\s*[)\]]?[.:]?\s*(\*\*|__|\*|`|\$|\\\)|\\\]|\}|')"
)
_MARKUP = re.compile(
    r"\*\*|__|(?<![\w*])\*(?=\w)|(?<=\w)\*(?![\w*])|"
    r"```\w*|`|\$|\\[()\[\]]|\\[,;:! ]|\\q?quad\b|\\left|\\right|[{}【】「」『』✅☑]|^[>#][># ]*",
    re.MULTILINE,
)
_SPACES, _BLANK_LINES = re.compile(r"[^\S\n]+"), re.compile(r"(?:\n ?){3,}")  # long runs take long to match

_NAMED = (  # not A but C
    r"(?:not\s+\(?[A-Z]\)?,?\s+but\s+)?(?:the\s+)?(?:(?:correct|right|best|final)\s+)?(?:option|choice|answer|letter|选项|答案)?\s*(?:is|:|是|为)?\s*"
)
_BE = (
    r"(?:\b(?:is|was|est|es|ist|(?:should|would|must|will|can\s+only|(?:has|have|would\s+have)\s+to)"
    r"(?:\s+(?:therefore|thus|then|hence))?\s+be)\b|:|=>?|-{1,2}>?|→|–|—)"
)
_SURELY = (
    r"(?:(?:therefore|thus|hence|then|so|clearly|indeed|likely|probably|most\s+likely|definitely|simply)\b\s*,?\s*)?"
)
_ANNOUNCED = re.compile(
    r"(?:\b(?:answers?|ans\.?|solution|conclusion|réponse|respuesta|antwort)"
    r"|\b(?:correct|right|best|final|proper|appropriate|suitable|likely|accurate|valid|remaining|only|chosen|selected)\s+"
    r"(?:option|choice|letter|one|response|statement|selection)|\bwhat\s+(?:is\s+left|remains)|\b(?:the|my|your)\s+(?:option|choice|statement|selection)"
    r"|(?:^|[\n{,])[\s\"]*(?:correct|result|choice|option|selection|final)(?=\"?\s*:))"
    r"[\"']?\s*(?:letter|option|choice)?(?:\s+(?:to|for|of|among|from|in|that|which|consistent|left)\s[^.:\n]{1,80}?|\s+here)?\s*,?\s*"
    rf"{_SURELY}(?:{_BE}|\n)\s*{_SURELY}{_NAMED}"
    r"|(?:答案|正确选项|正确的选项|最佳选项|正确的(?=是))\s*(?:不是\(?[A-Z]\)?\s*,\s*而)?(?:应该|应当|应|就|只能)?\s*"
    r"(?:选项|选择|选|是|为|:)*\s*"
    r"|(?<![不别未可能备供被误错])选(?:择(?:选项|答案)?|答案)?\s*[:是]?\s*|(?:^|[。\n])\s*答\s*:\s*(?:选择?)?\s*|(?:^|\n)\s*ans\b[.:\s]*",
    re.IGNORECASE,
)
_CHOSEN = re.compile(
    r"\b(?:I|we)(?:'ll|'d|'m|\s+will|\s+would|\s+shall|\s+am|\s+must|\s+should|\s+can)?\s+(?:therefore\s+|thus\s+|have\s+to\s+)?"
    r"(?:choos(?:e|ing)|select(?:ing)?|pick(?:ing)?|go(?:ing)?\s+(?:with|for)|opt(?:ing)?\s+for|settle\s+on)\s+"
    rf"{_NAMED}"
    r"|\b(?:it|this|that)\s+(?:must|has\s+to|should|can\s+only)\s+be\s+(?:option|choice|answer)?\s*"
    r"|\b(?:it|this|that|which)\s+(?:is|matches|corresponds\s+to|leads\s+to|points\s+to|means)\s+"
    r"(?:the\s+)?(?:option|choice|answer)\s+"
    r"|(?:^|[.!?\n])\s*it(?:'s|\s+is)\s+|\bI(?:'d|\s+would)\s+say\s+(?:option|choice)?\s*"
    r"|\bI\s+(?:think|believe)\s+(?:that\s+)?(?:it\s+is|it's|it\s+must\s+be)\s+(?:option|choice)?\s*"
    r"|\b(?:this|that|which)\s+makes\s+(?:option\s+)?|\bleav(?:es|ing)\s+(?:us\s+with\s+)?(?:only\s+)?(?:option|choice|answer)?\s*"
    r"|(?:^|[.!?,\n])\s*(?:so|thus|therefore|hence|in\s+conclusion|by\s+(?:the\s+process\s+of\s+)?elimination|finally|definitely|certainly|clearly)\b\s*[,:]?\s*(?:it\s+is|it's)?\s*"
    r"(?:option|choice|answer)?\s*"
    r"|(?:^|[.!?\n])\s*(?:option|choice)\s+(?=\(?[A-Za-z]\)?[.\s]*$)",
    re.IGNORECASE,
)
_ONLY = re.compile(
    r"\b[Oo]nly\s+(?:option\s+|choice\s+|answer\s+)?\(?([A-Z])\)?\s+(?!fails|lacks|misses|violates|contradicts)[a-z]+s\b"
)
_LEADS = re.compile(  # to a letter in the last line, where nothing there leaves it open
    r"(?:\b(?:is|are|be|with|gives?|leaves?|leaving|match(?:es|ing)|supports?|choose|pick|select|so|i\.e\.|conclude|by)(?![\w-])[,:]?"
    r"|'s(?=\s+(?:option|choice|\(?[A-Z]\)?[.!]?\s*$))|\banswer|(?<![A-Za-z])(?<![A-Za-z]\s)(?:→|=>)|∴|[是为选:]|\((?=option|choice|answer)|(?=\([A-Z]\)[.!]?\s*$))\s*(?:therefore\s+|exactly\s+|given\s+by\s+)?"
    r"(?:the\s+)?(?:answer\s+)?(?:option|choice|answer|letter|选项)?\s*",
    re.IGNORECASE,
)
_PLAIN_LEAD = re.compile(r"(?:is|are|be|[是为:])\s*", re.IGNORECASE)
_ASKED_FOR = re.compile(  # what a question asks for: a plain "is" leads to a letter only from such a subject
    r"\b(?:most|best|least|[a-z]{3,}est|correct|incorrect|true|false|exception|odd|only|right|fits?|want(?:ed)?|pick|need(?:ed)?|look\w*|required|reply|response|key"
    r"|conclusion|result|verdict|explanation|diagnosis|it)\b|answer|option|choice|最|正确|符合|本题|此题|判断|结论|关系|结果|所以|因此",
    re.IGNORECASE,
)
_NAMED_BETWEEN = re.compile(r"\(?([A-Z])\)?\s+(?:and|or|but|while|whereas)\b")
_SO = re.compile(r"(?:;|,\s*but)\s*(?=it(?:'s|\s+is)\b)|[,;]\s*(?:so|thus|hence|therefore|所以|因此|故)", re.IGNORECASE)
_OPEN = re.compile(
    r"\b(?:not|no(?=,)|never|cannot|nor|neither|either|whether|if|unless|could|might|may|perhaps|possibly|would|consider\w*|examine|look(?:ing)?\s+at|between"
    r"|depends?|says?|said|claims?|chose|some|many|tempting|excluded?|eliminate[sd]?|rule[sd]?|rejects?|wrong|incorrect\s+answer|doubt|suppose|assum\w+|let|try|check"
    r"|figure|fig|part|panel|case|eq|equation|table|graph|field|vector|event|set|matrix|called|denoted?)\b|n't\b|\?|不|没|别|无法|可能|也许|如果|若|是否|认为|排除|误|错|还是",
    re.IGNORECASE,
)
_CORRECT = re.compile(
    r"(?<![A-Za-z0-9_'=+^\\/])(?:[Oo]ption\s+|[Cc]hoice\s+|[Aa]nswer\s+|选项)?(?=\(?[A-Z]\)?)\s*\(?([A-Z])\)?\s*"
    r"(?:(?:is|(?:must|should|would|seems\s+to|appears\s+to)\s+be)\s+(?:(?:indeed|clearly|therefore|thus|hence|the|only)\s+)*"
    r"(?:correct|right|best|most\s+(?:likely|appropriate|accurate|suitable|plausible)|(?:final\s+)?answer)(?:\s+(?:answer|option|choice|one|fit))?"
    r"(?=\s*(?:[.,;!:。)\n]|$|because|since|here))"
    r"|fits\s+best(?=\s*[.,;!\n]|$)|is\s+the\s+only\s+(?:option|choice|answer|one)\s+(?:that|which|consistent|left|remaining)\b"
    r"(?![^.\n]*\b(?:not|wrong|incorrect|false|fail\w*|contradict\w*|violat\w*|incompatible|excluded)\b|[^.\n]*n't\b)"
    r"|(?:项|选项)?\s*(?:是|为|也|都|均)?\s*(?:正确|对|最佳|最合适|符合(?:题意|要求|条件)?|成立)(?:的)?(?:选项|答案)?(?=\s*(?:[.,;!。\n]|$)))"
)
_DENIED = re.compile(
    r"(?:\b(?:if|whether|suppose|assum(?:e|ing)|doubt|unless|when|not|nor|neither|cannot|never|until)\b|n't\b|如果|若|假设|假如|是否|无法|还是|有人|同学|学生|不)"
    r"[^.,;:!?。\n]*$|\b(?:wrong|incorrect|false)\s*$|错误(?:的)?$",
    re.IGNORECASE,
)
_WORD_JOINT = r"(?:(?<![A-Za-z])(?:and|or|nor)(?![A-Za-z])|和|或者|或|与|及)"
_JOINT = rf"(?:[,、/&+;]|{_WORD_JOINT})"
_OPTION = r"(?:both\s+|also\s+|option\s+|choice\s+|选项)?[(\[\"]?"
_FIRST_OF_TWO = re.compile(rf"(?<![A-Za-z])\(?[A-Z]\)?(?:选?项)?\s*(?:{_JOINT}\s*)+{_OPTION}$")
_IS_SAID = (  # of another option, but not that it is right, too
    rf"(?:\s*{_JOINT}\s*[A-Z])*\s+(?:is|are|was|were|fails?|does|do|can|would|has|have)\b"
    r"(?![^.;\n]*\b(?:also|too|right|correct|true|possible|well|acceptable)\b)"
)
_SECOND_OF_TWO = re.compile(rf"\s*[(\[][A-Z][)\]]|[.):]?\s*(?:{_JOINT}\s*)+{_OPTION}[A-Z](?![A-Za-z0-9_']|{_IS_SAID})")
_ANOTHER = re.compile(rf"(?:[,、;&:]|{_WORD_JOINT})\s*{_OPTION}[A-Z](?:[).:、]|\s*$)")
_SEVERAL = re.compile(r"\s*(?:both|either|neither|all|none|not|两者|都|不)\b", re.IGNORECASE)
_LABEL = re.compile(r"\s*(?:<|[\"'“‘\[({])*\s*([A-Za-z])(?![A-Za-z0-9_'’]|\.[A-Z]\.)((?: *[\"'”’>\])}])*)")
_BECAUSE = r"(?:because|since|as|due|for|which|that)\b|因为|由于|,"
_ENDS = re.compile(
    rf"\s*(?:[.;!:。、)]|选?项(?=[\s。.,;!]|$|是?正确|是?对)|$|\n"
    rf"|—|–|[✓✔]|\s+(?:and|but)\s+(?:\w+\s+)?not\b|(?<=\s)\(|\((?=[^\x00-\x7f])|,|{_BECAUSE}|(?:是)?正确)"
)
_SENTENCE_ENDS = re.compile(
    rf"\s*(?:here\b)?\s*(?:[.;!。]|选?项(?=[\s。.,;!]|$|是?正确|是?对)|$|\n|—|–|\s+the\s+(?:correct|right|best|only)\b|,?\s*(?:{_BECAUSE}))"
)
_TEXT_FOLLOWS = re.compile(r"\s*(?:[.):]|、)\s*\S|\s*[-–—]\s+\S*[A-Za-z\u4e00-\u9fff]{2}|\s+[是否对错][.。\s]*$")
_IS_CORRECT = re.compile(
    r"\s+(?:is\s+(?:the\s+)?(?:correct|right|best|true|answer)(?:\s+(?:answer|option|choice|one))?|it\s+is)\s*[.!]?\s*$",
    re.IGNORECASE,
)
_FORMULA = re.compile(r"\s*[=+^_*/<>≈≡|\\?]|\s*-\s*\d|\s+(?:is|was|has|are|be|were|does|can)\b")
_BULLET = re.compile(r"(?:[-•]|\d{1,2}\.)\s+")
_ARTICLE = re.compile(r"\s*(?:the|an?)\s", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\W_]+")
_BOX = re.compile("⟦([^⟧]*)⟧")
_BOX_BEFORE = re.compile(rf"⟦([^⟧]+)⟧\s*(?:{_JOINT}\s*)+$")
_BEGINS_A_LIST = re.compile(
    rf"[A-Z]项?\s*(?:{_JOINT}\s*[A-Z]项?)+(?=\w)|[A-Z]项\S*?[,;].*[A-Z]"
)  # a sentence about several
_NAMED_OPTION = re.compile(r"(?<![A-Za-z0-9])[A-Z][).:](?=\s)")
_SEVERAL_LETTERS = "?"


class Choice(NamedTuple):
    """What a place of the text commits to: a letter, or `?` where it names several or one that is no option."""

    at: int
    letter: str
    rule: str


def letter_of(answer: str, letters: str, options: Mapping[str, str] | None = None) -> str:
    """The letter that a bare answer is: `C`, `(C)`, `C. 5 m`, "option C", or the text of one option alone.

    Returns:
        The letter; `?` where the answer names several, or one that is no option; empty where it names none.
    """
    text = _plain(answer).strip()
    named = re.match(_NAMED, text, re.IGNORECASE)
    return _label(text, named.end() if named else 0, letters) or _option_with_text(text, options or {})


def chosen(text: str, letters: str, options: Mapping[str, str] | None = None, *, cut: bool = False) -> Choice | None:
    """The choice that a conclusion commits to, None where it commits to none.

    The last answer that is given as one counts; only where none is, the last sentence of choice.

    Args:
        text: The text after the thought.
        letters: The letters of the options.
        options: The text of each option by its letter, where it is known.
        cut: Whether the text ended at the token limit; then its last sentence or line is no conclusion.
    """
    plain = _plain(_with_marked_boxes(text[-MAX_TAIL:], letters, options or {}))
    given = sorted([*_boxed(plain), *_announced(plain, letters, options or {})])
    if given and given[-1].letter != _SEVERAL_LETTERS:
        return given[-1]
    if cut:
        return None
    since = given[-1].at if given else -1
    said = [choice for choice in _said(plain, letters, options or {}) if choice.at > since]
    said = said or ([] if given else list(_led_to(plain, letters)))
    return said[-1] if said and said[-1].letter != _SEVERAL_LETTERS else None


def _plain(text: str) -> str:
    """The text without its typography; a letter that is set apart by it stands in brackets."""
    text = unicodedata.normalize("NFKC", text)
    text = _WRAPPER.sub(r"{\1}", text) if "\\" in text else text
    return _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", _MARKUP.sub("", _ALONE.sub(r"(\2)", text))))


def _with_marked_boxes(text: str, letters: str, options: Mapping[str, str]) -> str:
    """The text with the letter that each box holds in its place, between marks of our own."""
    text = text.replace("⟦", "(").replace("⟧", ")")
    edge = len(text)
    for start, end, content in islice(boxes_backwards(text), MAX_BOXES):
        if end <= edge:  # not a box in a box
            letter = "" if is_denied(text, start, end) else letter_of(content, letters, options)
            text = f"{text[:start]} ⟦{letter}⟧ {text[end:]}"
            edge = start
    return text


def _boxed(plain: str) -> Iterator[Choice]:
    """The letters in boxes; one beside a box with another letter is one of several."""
    for box in _BOX.finditer(plain):
        beside = _BOX_BEFORE.search(plain, 0, box.start())
        several = beside is not None and beside[1] != box[1]
        if box[1]:
            yield Choice(box.start(), _SEVERAL_LETTERS if several else box[1], "box")


def _announced(plain: str, letters: str, options: Mapping[str, str]) -> Iterator[Choice]:
    for anchor in list(_ANNOUNCED.finditer(plain))[-MAX_ANCHORS:]:
        line = plain[anchor.end() : anchor.end() + MAX_LINE].partition("\n")[0].strip(" .。")
        letter = _label(plain, anchor.end(), letters) or _option_with_text(line, options)
        if letter and not _is_denied(plain, anchor.start()):
            yield Choice(anchor.end(), letter, "answer-is")


def _said(plain: str, letters: str, options: Mapping[str, str]) -> list[Choice]:
    """The choices in sentences and on lines of their own; several that are called correct are no choice."""
    correct, picked = list(_called_correct(plain, letters)), list(_picked(plain, letters))
    if len({choice.letter for choice in correct}) > 1:
        return sorted([Choice(correct[-1].at, _SEVERAL_LETTERS, "chosen"), *picked])
    last_line = plain.rstrip().rfind("\n")
    alone = () if any(choice.at > last_line for choice in picked) else _alone(plain, letters, options)
    return sorted([*correct, *picked, *alone])


def _picked(plain: str, letters: str) -> Iterator[Choice]:
    for anchor in list(_CHOSEN.finditer(plain))[-MAX_ANCHORS:]:
        letter = _label(plain, anchor.end(), letters, in_sentence=True)
        begins = anchor.start() + (plain[anchor.start()] in ".!?,")
        if letter and not _is_denied(plain, begins):
            yield Choice(anchor.end(), letter, "chosen")


def _called_correct(plain: str, letters: str) -> Iterator[Choice]:
    for match in chain(_CORRECT.finditer(plain), _ONLY.finditer(plain)):
        before = plain[max(match.start() - _MAX_BEFORE, 0) : match.start()]
        if match[1] in letters and not _DENIED.search(before):
            letter = _SEVERAL_LETTERS if _FIRST_OF_TWO.search(before) else match[1]
            yield Choice(match.start(), letter, "chosen")


def _alone(plain: str, letters: str, options: Mapping[str, str]) -> Iterator[Choice]:
    """A letter alone on the first or the last line, or the last line an option; not where several lines are options."""
    lines = [_BULLET.sub("", line.strip()) for line in plain.split("\n") if line.strip()]
    labels = {letter for line in lines if (letter := _label(line, 0, letters, in_sentence=True))}
    if len(labels) > 1 or not lines:
        return
    if len(_NAMED_OPTION.findall(lines[-1])) > 1 or _BEGINS_A_LIST.match(lines[-1]):
        return
    last = letter_of(lines[-1], letters, options) if len(lines[-1]) <= MAX_LINE else ""
    first = _label(lines[0], 0, letters) if len(lines[0]) <= len("(C).") else ""
    if letter := last or first:
        yield Choice(len(plain), letter, "whole")


def _led_to(plain: str, letters: str) -> Iterator[Choice]:
    """The only letter that the words of the last line lead to, such as "The ranking that fits is C."."""
    line = plain.rstrip().rfind("\n") + 1
    if len(_NAMED_OPTION.findall(plain, line)) > 1:
        return
    start = max((end.end() for end in _SO.finditer(plain, line)), default=line)
    asked = _ASKED_FOR.search(plain, line) is not None
    leads = [lead for lead in islice(_LEADS.finditer(plain, start), MAX_ANCHORS) if asked or not _is_plain(plain, lead)]
    led = [(lead, letter) for lead in leads if (letter := _label(plain, lead.end(), letters, in_sentence=True))]
    named = {name[1] for lead in leads if (name := _NAMED_BETWEEN.match(plain, lead.end()))}
    if len({letter for _, letter in led} | named) == 1 and led and not _OPEN.search(plain, start, led[-1][0].end()):
        yield Choice(led[-1][0].end(), led[-1][1], "chosen")


def _is_plain(plain: str, lead: re.Match[str]) -> bool:
    """Whether a lead is a bare "is" before a bare letter: "The flux is B"."""
    return _PLAIN_LEAD.fullmatch(lead[0]) is not None and plain[lead.end() : lead.end() + 1] != "("


def _label(text: str, at: int, letters: str, *, in_sentence: bool = False) -> str:
    """The letter that stands at a place as the name of an option, `?` for several, empty for none."""
    if _SEVERAL.match(text, at):
        return _SEVERAL_LETTERS
    label = _LABEL.match(text, at)
    line = text[label.end() : label.end() + MAX_LINE].partition("\n")[0] if label else ""
    if label is None or (_FORMULA.match(line) and not _IS_CORRECT.match(line)) or is_taken_back(text, label.end()):
        return ""
    if label[1].isupper() and (_SECOND_OF_TWO.match(line) or _ANOTHER.search(line)):
        return _SEVERAL_LETTERS
    if not (label[2] or _stands_alone(line, in_sentence=in_sentence, is_capital=label[1].isupper())):
        return ""
    if label[1].upper() in letters:
        return label[1].upper()
    return _SEVERAL_LETTERS if label[1].isupper() else ""


def _stands_alone(line: str, *, in_sentence: bool, is_capital: bool) -> bool:
    """Whether what follows a letter shows that it is the name of an option, and not the first word or symbol."""
    if not is_capital:
        return re.match(r"\s*(?:[.)!;。]\s*)?$", line) is not None
    ends = _SENTENCE_ENDS if in_sentence else _ENDS
    return any(pattern.match(line) for pattern in (ends, _TEXT_FOLLOWS, _IS_CORRECT))


def _bare(text: str) -> str:
    return _PUNCTUATION.sub("", _ARTICLE.sub("", text)).casefold()


def _is_denied(plain: str, at: int) -> bool:
    return _DENIED.search(plain[max(at - _MAX_BEFORE, 0) : at]) is not None


def _option_with_text(text: str, options: Mapping[str, str]) -> str:
    """The letter of the only option with this text, empty where none or several have it."""
    wanted = _bare(text)
    same = [letter for letter, option in options.items() if _bare(_plain(option)) == wanted]
    return same[0] if wanted and len(same) == 1 else ""
