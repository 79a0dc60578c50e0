// What rows of labels and of extractions have in common: which model answered them on which set, and how they are shown.

// Rows of a model on a set are looked at together again and again.
const grouped = new Map();
for (const row of rows) {
  const key = `${row.model}/${row.item.set}`;
  if (!grouped.has(key)) grouped.set(key, []);
  grouped.get(key).push(row);
}
const rowsOf = (model, set) => grouped.get(`${model}/${set}`) ?? [];

const chip = (text, style) => el("span", { class: `chip ${style}` }, text);
const outcomeChip = (row) => chip(OUTCOME[row.outcome], row.outcome === "right" ? "right" : isError(row) ? "wrong" : "");

let reasoningOpen = false;
let reasoningBox = null;

function reasoningBlock(row) {
  if (row.completion === null) return el("p", { class: "note" }, "The completion is not kept in these records.");
  const { reasoning, rest } = reasoningOf(row.completion);
  const parts = [];
  if (reasoning) {
    // The event comes later than the change: what stands there now is asked.
    if (reasoningBox) reasoningOpen = reasoningBox.open;
    reasoningBox = el("details", { class: "reasoning", open: reasoningOpen },
      el("summary", {}, "Reasoning", el("span", { class: "note" }, `  ${plural(reasoning.split(/\s+/).length, "word")}`)),
      el("div", { class: "thought" }, reasoning));
    parts.push(reasoningBox);
  } else {
    parts.push(el("p", { class: "note" }, "No reasoning in this completion."));
  }
  if (rest) parts.push(el("h4", {}, "As written"), el("pre", {}, rest));
  return el("div", {}, ...parts);
}
