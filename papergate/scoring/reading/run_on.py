"""Where a text that has given its answer goes on with another question, as base models do."""

import re

from papergate.scoring.reading.values import MAX_WHOLE, value_at

_NOUN = r"question|problem|exercise|task|instruction|题目|例题|练习|问题?"
_QUESTION = re.compile(
    r"\n(?:\\(?:sub)*section\*?\{)?[ \t*_#>\[【(]{0,8}(?=[QPETIHUNA用题例练问第])(?:(?:next|new|another)\s+)?"
    rf"(?:(?-i:Q)|{_NOUN}|input|human|user|用户|第?(?=\d+题))"
    r"(?:[ *_)]{0,4}[:：\]】]|\s*\d{1,4}题?[ *_)]{0,4}[:：.\]】}\n])"
    rf"|\n#{{1,6}}[ *_]*(?:{_NOUN})[ *_]*\n",
    re.IGNORECASE,
)
_ANSWERED = re.compile(
    r"\\f?box|#{4}\s*(?=[-$\d\\])|^(?-i:A):\s*\S|\b(?:answer|ans)\b[\s*_\"]*(?:is|are|:|=)[\s*_:$\\(\[{\"]*[^\s*_:]"
    r"|答案?】?[*_\s]*[:：是为选】]",
    re.IGNORECASE | re.MULTILINE,
)


def before_another_question(text: str) -> str:
    """The text up to a line such as "Q:", "Problem 2:", "User:", 题目： that comes after an answer, else the text."""
    first = _QUESTION.search(text)
    if first is None:
        return text
    if _begins_with_a_value(text[: first.start()].strip()):
        return text[: first.start()].rstrip()
    answered = _ANSWERED.search(text)
    following = answered and _QUESTION.search(text, answered.end())
    return text[: following.start()].rstrip() if following else text


def _begins_with_a_value(line: str) -> bool:
    return len(line) <= MAX_WHOLE and "\n" not in line and value_at(line, 0) is not None
