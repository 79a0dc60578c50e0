// A text with its mentions in the colours of their types.

const HUES = 8;
const hueOf = new Map(raw.types.map((type, place) => [type, place]));

// Where there are more types than colours, as under many guidelines, each text gives them anew.
function hueIn(row, type) {
  if (raw.types.length <= HUES) return hueOf.get(type);
  row.hues ??= new Map([...typesOf(row)].sort((a, b) => hueOf.get(a) - hueOf.get(b)).map((name, place) => [name, place % HUES]));
  return row.hues.get(type);
}

const styleOf = (row, type) => (type === null ? "untyped" : `hue-${hueIn(row, type)}`);

// What a mention stands for on its side: of the gold it was missed, of an answer invented.
const MARKED = {
  gold: { right: "found", type: "other-type", alone: "missed" },
  answer: { right: "found", type: "other-type", alone: "invented" },
};

// Pieces of the text; where mentions overlap the shorter one is marked.
function markedPieces(row, role, { from = 0, to = row.item.text.length, named = true } = {}) {
  const side = row[role];
  const spans = [
    ...side.entities.filter((e) => e.start !== null).map((e) => ({ ...e, style: `${styleOf(row, e.type)} ${MARKED[role][e.found] ?? ""}` })),
    ...side.others.map(([start, end]) => ({ start, end, type: null, style: "untyped" })),
  ].filter((s) => s.start < to && s.end > from);
  const edges = [...new Set([from, to, ...spans.flatMap((s) => [Math.max(s.start, from), Math.min(s.end, to)])])].sort((a, b) => a - b);
  const pieces = [];
  for (let i = 0; i + 1 < edges.length; i += 1) {
    const [start, end] = [edges[i], edges[i + 1]];
    const over = spans.filter((s) => s.start <= start && s.end >= end).sort((a, b) => a.end - a.start - (b.end - b.start));
    const words = row.item.text.slice(start, end);
    if (!over.length) pieces.push(words);
    else {
      const tag = named && over[0].end === end && over[0].type !== null ? el("sub", {}, shortened(over[0].type, 30)) : null;
      pieces.push(el("mark", { class: over[0].style, title: over[0].type }, words, tag));
    }
  }
  return pieces;
}

// One line of the list: the text from a little before the first mention on.
function snippet(row) {
  const text = row.item.text;
  const role = row.gold ? "gold" : "answer";
  if (!row[role]) return [text.slice(0, 160)];
  const starts = row[role].entities.filter((e) => e.start !== null).map((e) => e.start);
  const first = starts.length ? Math.min(...starts) : 0;
  let from = 0;
  if (first > 40) {
    const space = text.indexOf(" ", first - 25);
    from = space >= 0 && space < first ? space + 1 : first;
  }
  const to = Math.min(text.length, from + 160);
  return [from > 0 ? "… " : "", ...markedPieces(row, role, { from, to, named: false }), to < text.length ? " …" : ""];
}

function reading(title, row, role) {
  const none = role === "gold" ? "Nobody has annotated this text." : "No answer that can be read.";
  return el("div", { class: "reading" },
    el("h4", {}, title),
    row[role] ? el("p", { class: "words typed", dir: "auto" }, ...markedPieces(row, role)) : el("p", { class: "note" }, none));
}

function legend(row) {
  const types = [...typesOf(row)].sort();
  if (!types.length) return null;
  const keys = types.map((type) => el("span", {}, el("mark", { class: styleOf(row, type) }, type)));
  const marks = row.gold && row.answer && row.outcome !== "right"
    ? [["missed", "missed"], ["invented", "invented"], ["other-type", "another type"]].map(([style, text]) => el("span", {}, el("mark", { class: style }, text)))
    : [];
  return el("p", { class: "key-line" }, ...keys, ...marks);
}
