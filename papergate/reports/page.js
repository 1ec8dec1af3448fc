"use strict";
// Data of the run comes in as JSON and as calls of `papergate.take`; it becomes text nodes and attributes, never markup.
const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const dialog = document.getElementById("answers");
const GLYPHS = { c: "", w: "×", l: "∞", t: "…", n: "–", s: "!", u: "?", f: "⚠", m: "○" };
const FILTERS = {
  all: () => true,
  wrong: (letter) => "wltns".includes(letter.toLowerCase()),
  cut: (letter) => letter !== letter.toLowerCase() || letter === "t",
  loops: (letter) => letter.toLowerCase() === "l",
  moved: (letter, promise, place) => promise.moved.includes(place),
  open: (letter) => "ufm".includes(letter.toLowerCase()),
};
const MOST_LISTED = 600;
const MOST_DRAWN = 8000; // squares; of more, only the rows that are seen are drawn

// -- words ----------------------------------------------------------------------------------------------------------

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

/** The label `name` in every language; the style shows one of them. */
function say(name, values = {}) {
  const nodes = document.createDocumentFragment();
  for (const [language, texts] of Object.entries(data.labels)) {
    nodes.append(element("span", { lang: language }, fill(texts[name] ?? name, values)));
  }
  return nodes;
}

/** The label in the language that is shown: for attributes and options, which hold one text. */
const word = (name, values = {}) => fill(data.labels[root.dataset.language][name] ?? name, values);

function speak(language) {
  root.lang = root.dataset.language = language;
  for (const button of document.querySelectorAll(".switch button")) {
    button.setAttribute("aria-pressed", String(button.dataset.to === language));
  }
  document.title = data.titles[language];
  for (const box of document.querySelectorAll(".grid-box")) drawGrid(box);
  if (dialog.open) show();
}

// -- nodes ----------------------------------------------------------------------------------------------------------

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.map((child) => (typeof child === "string" ? visible(child) : child)));
  return node;
}

const UNSEEN = new RegExp(data.unprintable, "gu");

/** Text as it may be shown: what cannot be seen, or turns the direction of writing, is spelled out. */
function visible(text) {
  return String(text).replace(UNSEEN, (letter) => `\\u{${letter.codePointAt(0).toString(16)}}`);
}

// -- texts, from the folder beside the page -----------------------------------------------------------------------

const loaded = new Map();

function load(promise, name) {
  const path = `${data.folder}/${encodeURIComponent(promise.promise)}/${name}.js`;
  if (loaded.has(path)) return loaded.get(path);
  const found = new Promise((resolve, reject) => {
    const script = element("script", { src: path });
    script.onload = () => {
      script.remove();
      if (!script.taken) reject(new Error("texts_damaged"));
      else if (script.taken.stamp !== promise.stamp) reject(new Error("texts_of_another_run"));
      else resolve(script.taken);
    };
    script.onerror = () => reject(new Error("texts_missing"));
    document.head.append(script);
  });
  loaded.set(path, found);
  if (loaded.size > 12) loaded.delete(loaded.keys().next().value);
  return found;
}

globalThis.papergate = {
  take(value) {
    document.currentScript.taken = value;
  },
};

/** Says in words at once that the texts are not beside the page, or are those of another run. */
async function lookForTexts() {
  const banner = document.getElementById("missing");
  for (const promise of data.promises.filter((each) => each.stamp)) {
    try {
      await load(promise, "index");
    } catch (error) {
      banner.replaceChildren(say(error.message, { folder: data.folder }));
      banner.hidden = false;
      return;
    }
  }
}

// -- problems x samples -----------------------------------------------------------------------------------------------

const isCorrect = (letter) => letter === "c" || letter === "C";
const rate = (codes) => [...codes].filter(isCorrect).length / (codes.length || 1);

function cell(letter, attributes) {
  const kind = letter.toLowerCase();
  return element("a", { class: `cell cell-${kind}`, ...attributes }, GLYPHS[kind]);
}

function drawGrid(box) {
  const number = Number(box.dataset.promise);
  const promise = data.promises[number];
  const rates = promise.codes.map(rate);
  const order = promise.codes.map((_, place) => place).sort((a, b) => rates[a] - rates[b] || a - b);
  box.classList.toggle("many", promise.codes.join("").length > MOST_DRAWN);
  box.replaceChildren(...order.map((place) => gridRow(number, promise, place)));
  const first = box.querySelector(".cell");
  if (first) first.tabIndex = 0;
  drawLegend(box.previousElementSibling, promise);
}

function gridRow(number, promise, place) {
  const codes = promise.codes[place];
  const cells = element("span", { class: "cells" });
  for (let sample = 0; sample < codes.length; sample++) {
    const ended = word(`ended_${data.letters[codes[sample].toLowerCase()]}`);
    cells.append(
      cell(codes[sample], {
        href: `#answers/${number}/${place}/${sample}`,
        tabindex: -1,
        "aria-label": `${visible(promise.problems[place])} ${sample + 1}: ${ended}`,
      }),
    );
  }
  const correct = [...codes].filter(isCorrect).length;
  const name = element("span", { title: visible(promise.problems[place]) }, promise.problems[place]);
  return element("div", { class: "row" }, name, element("span", {}, `${correct} / ${codes.length}`), cells);
}

function drawLegend(legend, promise) {
  const present = new Set(promise.codes.join("").toLowerCase());
  legend.replaceChildren(
    ...[...present].map((letter) =>
      element(
        "span",
        { class: "word" },
        element("span", { class: `cell cell-${letter}` }, GLYPHS[letter]),
        say(`ended_${data.letters[letter]}`),
      ),
    ),
  );
}

/** One stop for the tab key; arrows go from cell to cell. */
function walk(event) {
  const from = event.target.closest?.(".grid-box .cell");
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!from || !steps) return;
  const row = from.closest(".row");
  const rows = [...row.parentElement.children];
  const at = [...from.parentElement.children].indexOf(from) + steps[1];
  const to = rows[rows.indexOf(row) + steps[0]]?.querySelector(".cells").children[at];
  if (!to) return;
  event.preventDefault();
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}

// -- answers ----------------------------------------------------------------------------------------------------------

let query = "";
let matches = null; // the samples whose texts hold the query, by place; null where no text was searched
let searching = 0;

/** What a filter keeps: answers that ended so, or that look so; nothing where there is no such filter. */
function keeps(promise, filter) {
  if (Object.hasOwn(FILTERS, filter)) return FILTERS[filter];
  if (Object.hasOwn(data.letters, filter)) return (letter) => letter.toLowerCase() === filter;
  const look = filtersOfLooks(promise)[filter];
  return look && ((_letter, _promise, place, sample) => promise.looks[place][sample] === look);
}

/** The filters for what answers of the promise look like, with the letter of each. */
function filtersOfLooks(promise) {
  const present = [...new Set(promise.looks.join(""))].filter((letter) => Object.hasOwn(data.looks, letter)).sort();
  return Object.fromEntries(present.map((letter) => [`looks-${letter}`, letter]));
}

/** #answers/PROMISE/PROBLEM/SAMPLE/FILTER; what is left out is chosen. */
function route() {
  const [name, promise, place, sample, filter] = location.hash.slice(1).split("/");
  if (name !== "answers" || !data.promises[promise]?.codes.length) return null;
  const wanted = keeps(data.promises[promise], filter ?? "") ? filter : "all";
  const listed = list(data.promises[promise], wanted);
  const chosen = place ? [Number(place), Number(sample || 0)] : listed[0];
  return { number: Number(promise), promise: data.promises[promise], filter: wanted, listed, chosen };
}

function list(promise, filter) {
  const keep = keeps(promise, filter);
  const found = [];
  promise.codes.forEach((codes, place) => {
    if (!matches && query && !promise.problems[place].toLowerCase().includes(query)) return;
    for (let sample = 0; sample < codes.length; sample++) {
      if (keep(codes[sample], promise, place, sample) && (!matches || matches.get(place)?.has(sample))) found.push([place, sample]);
    }
  });
  return found;
}

const addressOf = (at, [place, sample], filter = at.filter) => `#answers/${at.number}/${place}/${sample}/${filter}`;

function show() {
  const at = route();
  if (!at) {
    if (dialog.open) dialog.close();
    return;
  }
  dialog.replaceChildren(tools(at), element("div", { class: "panes" }, listOf(at), shownOf(at)));
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

function tools(at) {
  const filter = element("select", { id: "filter" });
  const add = (name, label) => filter.append(element("option", { value: name, selected: name === at.filter }, label));
  for (const name of Object.keys(FILTERS)) add(name, word(`filter_${name}`));
  for (const [name, ended] of Object.entries(data.letters)) add(name, word(`ended_${ended}`));
  for (const [name, look] of Object.entries(filtersOfLooks(at.promise))) add(name, `${word("class")}: ${word(data.looks[look])}`);
  filter.onchange = () => go(`#answers/${at.number}///${filter.value}`);
  const search = element("input", { id: "search", type: "search", value: query, placeholder: word("search_hint") });
  search.onchange = () => {
    query = search.value.trim().toLowerCase();
    matches = null;
    go(`#answers/${at.number}///${at.filter}`);
  };
  const texts = element("button", { type: "button", id: "search-texts" }, say("search_texts"));
  texts.onclick = () => searchTexts(at, search.value.trim());
  return element(
    "div",
    { class: "tools" },
    element("h2", { id: "answers-title" }, say("answers_of", { promise: at.promise.promise })),
    element("label", { for: "filter" }, say("filter")),
    filter,
    element("label", { for: "search" }, say("search")),
    search,
    texts,
    step(at, -1, "previous"),
    step(at, 1, "next"),
    closing(),
  );
}

function step(at, by, name) {
  const here = at.listed.findIndex((key) => String(key) === String(at.chosen));
  const button = element("button", { type: "button", id: name }, say(name));
  const to = at.listed[here + by];
  button.disabled = !to;
  button.onclick = () => go(addressOf(at, to));
  return button;
}

function closing() {
  const button = element("button", { type: "button", id: "close" }, say("close"));
  button.onclick = () => dialog.close();
  return button;
}

function go(hash) {
  if (location.hash === hash) show();
  else location.hash = hash;
}

function listOf(at) {
  const here = at.listed.findIndex((key) => String(key) === String(at.chosen));
  const first = Math.max(0, Math.min(here - MOST_LISTED / 2, at.listed.length - MOST_LISTED));
  const items = at.listed.slice(first, first + MOST_LISTED).map(([place, sample]) => {
    const letter = at.promise.codes[place][sample];
    const mark = element("span", { class: `cell cell-${letter.toLowerCase()}`, "aria-hidden": "true" }, GLYPHS[letter.toLowerCase()]);
    const link = element("a", { href: addressOf(at, [place, sample]) }, mark, `${at.promise.problems[place]} · ${sample + 1}`);
    link.setAttribute("aria-label", `${visible(at.promise.problems[place])} ${sample + 1}: ${word(`ended_${data.letters[letter.toLowerCase()]}`)}`);
    if (String([place, sample]) === String(at.chosen)) link.setAttribute("aria-current", "true");
    return element("li", {}, link);
  });
  const count = element("p", { id: "listed" }, say("listed", { shown: items.length, of: at.listed.length }));
  return element("nav", { class: "list", "aria-label": word("answers"), tabindex: 0 }, count, element("ol", {}, ...items));
}

function shownOf(at) {
  const pane = element("div", { class: "shown", tabindex: 0, role: "region", "aria-label": word("answer") });
  if (!at.chosen || !at.promise.codes[at.chosen[0]]?.[at.chosen[1]]) {
    pane.append(element("p", {}, say("nothing_listed")));
    return pane;
  }
  pane.append(element("p", { class: "soft" }, say("loading")));
  load(at.promise, at.chosen[0]).then(
    (chunk) => pane.replaceChildren(...transcript(at, chunk)),
    (error) => pane.replaceChildren(element("p", { class: "banner" }, say(error.message, { folder: data.folder }))),
  );
  return pane;
}

function transcript(at, chunk) {
  const [place, sample] = at.chosen;
  const golden = chunk.golden?.length ? chunk.golden[sample % chunk.golden.length] : null;
  const sides = element("div", { class: "sides" }, side("this_run", at, chunk.answers.find((each) => each.sample === sample), gradeOf(chunk.grades, sample)));
  if (golden) sides.append(side("golden_run", at, golden, gradeOf(chunk.golden_grades, golden.sample)));
  const parts = [element("h3", {}, `${at.promise.problems[place]} · ${sample + 1} / ${at.promise.codes[place].length}`)];
  if (at.promise.golden[place]) {
    const [correct, planned] = at.promise.golden[place];
    const ours = at.promise.codes[place];
    parts.push(element("p", { class: "soft" }, say("problem_rates", { here: `${[...ours].filter(isCorrect).length} / ${ours.length}`, golden: `${correct} / ${planned}` })));
  }
  if (chunk.question) parts.push(element("h4", {}, say("question")), text(chunk.question));
  else parts.push(element("p", { class: "note" }, say(at.promise.shown ? "question_not_kept" : "texts_withheld")));
  return [...parts, sides];
}

const gradeOf = (grades, sample) => grades.find((grade) => grade.sample === sample);

function side(name, at, answer, grade) {
  const section = element("section", {}, element("h4", {}, say(name)));
  if (!answer) {
    section.append(element("p", {}, say("never_came")));
    return section;
  }
  section.append(factsOf(answer, grade));
  if (answer.error) section.append(element("h4", {}, say("error")), text(answer.error));
  if (answer.text !== null) section.append(...textsOf(answer.text, at.promise));
  return section;
}

function factsOf(answer, grade) {
  const rows = [
    ["grade", grade ? [say(`outcome_${grade.outcome}`)] : [say("not_graded")]],
    ["extracted", [grade?.extracted ?? "-"]],
    ["gold", [grade?.gold ?? "-"]],
    ["rule", [[grade?.rule, grade?.reason].filter(Boolean).join(", ") || "-"]],
    ["class", grade?.kind ? [say(grade.kind)] : ["-"]],
    ["tokens", [`${answer.prompt_tokens ?? "-"} + ${answer.output_tokens ?? "-"}`]],
    ["finish", [[answer.finish, answer.finish_reason].filter(Boolean).join(", ")]],
    ["endpoint", [answer.endpoint ?? "-"]],
    ["model_named", [answer.model ?? "-"]],
    ["seed", [String(answer.seed ?? "-")]],
    ["seconds", [[answer.ttft_s, answer.e2e_s].map((at) => (at == null ? "-" : at.toPrecision(3))).join(" / ")]],
  ];
  return element("table", { class: "pairs" }, element("tbody", {}, ...rows.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, say(name)), element("td", {}, ...value)))));
}

/** Thought and answer, parted at the last mark that closes a thought. */
function textsOf(whole, promise) {
  const ends = [...promise.marks, ...data.marks].map((mark) => [whole.lastIndexOf(mark), mark]);
  const [at, mark] = ends.reduce((best, each) => (each[0] > best[0] ? each : best), [-1, ""]);
  if (at < 0) return [element("h4", {}, say("whole_text", { length: whole.length })), text(whole)];
  const thought = whole.slice(0, at);
  return [
    element("h4", {}, say("thought", { length: thought.length })),
    text(thought),
    element("h4", {}, say("answer_after_thought", { length: whole.length - at - mark.length })),
    text(whole.slice(at + mark.length)),
  ];
}

/** A text with what was searched for marked in it. */
function text(whole) {
  const pre = element("pre", { class: "text-of", tabindex: 0 });
  const shown = visible(whole);
  const wanted = visible(query);
  const folded = shown.toLowerCase();
  let from = 0;
  for (let at = wanted ? folded.indexOf(wanted) : -1; at >= 0; at = folded.indexOf(wanted, from)) {
    pre.append(shown.slice(from, at), element("mark", {}, shown.slice(at, at + wanted.length)));
    from = at + wanted.length;
  }
  pre.append(shown.slice(from));
  return pre;
}

/** Reads the texts of one problem after another, so that memory holds one; another search ends this one. */
async function searchTexts(at, wanted) {
  const mine = ++searching;
  const found = new Map();
  query = wanted.toLowerCase();
  if (!query) return;
  for (let place = 0; place < at.promise.codes.length; place++) {
    const chunk = await load(at.promise, place).catch(() => null);
    if (mine !== searching || !dialog.open) return;
    const samples = (chunk?.answers ?? []).filter((answer) => answer.text?.toLowerCase().includes(query)).map((answer) => answer.sample);
    if (samples.length) found.set(place, new Set(samples));
    document.getElementById("listed")?.replaceChildren(say("searched", { done: place + 1, of: at.promise.codes.length, found: found.size }));
  }
  matches = found;
  go(`#answers/${at.number}///${at.filter}`);
}

// -- begin ------------------------------------------------------------------------------------------------------------

for (const button of document.querySelectorAll(".switch button")) button.onclick = () => speak(button.dataset.to);
dialog.addEventListener("close", () => {
  searching++;
  query = "";
  matches = null;
  if (location.hash.startsWith("#answers")) history.replaceState(null, "", location.pathname + location.search);
});
addEventListener("hashchange", show);
addEventListener("keydown", walk);
addEventListener("beforeprint", () => document.querySelectorAll("details:not([open])").forEach((each) => { each.open = true; each.dataset.closed = ""; }));
addEventListener("afterprint", () => document.querySelectorAll("details[data-closed]").forEach((each) => { each.open = false; delete each.dataset.closed; }));
speak(root.dataset.language);
lookForTexts();
show();
