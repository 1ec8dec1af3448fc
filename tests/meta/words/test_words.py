"""Every sentence stands in every language, uses the same values and shows the same numbers."""

import ast
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

import papergate
from papergate.diagnosis.causes import CauseCode
from papergate.diagnosis.kinds import Kind
from papergate.diagnosis.sampling import Setting, alternatives
from papergate.run_folder.notes import note
from papergate.run_folder.preflight import Check
from papergate.words import LANGUAGES, chinese, english, label, say
from tests.meta.words.samples import SAMPLES

SAID = [(code, values) for code, given in SAMPLES.items() for values in given]
HOW = "add its sentences in papergate/words/ (english.py, chinese.py), and values in tests/meta/words/samples.py"


class Recorded(Mapping):
    """Remembers which values are asked for."""

    def __init__(self, values):
        self.values_given, self.used = values, set()

    def __getitem__(self, name):
        self.used.add(name)
        return self.values_given[name]

    def __iter__(self):
        return iter(self.values_given)

    def __len__(self):
        return len(self.values_given)


def said(code, values, language):
    """The sentence, without the net that `say` has for odd values."""
    words = LANGUAGES[language].SENTENCES[code]
    return words(values) if callable(words) else words.format_map(values)


def numbers(text):
    return Counter(re.findall(r"\d+(?:[.,]\d+)*(?:[%/.]\d+)?", text))


def made_by_the_library():
    """Every code that the library notes or checks, with the names of its values."""
    for path in sorted(Path(papergate.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="note"), args=[ast.Constant(value=code)]):
                    yield code, {keyword.arg for keyword in node.keywords}
                case ast.Call(func=ast.Name(id="checked"), args=[ast.Constant(value=code), ast.Constant(value=state)]):
                    if state != "ok":
                        yield f"{code}_{state}", {keyword.arg for keyword in node.keywords}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_every_code(language):
    codes = {code for code, _ in made_by_the_library()} | {f"cause_{code}" for code in CauseCode}
    assert len(codes) > 40
    assert not (codes | SAMPLES.keys()) - LANGUAGES[language].SENTENCES.keys(), HOW
    assert not LANGUAGES[language].SENTENCES.keys() - SAMPLES.keys(), HOW


def test_both_languages_label_the_same_things():
    assert english.LABELS.keys() == chinese.LABELS.keys(), "a new label stands in english.py and chinese.py"


@pytest.mark.parametrize(("code", "values"), SAID, ids=[code for code, _ in SAID])
def test_a_sentence_in_chinese_has_the_values_and_the_numbers_of_the_english_one(code, values):
    used = {language: Recorded(values) for language in LANGUAGES}
    texts = {language: said(code, used[language], language) for language in LANGUAGES}
    assert used["en"].used == used["zh"].used
    assert numbers(texts["en"]) == numbers(texts["zh"]), texts
    assert commands(texts["en"]) == commands(texts["zh"])
    if code != "as_written":
        assert re.search(r"[\u4e00-\u9fff]", texts["zh"]), texts["zh"]
        assert not re.search(r"[\u4e00-\u9fff]", texts["en"]), texts["en"]


def commands(text):
    return set(re.findall(r"--[a-z-]+|`\w+`|\w+\.jsonl?", text))


def test_the_library_gives_each_sentence_the_values_that_it_uses():
    for code, given in made_by_the_library():
        used = Recorded(SAMPLES[code][0])
        said(code, used, "en")
        assert None in given or used.used <= given, code


@pytest.mark.parametrize("seen", alternatives(Setting(temperature=0.6, top_p=0.95)))
def test_every_way_to_draw_that_is_seen_has_its_chinese(seen):
    assert seen in chinese._SEEN


def test_every_kind_of_damage_has_its_chinese():
    assert {kind.value for kind in Kind} <= chinese.LABELS.keys()


def test_a_check_is_said_with_its_state_and_its_server():
    check = Check(code="seeds", state="noted", server="http://a:1", values={"differ": 3, "pairs": 8})
    assert say(check).startswith("noted: http://a:1: 3 of 8 requests")
    assert say(check, "zh").startswith("注意：http://a:1：8 对")


@pytest.mark.parametrize("values", [{}, {"count": [1]}, {"count": None, "reasons": 3}])
@pytest.mark.parametrize("code", [*english.SENTENCES, "invented_later"])
def test_values_of_another_release_or_of_an_edited_record_are_shown_as_they_are(code, values):
    for language in LANGUAGES:
        assert say(note(code, **values), language)
    assert say(note("invented_later", cards=8)) == "invented_later: cards 8"


def test_a_label_without_words_is_shown_as_it_is():
    assert (label("score", "zh"), label("score"), label("invented later", "zh")) == ("得分", "score", "invented later")


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize(("code", "values"), [(code, values) for code, values in SAID if "run" in values])
def test_a_run_that_a_command_names_follows_an_equals_sign_for_pytest_takes_a_bare_folder_for_tests(
    code, values, language
):
    assert f"--run {values['run']}" not in said(code, values, language)
