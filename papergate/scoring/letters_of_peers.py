"""OpenCompass 0.4.1's rules for the letter of a multiple-choice answer, their slips included."""

import re

# What stands before the letter in Chinese, tried in this order; two phrases of the tool are one, as a comma is missing.
_BEFORE = (
    r"答案是?\s*",
    r"答案是?\s*：\s*",
    r"答案是?\s*:\s*",
    r"答案选项应?该?是\s*",
    r"答案选项应?该?为\s*",
    r"答案应该?是\s*",
    r"答案应该?选\s*",
    r"答案选项为?\s*：\s*",
    r"答案选项为?\s+\(?\*?\*?",
    r"答案选项是?\s*:\s*",
    r"答案为\s*",
    r"答案选\s*",
    r"选择?\s*",
)
_ONLY = tuple(rf"只有选?项?\s?{{letter}}\s?{ends}" for ends in ("是?错", "不?正确", "错误"))
_WRONG = tuple(rf"说法{kind}选?项?的?是\s?{{letter}}" for kind in ("不?对", "不?正确", "错误"))
_CHINESE = (
    *(f"{before}{{letter}}" for before in _BEFORE),
    r"故选?\s*{letter}只有选?项?\s?{letter}\s?是?对",
    *_ONLY,
    *_WRONG,
    r"{letter}\s?是正确的",
    r"{letter}\s?是正确答案",
    r"选项\s?{letter}\s?正确",
    r"所以答\s?{letter}",
    r"所以\s?({options}[.。$]?$)",
    r"所有\s?({options}[.。$]?$)",
    r"[\s，：:,]{letter}[。，,\.]?$",
    r"[\s，,：:][故即]{letter}[。\.]?$",
    r"[\s，,：:]因此{letter}[。\.]?$",
    r"[是为。]\s?{letter}[。\.]?$",
    r"因此\s?{letter}[。\.]?$",
    r"显然\s?{letter}[。\.]?$",
    *(rf"答案{verb}\s?(\S+)(?:。|$)" for verb in ("是", "应该是", "为")),
)
_ENGLISH = (
    r"(?i)ANSWER\s*:\s*{letter}",
    r"[Tt]he answer is:?\s+\(?{letter}\)?",
    r"[Tt]he answer is:?\s+\(?\*?\*?{letter}\*?\*?\)?",
    r"[Tt]he answer is option:?\s+\(?{letter}\)?",
    r"[Tt]he correct answer is:?\s+\(?{letter}\)?",
    r"[Tt]he correct answer is option:?\s+\(?{letter}\)?",
    *(rf"[Tt]he correct {what} is:?.*?boxed{{{{{{letter}}}}}}" for what in ("answer", "option", "answer option")),
    r"[Tt]he answer to the question is:?\s+\(?{letter}\)?",
)
_ANYWHERE = (
    r"^选项\s?{letter}",
    r"^{letter}\s?选?项",
    r"(\s|^){options}[\s。，,：:\.$]",
    r"1.\s?(.*?)$",
    r"1.\s?{letter}[.。$]?$",
    r"{letter}:",
    r"{letter}",
)
PATTERNS = (*_CHINESE, *_ENGLISH, *_ANYWHERE)


def first_capital(text: str, _letters: str) -> str:
    """The first character that is upper case, an option or not; empty where there is none."""
    return next((character for character in text if character.isupper()), "")


def first_option(text: str, letters: str) -> str:
    """The first option in what the first fitting pattern finds; a pattern that finds none of them gives way."""
    text = text.strip()
    for pattern in PATTERNS:
        options = f"[{letters}]"
        found = re.search(pattern.format(letter=f"({options})", options=options), text, re.DOTALL)
        read = (found[1] or found[0]) if found else ""
        if option := next((letter for letter in letters if letter in read), ""):
            return option
    return ""
