// One document as one model answered it.

const ROLE = {
  Definition: { missed: "should have matched", unknown: "should have matched", gold: "gold, was not chosen", answer: "was chosen instead" },
  Direction: "decides which mention comes first",
  Restrictions: "should have kept it from applying",
  Overlaps: "decides between the two",
  "No relation": "should have applied",
};

function roleOf(row, relation, part) {
  const role = ROLE[part];
  if (typeof role === "string") return role;
  if (role === undefined) return "";
  if (row.outcome === "direction") return "holds the direction, for lack of a clause of its own";
  if (row.outcome === "overread") return "did not hold, for lack of restrictions";
  return role[row.outcome] ?? (relation === relationOf(row.item.gold).name ? role.gold : role.answer);
}

const labelText = (label) => (label === null ? el("span", { class: "note" }, "–") : el("code", {}, label));

function pairFacts(row) {
  const wrong = isError(row);
  const facts = [
    ["gold", labelText(row.item.gold), ""],
    ["predicted", labelText(row.answer), wrong ? "wrong" : row.outcome === "right" ? "right" : ""],
  ];
  return el("dl", { class: "verdict" }, ...facts.map(([name, value, style]) => el("div", { class: style }, el("dt", {}, name), el("dd", {}, value))));
}

function chipLine(row) {
  const shown = [outcomeChip(row)];
  if (FORM_ERRORS.includes(row.status)) shown.push(chip(STATUS[row.status], "wrong"));
  const right = row.samples.filter((sample) => sample.right).length;
  if (row.samples.length) shown.push(el("span", { class: "note" }, `samples: ${right} of ${row.samples.length} right`));
  return el("p", { class: "chips" }, ...shown);
}

function samplesLine(row) {
  if (!row.samples.length) return null;
  const made = row.samples.map((s) => el("code", { class: s.right ? "right" : "wrong" }, s.answer ?? "no answer"));
  return el("p", { class: "samples" }, "Samples: ", ...made.flatMap((node, i) => (i ? [" · ", node] : [node])));
}

function clauseList(row, openClause) {
  const book = row.book === null ? null : raw.books[row.book];
  if (!isError(row)) return null;
  const say = (text) => el("p", { class: "note" }, text);
  const head = el("h4", {}, "Clauses this error touches");
  if (!book?.clauses) return el("div", {}, head, say(row.book === null ? "This answer was given without a guideline." : "The guideline was not kept with this run."));
  if (!row.touched.length) return el("div", {}, head, say(row.answer === null ? "None: without a single answer there is nothing to decide between." : "None: the gold label is not in the guideline shown."));
  const made = row.touched.map((place) => {
    const [relation, part, lines] = book.clauses[place];
    const phrase = row.quoted.get(place);
    return el("li", {},
      el("button", { type: "button", class: "link", on: { click: () => openClause(row.book, place) } }, `${relation} · ${raw.parts[part]}`),
      el("span", { class: "note" }, ` ${roleOf(row, relation, raw.parts[part])}`),
      el("blockquote", {}, ...lines.slice(0, 12).map((line) => el("span", { class: "line" }, line))),
      phrase ? el("span", { class: "evidence yes" }, `the reasoning has its words: “${phrase}”`)
        : el("span", { class: "evidence" }, row.completion === null ? "reasoning not kept" : "the reasoning has none of its words"),
    );
  });
  return el("div", { class: "touched" }, head, el("ul", {}, ...made), otherQuotes(row, book));
}

function otherQuotes(row, book) {
  const others = [...row.quoted].filter(([place]) => !row.touched.includes(place));
  if (!others.length) return null;
  const named = others.map(([place, phrase]) => `${book.clauses[place][0]} · ${raw.parts[book.clauses[place][1]]} (“${phrase}”)`);
  return el("p", { class: "note" }, `It has words of: ${named.join(", ")}.`);
}

// What the other models answered to the same item, and the other pairs of the same document.
function besides(row, open) {
  const same = raw.models.flatMap((name, model) => rowsOf(model, row.item.set).filter((r) => r.item === row.item));
  const peers = same.length < 2 ? null : el("table", {},
    el("caption", {}, "The same document, every model"),
    el("tbody", {}, ...same.map((r) => el("tr", { class: r === row ? "here" : "" },
      el("th", { scope: "row" }, r === row ? raw.models[r.model] : el("button", { type: "button", class: "link", on: { click: () => open(r) } }, raw.models[r.model])),
      el("td", {}, labelText(r.answer)), el("td", {}, outcomeChip(r))))));
  const name = row.item.tags.document;
  const pairs = name === undefined ? [] : rowsOf(row.model, row.item.set).filter((r) => r !== row && r.item.tags.document === name);
  const siblings = !pairs.length ? null : el("table", {},
    el("caption", {}, "Other pairs of this document"),
    el("tbody", {}, ...pairs.slice(0, 40).map((r) => el("tr", {},
      el("th", { scope: "row" }, el("button", { type: "button", class: "link", on: { click: () => open(r) } }, pairWords(r.item))),
      el("td", {}, labelText(r.answer)), el("td", {}, outcomeChip(r))))));
  return el("div", { class: "besides" }, peers, siblings);
}

function pairWords(item) {
  if (item.text === null) return item.id;
  return spansOf(item).map((span) => shortened(item.text.slice(span.start, span.end), 30)).join(" – ");
}

function facts(row, openBook) {
  const known = [
    ["set", raw.sets[row.item.set].label], ["domain", raw.domains[row.item.domain]], ...Object.entries(row.item.tags),
    ["tokens", row.tokens], ["reward", row.value], ["finish reason", row.finish === "stop" ? null : row.finish], ["errors", row.errors.join(", ")],
  ].filter(([, value]) => value !== null && value !== "");
  const shown = known.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value))));
  if (row.book !== null && raw.books[row.book].clauses) {
    const link = el("button", { type: "button", class: "link", on: { click: () => openBook(row.book) } }, bookName(row.book));
    shown.push(el("div", {}, el("dt", {}, "guideline"), el("dd", {}, link)));
  }
  return el("dl", { class: "facts" }, ...shown);
}

function detail(row, { openClause, openBook, open }) {
  const item = row.item;
  const text = item.text === null
    ? el("p", { class: "note" }, "The text is not kept in these records, only its id and the verdict.")
    : sentence(row);
  return [
    el("h3", {}, item.id, el("span", { class: "note" }, `  ${raw.models[row.model]}`)),
    text, pairFacts(row), chipLine(row), samplesLine(row), reasoningBlock(row), clauseList(row, openClause), besides(row, open), facts(row, openBook),
  ].filter(Boolean);
}
