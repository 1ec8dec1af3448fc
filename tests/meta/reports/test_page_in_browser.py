"""The page in a real browser, from a file: what it shows and loads, hostile texts, languages, phones, accessibility."""

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from papergate.acceptance.golden import golden_of, read_golden
from papergate.engines import Finish
from papergate.reports.run import write_run_page
from papergate.reports.table import Line
from papergate.run_folder.files import PAGE_FILE, TRANSCRIPTS_FOLDER
from papergate.run_folder.notes import note
from studies.browser import CHROMIUM, DRIVER, PATIENCE_S, browser_of
from tests.meta.reports.test_transcripts import HOSTILE, kept
from tests.meta.tiny_runs import BENCHMARK, SPECS, TINY, completions_of, like_the_paper

pytest.importorskip("selenium", reason="needs selenium: pip install -e '.[dev]'")
AXE = Path(__file__).parents[3] / ".browser" / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver: make .browser/ready installs them"
)
ATTACK = (
    f'"><img src=x onerror="hacked=1"><script>hacked=1</script>{HOSTILE}<a href=\'javascript:hacked=1\'>x</a>&lt;b&gt;'
)


@pytest.fixture(scope="module")
def browser():
    with browser_of() as driver:
        yield driver


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that fails beside a golden run: wrong, cut off, repeating, failed and hostile answers of two servers."""
    folder = tmp_path_factory.mktemp("runs")
    kept(folder / "golden", completions_of(like_the_paper, 8), 8)
    golden = golden_of(read_golden(folder / "golden", SPECS["tiny-aime"]), BENCHMARK.problems, BENCHMARK.digest)
    completions = [
        replace(done, output_tokens=100 + 9 * place, ttft_s=0.1, e2e_s=1.0 + place, endpoint=f"http://{place % 2}:1")
        for place, done in enumerate(
            completions_of(lambda place, sample: place > 9 and like_the_paper(place, sample), 8)
        )
    ]
    odd = {
        0: {"text": f"{ATTACK}</think>{ATTACK}\\boxed{{{ATTACK}}}", "model": ATTACK, "endpoint": ATTACK},
        1: {"text": "an unclosed thought", "finish": Finish.LENGTH},
        2: {"text": "again and again. " * 400 + "</think>\\boxed{1000}"},
        3: {"text": None, "finish": Finish.FAILED, "error": ATTACK},
    }
    completions = [replace(done, **odd.get(place, {})) for place, done in enumerate(completions)]
    record = kept(folder / "run", completions, 8, golden=golden)
    hostile = record.model_copy(
        update={
            "title": ATTACK,
            "hardware": ATTACK,
            "causes": (note(ATTACK, value=ATTACK), *record.causes),
            "engine": record.engine.model_copy(update={"version": ATTACK, "environment": {ATTACK: ATTACK}}),
        }
    )
    hostile.write(folder / "run" / TINY.id / "verdict.json")
    write_run_page(folder / "run", [])
    return folder / "run"


@pytest.fixture(autouse=True)
def _at_rest(browser):
    """Every test begins on an empty page, wide and light, with no messages of another."""
    browser.get("about:blank")
    browser.get_log("browser")
    sized(browser, 1280)
    media(browser)


def sized(browser, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def media(browser, **features):
    wanted = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})


def opened(browser, folder, place=""):
    browser.get((folder / PAGE_FILE).as_uri() + place)


def until(browser, script, *values):
    """What ``script`` returns, once it returns something."""
    end = time.monotonic() + PATIENCE_S
    while not (found := browser.execute_script(f"return {script}", *values)):
        assert time.monotonic() < end, f"never: {script}"
        time.sleep(0.05)
    return found


def texts(browser, selector):
    return browser.execute_script("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector)


def shown(browser):
    """The transcript in the pane, once its texts are there."""
    until(browser, "document.querySelector('.shown h3, .shown .banner')")
    return texts(browser, ".shown")[0]


def complaints(browser):
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}]


def test_nothing_that_a_server_says_becomes_markup_or_script_and_nothing_is_asked_of_anyone(browser, run):
    opened(browser, run, "#answers/0/0/0/all")
    assert "hacked=1" in shown(browser)
    assert browser.execute_script("return typeof hacked") == "undefined"
    assert browser.execute_script("return document.querySelectorAll('img, iframe, object, script[src]').length") == 0
    assert browser.execute_script("return document.scripts.length") == 2
    links = browser.execute_script("return [...document.links].map(link => link.getAttribute('href'))")
    assert links
    assert all(link.startswith("#") for link in links)
    asked = browser.execute_script("return performance.getEntriesByType('resource').map(each => each.name)")
    assert all(name.startswith(run.as_uri()) for name in asked), asked
    assert complaints(browser) == []


def test_letters_that_turn_the_direction_of_writing_are_spelled_out(browser, run):
    opened(browser, run, "#answers/0/0/0/all")
    whole = shown(browser) + texts(browser, "main")[0]
    assert not {"\u202e", "\u2028", "\u2029"} & set(whole)
    assert "\\u{202e}" in whole
    assert "\\u{2028}" in whole


def test_an_inline_handler_or_script_that_got_in_would_not_run(browser, run):
    opened(browser, run)
    browser.execute_script(
        "document.body.insertAdjacentHTML('beforeend', arguments[0]); document.getElementById('bad').click()",
        '<img src=x onerror="hacked=1"><a id="bad" href="javascript:hacked=1">x</a>',
    )
    until(browser, "document.querySelector('#bad')")
    time.sleep(0.3)
    assert browser.execute_script("return typeof hacked") == "undefined"
    assert any("Content Security Policy" in message for message in complaints(browser))


def test_every_planned_answer_is_a_square_that_leads_to_its_text_beside_the_golden_runs(browser, run):
    opened(browser, run)
    assert browser.execute_script("return document.querySelectorAll('.grid-box .cell').length") == 240
    browser.execute_script("document.querySelector('a[href=\"#answers/0/12/3\"]').click()")
    said = shown(browser)
    assert BENCHMARK.problems[12].id in said
    assert BENCHMARK.problems[12].text in said
    assert "this run" in said
    assert "golden run" in said
    assert "draw 3" in said
    assert browser.execute_script("return document.querySelectorAll('.sides > section').length") == 2


def test_the_counts_of_how_answers_ended_add_up_to_the_plan(browser, run):
    opened(browser, run)
    counts = browser.execute_script(
        "return [...document.querySelectorAll('#ends-0 ~ .wide')[0].querySelectorAll('tbody td:nth-child(2)')]"
        ".map(cell => Number(cell.textContent.replace(',', '')))"
    )
    assert sum(counts) == 240


@pytest.mark.parametrize(
    ("chosen", "listed"), [("wrong", 127), ("cut", 1), ("loops", 1), ("open", 1), ("all", 240), ("moved", 80)]
)
def test_filters_list_the_answers_that_they_name(browser, run, chosen, listed):
    opened(browser, run, f"#answers/0///{chosen}")
    shown(browser)
    found = browser.execute_script("return document.querySelectorAll('.list a').length")
    (count,) = texts(browser, "#listed")
    assert count.startswith(f"{found} of {found} ")
    if chosen in {"cut", "loops", "open", "all"}:
        assert found == listed
    else:
        assert 0 < found < 240


def test_each_thing_that_answers_look_like_lists_as_many_as_its_row_counts(browser, run):
    opened(browser, run)
    rows = browser.execute_script(
        "return [...document.querySelectorAll('.bars a[href*=looks-]')]"
        ".map(link => [link, link.closest('tr').querySelector('td:nth-child(2)')])"
        ".map(([link, count]) => [link.hash, link.innerText, Number(count.innerText)])"
    )
    assert {name for _, name, _ in rows} >= {"loop", "cut in the thought by the limit", "complete"}
    for place, name, count in rows:
        opened(browser, run, place)
        shown(browser)
        assert browser.execute_script("return document.querySelectorAll('.list a').length") == count, name
        assert browser.execute_script("return document.getElementById('filter').selectedOptions[0].text").endswith(name)


def test_search_finds_a_problem_by_name_and_a_text_by_its_words(browser, run):
    opened(browser, run, "#answers/0")
    shown(browser)
    search = "const at = document.getElementById('search'); at.value = arguments[0];"
    browser.execute_script(search + "at.onchange()", BENCHMARK.problems[4].id)
    until(browser, "document.querySelectorAll('.list a').length === 8")
    browser.execute_script(search + "document.getElementById('search-texts').click()", "again and AGAIN")
    until(browser, "document.querySelectorAll('.list a').length === 1 && document.querySelector('.shown mark')")
    assert BENCHMARK.problems[0].id in texts(browser, ".list")[0]


def test_arrow_keys_go_from_square_to_square(browser, run):
    opened(browser, run)
    where = browser.execute_script(
        "document.querySelector('.grid-box .cell').focus();"
        "for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowUp'])"
        "  document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));"
        "const row = document.activeElement.closest('.row');"
        "const at = node => [...node.parentElement.children].indexOf(node);"
        "return [at(row), at(document.activeElement)]"
    )
    assert where == [1, 1]
    stops = browser.execute_script("return document.querySelectorAll('.grid-box .cell[tabindex=\"0\"]').length")
    assert stops == 1


def copied(run, folder):
    shutil.copy(run / PAGE_FILE, folder / PAGE_FILE)
    return folder


def test_a_page_without_its_folder_says_so_in_words_and_shows_all_else(browser, run, tmp_path):
    opened(browser, copied(run, tmp_path))
    until(browser, "!document.getElementById('missing').hidden")
    assert "are not beside this page" in texts(browser, "#missing")[0]
    assert "The promise is not kept" in texts(browser, "main")[0]
    opened(browser, tmp_path, "#answers/0/0/0/all")
    browser.refresh()
    assert "are not beside this page" in shown(browser)


def test_the_folder_of_another_run_is_refused_in_words(browser, run, tmp_path):
    kept(tmp_path / "other", completions_of(like_the_paper, 8), 8)
    copied(run, tmp_path)
    shutil.copytree(tmp_path / "other" / TRANSCRIPTS_FOLDER, tmp_path / TRANSCRIPTS_FOLDER)
    opened(browser, tmp_path, "#answers/0/0/0/all")
    assert "is of another run" in shown(browser)
    until(browser, "!document.getElementById('missing').hidden")


def test_a_damaged_file_of_texts_is_told_from_a_missing_one(browser, run, tmp_path):
    copied(run, tmp_path)
    shutil.copytree(run / TRANSCRIPTS_FOLDER, tmp_path / TRANSCRIPTS_FOLDER)
    (tmp_path / TRANSCRIPTS_FOLDER / TINY.id / "0.js").write_text("papergate.take({")
    opened(browser, tmp_path, "#answers/0/0/0/all")
    assert "cannot be read: a file is damaged" in shown(browser)


def test_one_page_speaks_both_languages(browser, run):
    opened(browser, run)
    assert "The promise is not kept" in texts(browser, "main")[0]
    browser.execute_script("document.querySelector('button[data-to=zh]').click()")
    chinese = texts(browser, "main")[0]
    assert "承诺未达到" in chinese
    assert "The promise is not kept" not in chinese
    assert browser.execute_script("return document.documentElement.lang") == "zh"
    assert "未达到" in browser.title


@pytest.mark.parametrize("width", [390, 768, 1920])
def test_nothing_is_wider_than_the_screen(browser, run, width):
    sized(browser, width)
    for place in ("", "#answers/0/0/0/all"):
        opened(browser, run, place)
        browser.refresh()
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_phone_shows_rows_with_their_names_and_bars(browser, run, language):
    sized(browser, 390)
    opened(browser, run)
    browser.execute_script(f"document.querySelector('.switch button[lang={language}]').click()")
    heights = browser.execute_script(
        "return [...document.querySelectorAll('.bars tbody th')].filter(one => one.innerText.length < 16)"
        ".map(one => one.offsetHeight / parseFloat(getComputedStyle(one).lineHeight))"
    )
    ends = browser.execute_script(
        "return [...document.querySelectorAll('.bars .bar')].map(one => one.getBoundingClientRect().right)"
    )
    assert len(heights) > 5
    assert max(heights) < 3
    assert max(ends) <= 390


WORDS_IN_TWO = """
const words = [];
for (const at of document.querySelectorAll('.overview td, .note')) {
  const texts = document.createTreeWalker(at, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const word of texts.currentNode.data.matchAll(/--[a-z-]+|\\w{2,}/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (range.getClientRects().length > 1) words.push(word[0]);
    }
  }
}
return words;
"""


@pytest.mark.parametrize("width", [390, 500, 768, 1280])
def test_no_word_and_no_option_is_broken_over_two_lines(browser, tmp_path, width):
    kept(tmp_path, completions_of(lambda *_: False, 4), 4)
    write_run_page(tmp_path, [Line(promise="cpu_vllm-vllm-papergate-tiny-tiny-math", error="away")])
    sized(browser, width)
    opened(browser, tmp_path)
    assert "--samples" in texts(browser, "main")[0]
    assert browser.execute_script(WORDS_IN_TWO) == []


def test_printing_opens_every_detail(browser, run):
    opened(browser, run)
    assert browser.execute_script(
        "dispatchEvent(new Event('beforeprint'));"
        "const open = document.querySelectorAll('details').length, closed = 'details:not([open])';"
        "const left = document.querySelectorAll(closed).length; dispatchEvent(new Event('afterprint'));"
        "return [open > 3, left, document.querySelectorAll(closed).length === open]"
    ) == [True, 0, True]


@pytest.mark.parametrize(
    ("width", "look", "place", "language"),
    [
        (1280, {}, "", "en"),
        (1280, {"prefers_color_scheme": "dark"}, "", "en"),
        (390, {}, "", "zh"),
        (1280, {}, "#answers/0/0/0/all", "en"),
        (390, {"prefers_color_scheme": "dark"}, "#answers/0/1/1/wrong", "en"),
    ],
)
def test_an_accessibility_check_finds_nothing_serious(browser, run, width, look, place, language):
    if not AXE.exists():
        pytest.skip(f"needs axe-core in {AXE}: make .browser/ready installs it")
    sized(browser, width)
    media(browser, **look)
    opened(browser, run, place)
    browser.refresh()
    if place:
        shown(browser)
    browser.execute_script(f"document.querySelector('button[data-to={language}]').click()")
    browser.execute_script(AXE.read_text())
    found = browser.execute_async_script("axe.run(document).then(arguments[arguments.length - 1])")
    bad = {
        each["id"]: [node["html"][:200] for node in each["nodes"][:3]]
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    }
    assert bad == {}, json.dumps(bad, indent=1)


def test_an_empty_run_and_one_without_answers_have_a_page(browser, tmp_path):
    write_run_page(tmp_path, [])
    opened(browser, tmp_path)
    assert "Nothing was measured" in texts(browser, "main")[0]
    assert complaints(browser) == []
