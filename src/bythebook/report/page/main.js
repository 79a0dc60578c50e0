// Wires the parts together: one state, drawn anew whenever it changes.

const controls = {
  model: byId("f-model"), set: byId("f-set"), domain: byId("f-domain"), book: byId("f-book"),
  search: byId("f-search"), kind: byId("f-kind"), gold: byId("f-gold"), answer: byId("f-answer"),
};
let current = null;

const list = new WindowedList(byId("list"), {
  drawn: (row) => [
    el("span", { class: `glyph ${row.outcome === "right" ? "right" : isError(row) ? "wrong" : ""}`, "aria-hidden": "true" }, row.outcome === "right" ? "✓" : row.answer === null ? "∅" : isError(row) ? "✗" : "·"),
    el("span", { class: "snippet", dir: "auto" }, ...(row.item.text === null ? [el("code", {}, row.item.id)] : snippet(row.item))),
    el("span", { class: "labels" }, ...labelLine(row)),
  ],
  spoken: (row) => `${OUTCOME[row.outcome]}; gold ${row.item.gold ?? "unknown"}, predicted ${row.answer ?? "nothing"}; ${shortened(row.item.text ?? row.item.id, 160)}`,
  chosen: (row) => showDetail(row),
});

function labelLine(row) {
  if (row.outcome === "right") return [row.answer, FORM_ERRORS.includes(row.status) ? ` · ${STATUS[row.status]}` : ""];
  const form = FORM_ERRORS.includes(row.status) && row.answer !== null ? ` · ${STATUS[row.status]}` : "";
  return [el("b", {}, row.answer ?? STATUS[row.status]), ` instead of ${row.item.gold ?? "?"}`, form];
}

function showDetail(row) {
  current = row;
  const box = byId("detail");
  box.scrollTop = 0;
  box.replaceChildren(...(row ? detail(row, { openClause, openBook, open: openRow }) : [el("p", { class: "note" }, "Nothing to show.")]));
}

function openRow(row) {
  Object.assign(state, CLEAR, { model: row.model, set: row.item.set, domain: "", book: null });
  current = row;
  draw();
}

function openBook(place) {
  shownBook = place;
  draw();
  byId("guideline-card").scrollIntoView({ block: "start" });
  byId("f-book").focus({ preventScroll: true });
}

function openClause(book, place) {
  openBook(book);
  const found = byId("guideline").querySelector(`[data-place="${Number(place)}"]`);
  if (!found) return;
  const box = byId("guideline");
  box.scrollTop += found.getBoundingClientRect().top - box.getBoundingClientRect().top - 40;
  found.querySelector("button")?.focus({ preventScroll: true });
}

// Draws anew; the button that made the choice keeps the focus, or `toList` hands it to the list that it filtered.
function choose(change, toList = false) {
  const held = document.activeElement;
  const box = held?.closest("[data-redrawn]");
  const place = box ? [...box.querySelectorAll("button")].indexOf(held) : -1;
  Object.assign(state, change);
  draw();
  if (toList) {
    byId("list").focus({ preventScroll: true });
    byId("browser").scrollIntoView({ block: "nearest" });
  } else if (place >= 0) {
    const buttons = box.querySelectorAll("button");
    (buttons[place] ?? byId("list")).focus({ preventScroll: true });
  }
}

function options(select, entries, chosen) {
  select.replaceChildren(...entries.map(([value, text]) => el("option", { value, selected: String(value) === String(chosen) }, text)));
  select.value = String(chosen);
  select.closest("label").hidden = entries.length < 2;
}

function drawScopeControls() {
  const withRows = (model, set) => grouped.has(`${model}/${set}`);
  const sets = raw.sets.map((set, i) => ({ ...set, i })).filter(({ i }) => withRows(state.model, i));
  if (!sets.some(({ i }) => i === state.set)) state.set = sets[0].i;
  options(controls.model, raw.models.map((name, i) => [i, name]), state.model);
  options(controls.set, sets.map(({ i, label, group }) => [i, group ? `${group}: ${label}` : label]), state.set);
  const domains = counted(rowsOf(state.model, state.set), (row) => row.item.domain);
  if (state.domain !== "" && !domains.has(Number(state.domain))) state.domain = "";
  const named = [...domains].map(([i, n]) => [i, `${raw.domains[i]} (${n})`]).sort((a, b) => (a[1] < b[1] ? -1 : 1));
  options(controls.domain, named.length < 2 ? named : [["", "all"], ...named], state.domain);
}

function drawListControls(scope) {
  const outcomes = counted(scope, (row) => row.outcome);
  const forms = counted(scope, (row) => row.status);
  const errors = scope.filter(isError).length;
  options(controls.kind, [
    ["", `all (${scope.length})`], ["error", `any error (${errors})`],
    ...raw.outcomes.filter((name) => outcomes.has(name) || state.kind === name).map((name) => [name, `${OUTCOME[name]} (${outcomes.get(name) ?? 0})`]),
    ...FORM_ERRORS.filter((name) => forms.has(name) || state.kind === `form:${name}`).map((name) => [`form:${name}`, `form: ${STATUS[name]} (${forms.get(name) ?? 0})`]),
  ], state.kind);
  const byCount = (counts, chosen) => {
    if (chosen !== "" && !counts.has(chosen)) counts.set(chosen, 0);
    return [["", "any"], ...[...counts].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([name, n]) => [name, `${columnName(name)} (${n})`])];
  };
  options(controls.gold, byCount(counted(scope, (row) => row.item.gold), state.gold), state.gold);
  options(controls.answer, byCount(counted(scope, predictedAs), state.answer), state.answer);
  if (controls.search.value !== state.search) controls.search.value = state.search;
}

function drawChips(count) {
  const chips = [];
  const add = (text, change) => chips.push(el("button", { type: "button", class: "filter", on: { click: () => choose(change) } }, text, el("span", { "aria-hidden": "true" }, " ×"), el("span", { class: "unseen" }, ", remove this filter")));
  if (state.clause) {
    const [relation, part] = raw.books[state.clause.book].clauses[state.clause.place];
    add(`clause: ${relation} · ${raw.parts[part]}`, { clause: null });
  }
  if (state.part !== null) add(`clause: any ${raw.parts[state.part]}`, { part: null });
  if (state.book !== null) add(`guideline: ${bookName(state.book)}`, { book: null });
  if (state.holds) add(state.holds === "none" ? "gold: no relation" : "gold: a relation", { holds: "" });
  const narrowed = chips.length || state.kind || state.gold || state.answer || state.search;
  if (narrowed) chips.push(el("button", { type: "button", class: "link", id: "clear", on: { click: () => choose({ ...CLEAR, book: null }) } }, "Clear all filters"));
  byId("chips").replaceChildren(...chips);
  byId("count").textContent = plural(count, "document");
}

function draw() {
  drawScopeControls();
  const scope = scopeRows();
  const { byBook, byPart } = clauseCounts(scope);
  drawKinds(byId("kinds"), scope, choose);
  drawMatrix(byId("matrix"), scope, choose);
  drawParts(byId("parts"), byPart, scope, choose);
  drawTop(byId("top"), byBook, choose);
  const books = drawBookChoice(controls.book, scope);
  byId("only-book").hidden = books < 2 && state.book === null;
  byId("only-book").setAttribute("aria-pressed", String(state.book !== null));
  drawBook(byId("guideline"), byBook.get(shownBook) ?? new Map(), choose);
  drawListControls(scope);
  const found = listedRows(scope);
  drawChips(found.length);
  const kept = current === null ? -1 : found.findIndex((row) => row.item === current.item);
  list.show(found, kept);
  showDetail(found.length ? found[Math.max(0, kept)] : null);
}

for (const name of ["model", "set", "domain"]) {
  controls[name].addEventListener("change", () => {
    shownBook = null; // the one with most errors among the documents chosen now
    const value = name === "domain" ? controls[name].value : Number(controls[name].value);
    choose({ [name]: value, ...CLEAR, book: null, search: state.search, kind: state.kind });
  });
}
for (const name of ["kind", "gold", "answer"]) controls[name].addEventListener("change", () => choose({ [name]: controls[name].value }));
controls.book.addEventListener("change", () => {
  shownBook = Number(controls.book.value);
  choose({ clause: null, book: state.book === null ? null : shownBook });
});
byId("only-book").addEventListener("click", () => choose({ book: state.book === null ? shownBook : null }));
controls.search.addEventListener("input", afterPause(() => choose({ search: controls.search.value }), 120));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "Escape" && event.target === controls.search) controls.search.blur();
  if (typing) return;
  const acts = {
    j: () => list.select(list.selected + 1),
    k: () => list.select(list.selected - 1),
    "/": () => controls.search.focus(),
    r: () => { const box = document.querySelector("#detail .reasoning"); if (box) box.open = !box.open; },
    e: () => choose({ kind: state.kind === "error" ? "" : "error" }),
    Escape: () => choose({ ...CLEAR, book: null }),
  };
  if (!Object.hasOwn(acts, event.key)) return;
  event.preventDefault();
  acts[event.key]();
});

byId("notes").textContent = raw.notes.length ? `Left out of this page: ${raw.notes.join("; ")}. All of it is in the records.` : "";
byId("explorer").hidden = false;
draw();
