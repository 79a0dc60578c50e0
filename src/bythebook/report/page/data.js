// The records as the page holds them, and what the reader has chosen to see. Nothing is judged here: rows are counted.

const raw = JSON.parse(byId("records").textContent);

const OUTCOME = {
  right: "right",
  label: "wrong label",
  direction: "wrong direction",
  missed: "missed relation",
  overread: "invented relation",
  unknown: "label not in the guideline",
  none: "no single answer",
  unjudged: "no gold answer",
};
const STATUS = {
  ok: "well-formed and right",
  wrong: "well-formed and wrong",
  no_answer: "no answer",
  malformed: "malformed",
  truncated: "truncated",
  unscored: "not scored",
};
const FORM_ERRORS = ["no_answer", "malformed", "truncated", "unscored"];

const labelOf = (place) => (place === null ? null : raw.labels[place]);

const items = raw.items.map(([id, set, domain, gold, text, mentions, tags], place) => ({
  place, id, set, domain, gold: labelOf(gold), text: text === null ? null : raw.texts[text], mentions, tags,
}));

const rows = raw.rows.map((r, place) => ({
  place, item: items[r[0]], model: r[1], answer: labelOf(r[2]), outcome: raw.outcomes[r[3]], status: raw.statuses[r[4]],
  book: r[5], completion: r[6], touched: r[7], quoted: new Map(r[8]), tokens: r[9], value: r[10], finish: r[11],
  errors: r[12], samples: r[13].map(([answer, right]) => ({ answer: labelOf(answer), right })),
}));

const isError = (row) => row.outcome !== "right" && row.outcome !== "unjudged";
const noRelation = (label) => label !== null && !/\(e[12],e[12]\)$/.test(label);

// `model`, `set`, `domain` and `book` say which rows are counted; the others, which of these are listed.
const CLEAR = { kind: "", gold: "", answer: "", holds: "", part: null, clause: null, search: "" };
const state = { model: raw.start[0], set: raw.start[1], domain: "", book: null, ...CLEAR };

function scopeRows() {
  return rowsOf(state.model, state.set).filter(
    (row) =>
      (state.domain === "" || row.item.domain === Number(state.domain)) &&
      (state.book === null || row.book === state.book),
  );
}

function ofKind(row, kind) {
  if (kind === "") return true;
  if (kind === "error") return isError(row);
  return kind === row.outcome || kind === `form:${row.status}`;
}

const clauseOf = (row, place) => raw.books[row.book].clauses[place];

function touches(row) {
  if (state.clause !== null) return row.book === state.clause.book && row.touched.includes(state.clause.place);
  return state.part === null || row.touched.some((place) => clauseOf(row, place)[1] === state.part);
}

// The columns of the confusion matrix; a label that the guideline lacks is one of them, whatever its name.
function predictedAs(row) {
  if (row.answer === null) return "∅";
  return row.outcome === "unknown" ? "?" : row.answer;
}

const NO_LABEL = new Map([["?", "a label not in the guideline"], ["∅", "no single answer"]]);
const columnName = (name) => NO_LABEL.get(name) ?? name;

function haystack(row) {
  row.hay ??= [row.item.id, row.item.text, row.completion, row.item.gold, row.answer, Object.values(row.item.tags).join(" ")]
    .filter(Boolean)
    .join("\n")
    .toLowerCase();
  return row.hay;
}

function listedRows(scope) {
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  return scope.filter(
    (row) =>
      ofKind(row, state.kind) &&
      (state.gold === "" || row.item.gold === state.gold) &&
      (state.answer === "" || predictedAs(row) === state.answer) &&
      (state.holds === "" || (row.item.gold !== null && noRelation(row.item.gold) === (state.holds === "none"))) &&
      touches(row) &&
      words.every((word) => haystack(row).includes(word)),
  );
}

function counted(list, key) {
  const counts = new Map();
  for (const entry of list) {
    const found = key(entry);
    if (found !== null && found !== undefined) counts.set(found, (counts.get(found) ?? 0) + 1);
  }
  return counts;
}

function bookName(place) {
  const book = raw.books[place];
  return book.clauses ? `${book.title} (${book.hash.slice(0, 6)})` : `not kept (${book.hash.slice(0, 6)})`;
}

// What stands before the end of the thinking, and after it; the opening tag may have stood in the prompt.
function reasoningOf(completion) {
  const end = completion.indexOf("</think>");
  const start = completion.indexOf("<think>");
  if (end < 0 && start < 0) return { reasoning: "", rest: completion };
  const from = start >= 0 && (end < 0 || start < end) ? start + 7 : 0;
  return {
    reasoning: completion.slice(from, end < 0 ? undefined : end).trim(),
    rest: end < 0 ? "" : completion.slice(end + 8).trim(),
  };
}
