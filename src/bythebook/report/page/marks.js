// A text with its mentions marked, and arrows between them: the gold relation above, the predicted one below.

// Mentions are in characters; JavaScript counts code units, which differ beyond the basic plane.
function spansOf(item) {
  if (item.spans) return item.spans;
  const text = item.text ?? "";
  let place = (offset) => offset;
  if (/[\ud800-\udfff]/.test(text)) {
    const starts = [0];
    for (const character of text) starts.push(starts[starts.length - 1] + character.length);
    place = (offset) => starts[Math.min(offset, starts.length - 1)];
  }
  item.spans = (item.mentions ?? []).map(([id, start, end, type]) => ({ id, type, start: place(start), end: place(end) }));
  return item.spans;
}

// Pieces of [from, to) of the text; where mentions overlap the shorter one is marked.
function markedPieces(item, from, to, named) {
  const spans = spansOf(item).filter((span) => span.start < to && span.end > from);
  const edges = [...new Set([from, to, ...spans.flatMap((s) => [Math.max(s.start, from), Math.min(s.end, to)])])];
  edges.sort((a, b) => a - b);
  const pieces = [];
  for (let i = 0; i + 1 < edges.length; i += 1) {
    const [start, end] = [edges[i], edges[i + 1]];
    const over = spans.filter((s) => s.start <= start && s.end >= end).sort((a, b) => a.end - a.start - (b.end - b.start));
    const words = item.text.slice(start, end);
    if (!over.length) {
      pieces.push(words);
      continue;
    }
    const last = over[0].end === end;
    const tag = named && last ? el("sub", {}, over[0].type ? `${over[0].id} ${over[0].type}` : over[0].id) : null;
    const node = el("mark", { class: over[0].id === "e2" ? "e2" : "e1", "data-mention": over[0].id }, words, tag);
    pieces.push(node);
  }
  return pieces;
}

// One line of the list: the beginning, and the words around each mention.
const AROUND = 10;

function snippet(item) {
  const length = item.text.length;
  if (length <= 90) return markedPieces(item, 0, length, false);
  const windows = [];
  for (const { start, end } of [...spansOf(item)].sort((a, b) => a.start - b.start)) {
    const [from, to] = [wordEdge(item.text, start - AROUND, 1), wordEdge(item.text, Math.min(end, start + 60) + AROUND, -1)];
    const last = windows[windows.length - 1];
    if (last && from <= last.to + 4) last.to = Math.max(last.to, to);
    else windows.push({ from: windows.length || start > 30 ? from : 0, to });
  }
  if (!windows.length) return [item.text.slice(0, 160)];
  const pieces = windows.flatMap(({ from, to }) => [from > 0 ? " … " : "", ...markedPieces(item, from, to, false)]);
  return windows[windows.length - 1].to < length ? [...pieces, " …"] : pieces;
}

// The next place from `at` on, or back from it, where no word is cut.
function wordEdge(text, at, step) {
  let place = Math.max(0, Math.min(text.length, at));
  for (let i = 0; i < 12 && place > 0 && place < text.length && text[place - (step < 0 ? 0 : 1)] !== " "; i += 1) place += step;
  return place;
}

function relationOf(label) {
  const found = /^(.*)\((e[12]),(e[12])\)$/s.exec(label);
  return found ? { name: found[1], head: found[2], tail: found[3] } : { name: label, head: null, tail: null };
}

// The text with room for arrows; they follow when the width changes.
function sentence(row) {
  const item = row.item;
  const box = el("div", { class: "sentence-box", dir: "auto" });
  const words = el("p", { class: "words" }, ...markedPieces(item, 0, item.text.length, true));
  const layer = svg("svg", { class: "arcs", "aria-hidden": "true" });
  box.append(layer, words);
  new ResizeObserver(() => drawArcs(box, layer, row)).observe(box);
  return box;
}

function drawArcs(box, layer, row) {
  layer.replaceChildren();
  const frame = box.getBoundingClientRect();
  const at = (id) => [...box.querySelectorAll("mark")].filter((m) => m.dataset.mention === id)
    .flatMap((m) => [...m.getClientRects()])
    .map((r) => ({ left: r.left - frame.left, right: r.right - frame.left, top: r.top - frame.top, bottom: r.bottom - frame.top }));
  const [e1, e2] = [at("e1"), at("e2")];
  if (!e1.length || !e2.length || !frame.width) return;
  const ends = { e1: e1[0], e2: e2[0] };
  const arrows = [{ label: row.item.gold, kind: isError(row) ? "gold" : "both", side: -1 }];
  if (row.answer !== null && row.answer !== row.item.gold) arrows.push({ label: row.answer, kind: "predicted", side: 1 });
  for (const arrow of arrows) {
    if (arrow.label !== null) layer.append(...arrowOf(arrow, ends, frame.width));
  }
}

function arrowOf({ label, kind, side }, ends, width) {
  const { name, head, tail } = relationOf(label);
  const [from, to] = [ends[head ?? "e1"], ends[tail ?? "e2"]];
  const { path, x, y, tip, anchor } = Math.abs(from.top - to.top) < 4 ? levelPath(from, to, side) : slantedPath(from, to, side);
  const shown = shortened(name, 40);
  const long = shown.length * 7.2;
  const before = { middle: long / 2, start: 0, end: long }[anchor];
  const place = Math.max(before, Math.min(width - long + before, x));
  return [
    svg("path", { class: `arc ${kind}${head ? "" : " none"}`, d: path }),
    head ? svg("path", { class: `tip ${kind}`, d: `M${tip.x - 4},${tip.y - tip.down * 6} L${tip.x},${tip.y} L${tip.x + 4},${tip.y - tip.down * 6}` }) : null,
    svg("text", { class: kind, x: place, y, "text-anchor": anchor }, shown),
  ].filter(Boolean);
}

const middle = (box) => (box.left + box.right) / 2;

// Both mentions on one line: over it (side −1) or under it.
function levelPath(from, to, side) {
  const [x1, x2] = [middle(from), middle(to)];
  const start = side < 0 ? from.top : from.bottom;
  const level = start + side * 17;
  const turn = Math.min(9, Math.abs(x2 - x1) / 2) * Math.sign(x2 - x1 || 1);
  const path = `M${x1},${start} V${level - side * 9} Q${x1},${level} ${x1 + turn},${level} H${x2 - turn} Q${x2},${level} ${x2},${level - side * 9} V${start + side * 2}`;
  return { path, x: (x1 + x2) / 2, y: level + 4, anchor: "middle", tip: { x: x2, y: start + side, down: -side } };
}

// On two lines: a curve behind the text; its name stands between lines, gold by the upper mention, predicted by the lower.
function slantedPath(from, to, side) {
  const shift = side * 9;
  const down = from.top < to.top;
  const [upper, lower] = down ? [from, to] : [to, from];
  const bend = (lower.top - upper.bottom) / 2;
  const [x1, x2] = [middle(from) + shift, middle(to) + shift];
  const [y1, y2, lean] = down ? [upper.bottom, lower.top, bend] : [lower.top, upper.bottom, -bend];
  const path = `M${x1},${y1} C${x1},${y1 + lean} ${x2},${y2 - lean} ${x2},${y2}`;
  const label = side < 0
    ? { x: middle(upper) + shift - 8, y: upper.bottom + 13, anchor: "end" }
    : { x: middle(lower) + shift + 8, y: lower.top - 6, anchor: "start" };
  return { path, ...label, tip: { x: x2, y: y2, down: down ? 1 : -1 } };
}
