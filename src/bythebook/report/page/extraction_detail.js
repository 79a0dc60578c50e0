// One text as one model answered it: gold beside predicted, item by item.

const dash = () => el("span", { class: "note" }, "–");
const typed = (row, type) => (type === null ? dash() : el("mark", { class: styleOf(row, type) }, type));

const SAID = {
  right: ["right", "right"], type: ["another type", "wrong"], direction: ["turned round", "wrong"], missed: ["missed", "wrong"], invented: ["invented", "wrong"],
};

// Items of both sides, one line for each mention or pair; `same` tells which belong together.
function paired(gold, answer, same) {
  const lines = gold.map((item) => ({ gold: item, answer: null }));
  for (const item of answer) {
    const found = lines.find((line) => line.answer === null && line.gold !== null && same(line.gold, item));
    if (found) found.answer = item;
    else lines.push({ gold: null, answer: item });
  }
  return lines;
}

function verdictOf({ gold, answer }) {
  if (gold?.found === "right" && answer) return "right";
  if (gold && answer) return answer.found === "direction" ? "direction" : "type";
  const one = gold ?? answer;
  if (one.found === "right") return "right";
  if (one.found !== "alone" && one.found !== null) return one.found;
  return gold ? "missed" : "invented";
}

const verdictCell = (line, judged) => {
  if (!judged) return el("td", {}, dash());
  const [text, style] = SAID[verdictOf(line)];
  return el("td", { class: style }, text);
};

function table(title, heads, lines) {
  return el("table", { class: "items" }, el("caption", {}, title),
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, ...lines));
}

function entityTable(row) {
  const [gold, answer] = [row.gold?.entities ?? [], row.answer?.entities ?? []];
  if (!gold.length && !answer.length) return null;
  // First those that agree wholly, so that two types of one mention stand beside their own.
  const exact = (a, b) => a.text === b.text && a.type === b.type;
  const lines = paired(gold, answer.filter((b) => gold.some((a) => exact(a, b))), exact);
  for (const item of answer.filter((b) => !gold.some((a) => exact(a, b)))) {
    const free = lines.find((line) => line.answer === null && line.gold.text === item.text);
    if (free) free.answer = item;
    else lines.push({ gold: null, answer: item });
  }
  const grounded = (item) => row.item.text === null || item.start !== null;
  return table("Entities", ["mention", "gold", "predicted", ""], lines.map((line) => {
    const one = line.gold ?? line.answer;
    const lost = grounded(one) ? null : el("span", { class: "note" }, " not in the text");
    return el("tr", {}, el("th", { scope: "row" }, one.text, lost), el("td", {}, typed(row, line.gold?.type ?? null)), el("td", {}, typed(row, line.answer?.type ?? null)), verdictCell(line, row.gold !== null));
  }));
}

function relationTable(row) {
  const [gold, answer] = [row.gold?.relations ?? [], row.answer?.relations ?? []];
  if (!gold.length && !answer.length) return el("p", { class: "note" }, asksRelations(row) ? "No relation, in gold and answer alike." : "Relations are not asked for.");
  const exact = (a, b) => a.head === b.head && a.tail === b.tail && a.name === b.name;
  const pair = (a, b) => (a.head === b.head && a.tail === b.tail) || (a.head === b.tail && a.tail === b.head && a.name === b.name);
  const right = answer.filter((b) => gold.some((a) => exact(a, b)));
  const lines = paired(gold, right, exact);
  for (const item of answer.filter((b) => !right.includes(b))) {
    const free = lines.find((line) => line.answer === null && line.gold !== null && pair(line.gold, item));
    if (free) free.answer = item;
    else lines.push({ gold: null, answer: item });
  }
  const said = (item) => (item === null ? dash() : el("code", {}, item.name));
  const arrow = (item) => [item.head, el("span", { class: "arrow", "aria-label": "to" }, " → "), item.tail];
  return table("Relations", ["head → tail", "gold", "predicted", ""], lines.map((line) => {
    const one = line.gold ?? line.answer;
    const turned = line.gold && line.answer && line.gold.head !== line.answer.head;
    const answered = turned ? el("span", {}, said(line.answer), el("span", { class: "note" }, ` ${shortened(line.answer.head, 30)} → ${shortened(line.answer.tail, 30)}`)) : said(line.answer);
    return el("tr", {}, el("th", { scope: "row" }, ...arrow(one)), el("td", {}, said(line.gold)), el("td", {}, answered), verdictCell(line, row.gold !== null));
  }));
}

const asksRelations = (row) => Object.keys(row.counts).length === 0 || Object.hasOwn(row.counts, "rel");

function chipLine(row) {
  const shown = [outcomeChip(row)];
  if (STATUS[row.status]) shown.push(chip(STATUS[row.status], "wrong"));
  const names = { ner: "NER", rel: "REL", rel_plus: "REL+" };
  for (const [name, [right, wrong, missed]] of Object.entries(row.counts)) {
    const parts = [`${right} right`, wrong ? `${wrong} wrong` : "", missed ? `${missed} missed` : ""].filter(Boolean);
    shown.push(el("span", { class: "note" }, `${names[name] ?? name}: ${parts.join(", ")}`));
  }
  return el("p", { class: "chips" }, ...shown);
}

function samplesLine(row) {
  if (!row.samples.length) return null;
  const said = row.samples.map((s) => (s.f1 === null ? "–" : `${Math.round(100 * s.f1)}`)).join(" · ");
  return el("p", { class: "samples" }, `F1 of the samples, %: ${said}`);
}

function errorList(row) {
  if (!row.errors.length) return null;
  const made = row.errors.map((error) => el("li", {}, el("code", {}, error), el("span", { class: "note" }, Object.hasOwn(ERROR, error) ? ` ${ERROR[error]}` : "")));
  return el("div", { class: "parsed" }, el("h4", {}, "What the parser met"), el("ul", {}, ...made));
}

function besides(row, open) {
  const same = raw.models.flatMap((name, model) => rowsOf(model, row.item.set).filter((r) => r.item === row.item));
  if (same.length < 2) return null;
  return el("div", { class: "besides" }, el("table", {}, el("caption", {}, "The same text, every model"),
    el("tbody", {}, ...same.map((r) => el("tr", { class: r === row ? "here" : "" },
      el("th", { scope: "row" }, r === row ? raw.models[r.model] : el("button", { type: "button", class: "link", on: { click: () => open(r) } }, raw.models[r.model])),
      el("td", {}, outcomeChip(r)))))));
}

function facts(row) {
  const known = [
    ["set", raw.sets[row.item.set].label], ["domain", raw.domains[row.item.domain]], ...Object.entries(row.item.tags),
    ["tokens", row.tokens], ["reward", row.value === null ? null : Math.round(1000 * row.value) / 1000], ["finish reason", row.finish === "stop" ? null : row.finish],
  ].filter(([, value]) => value !== null && value !== "");
  return el("dl", { class: "facts" }, ...known.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))));
}

function detail(row, open) {
  const text = row.item.text;
  const readings = text === null
    ? [el("p", { class: "note" }, "The text is not kept in these records, only its id and what was counted.")]
    : [reading("Gold", row, "gold"), reading("Predicted", row, "answer"), legend(row)];
  return [
    el("h3", {}, row.item.id, el("span", { class: "note" }, `  ${raw.models[row.model]}`)),
    chipLine(row), ...readings, entityTable(row), row.gold || row.answer ? relationTable(row) : null, samplesLine(row), errorList(row),
    reasoningBlock(row), besides(row, open), facts(row),
  ].filter(Boolean);
}
