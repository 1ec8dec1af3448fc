"""A cheap test before a costly pattern: whether a text has any of the words without which the pattern cannot match."""


def has_any(text: str, words: tuple[str, ...]) -> bool:
    """Whether a text has one of the words, in whatever case; the words are given in lower case."""
    lowered = text.lower()
    return any(word in lowered for word in words)
