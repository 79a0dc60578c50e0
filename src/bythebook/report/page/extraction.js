// Wires the texts of joint extraction together: one state, drawn anew whenever it changes.

const controls = {
  model: byId("x-model"), set: byId("x-set"), domain: byId("x-domain"),
  search: byId("x-search"), kind: byId("x-kind"), type: byId("x-type"), relation: byId("x-relation"),
};
let current = null;

const GLYPH = { right: "✓", partly: "◐", wrong: "✗", silent: "✗", none: "∅", unjudged: "·" };

const list = new WindowedList(byId("x-list"), {
  drawn: (row) => [
    el("span", { class: `glyph ${row.outcome === "right" ? "right" : isError(row) ? "wrong" : ""}`, "aria-hidden": "true" }, GLYPH[row.outcome]),
    el("span", { class: "snippet", dir: "auto" }, ...(row.item.text === null ? [el("code", {}, row.item.id)] : snippet(row))),
    el("span", { class: "labels" }, faultLine(row)),
  ],
  spoken: (row) => `${OUTCOME[row.outcome]}; ${faultLine(row)}; ${shortened(row.item.text ?? row.item.id, 160)}`,
  chosen: (row) => showDetail(row),
});

function faultLine(row) {
  const said = row.faults.map((fault) => FAULT[fault]);
  if (STATUS[row.status]) said.unshift(STATUS[row.status]);
  return said.length ? said.join(" · ") : OUTCOME[row.outcome];
}

function showDetail(row) {
  current = row;
  const box = byId("x-detail");
  box.scrollTop = 0;
  box.replaceChildren(...(row ? detail(row, openRow) : [el("p", { class: "note" }, "Nothing to show.")]));
}

function openRow(row) {
  Object.assign(state, CLEAR, { model: row.model, set: row.item.set, domain: "" });
  current = row;
  draw();
}

// Draws anew; the button that made the choice keeps the focus.
function choose(change) {
  const held = document.activeElement;
  const box = held?.closest("[data-redrawn]");
  const place = box ? [...box.querySelectorAll("button")].indexOf(held) : -1;
  Object.assign(state, change);
  draw();
  if (place >= 0) (box.querySelectorAll("button")[place] ?? byId("x-list")).focus({ preventScroll: true });
}

function options(select, entries, chosen) {
  select.replaceChildren(...entries.map(([value, text]) => el("option", { value, selected: String(value) === String(chosen) }, text)));
  select.value = String(chosen);
  select.closest("label").hidden = entries.length < 2;
}

function drawScopeControls() {
  const sets = raw.sets.map((set, i) => ({ ...set, i })).filter(({ i }) => grouped.has(`${state.model}/${i}`));
  if (!sets.some(({ i }) => i === state.set)) state.set = sets[0].i;
  options(controls.model, raw.models.map((name, i) => [i, name]), state.model);
  options(controls.set, sets.map(({ i, label, group }) => [i, group ? `${group}: ${label}` : label]), state.set);
  const domains = counted(rowsOf(state.model, state.set), (row) => [row.item.domain]);
  if (state.domain !== "" && !domains.has(Number(state.domain))) state.domain = "";
  const named = [...domains].map(([i, n]) => [i, `${raw.domains[i]} (${n})`]).sort((a, b) => (a[1] < b[1] ? -1 : 1));
  options(controls.domain, named.length < 2 ? named : [["", "all"], ...named], state.domain);
}

// [key, name, how many] of everything that can be shown alone, in three groups.
function kindsOf(scope) {
  const outcomes = counted(scope, (row) => [row.outcome]);
  const faults = counted(scope, (row) => row.faults);
  const forms = counted(scope, (row) => (STATUS[row.status] ? [row.status] : []));
  const parsed = counted(scope, (row) => new Set(row.errors));
  return {
    outcomes: raw.outcomes.filter((name) => outcomes.has(name)).map((name) => [name, OUTCOME[name], outcomes.get(name)]),
    faults: raw.faults.filter((name) => faults.has(name)).map((name) => [`fault:${name}`, FAULT[name], faults.get(name)]),
    forms: [
      ...Object.keys(STATUS).filter((name) => forms.has(name)).map((name) => [`form:${name}`, STATUS[name], forms.get(name)]),
      ...[...parsed].filter(([name]) => Object.hasOwn(ERROR, name)).sort((a, b) => b[1] - a[1]).slice(0, 8).map(([name, n]) => [`parsed:${name}`, ERROR[name], n]),
    ],
  };
}

function drawKinds(scope, kinds) {
  const line = ([key, text, n], style) => el("button", {
    type: "button", class: "kind", "data-kind": key, "aria-pressed": String(state.kind === key), on: { click: () => choose({ kind: state.kind === key ? "" : key }) },
  }, el("span", { class: "name" }, text), measured(el("span", { class: `bar ${style}` }), "share", scope.length ? n / scope.length : 0), el("span", { class: "n" }, n.toLocaleString("en")), el("span", { class: "of" }, share(n, scope.length)));
  const group = (title, entries, style, otherwise) => el("div", {}, el("h4", {}, title),
    ...(entries.length ? entries.map((entry) => line(entry, style(entry[0]))) : [el("p", { class: "note" }, otherwise)]));
  byId("x-kinds").replaceChildren(
    group("The answer", kinds.outcomes, (key) => (key === "right" ? "right" : key === "unjudged" ? "" : "wrong"), "Nothing here."),
    group("Its items: texts with at least one", kinds.faults, () => "wrong", "No item is missed or wrong."),
    group("The form", kinds.forms, () => "form", "Every completion is well-formed."));
}

function drawListControls(scope, kinds) {
  const named = [...kinds.outcomes, ...kinds.faults, ...kinds.forms];
  const shown = [["", `all (${scope.length})`], ["error", `any error (${scope.filter(isError).length})`], ...named.map(([key, text, n]) => [key, `${text} (${n})`])];
  if (!shown.some(([key]) => key === state.kind)) shown.push([state.kind, "none of these"]);
  options(controls.kind, shown, state.kind);
  for (const [name, keys] of [["type", typesOf], ["relation", namesOf]]) {
    const counts = counted(scope, keys);
    if (state[name] !== "" && !counts.has(state[name])) counts.set(state[name], 0);
    options(controls[name], [["", "any"], ...[...counts].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([value, n]) => [value, `${value} (${n})`])], state[name]);
  }
  if (controls.search.value !== state.search) controls.search.value = state.search;
}

function drawCount(count) {
  const narrowed = state.kind || state.type || state.relation || state.search;
  byId("x-chips").replaceChildren(...(narrowed ? [el("button", { type: "button", class: "link", id: "x-clear", on: { click: () => choose({ ...CLEAR }) } }, "Clear all filters")] : []));
  byId("x-count").textContent = plural(count, "text");
}

function draw() {
  drawScopeControls();
  const scope = scopeRows();
  const kinds = kindsOf(scope);
  drawKinds(scope, kinds);
  drawListControls(scope, kinds);
  const found = listedRows(scope);
  drawCount(found.length);
  const kept = current === null ? -1 : found.findIndex((row) => row.item === current.item);
  list.show(found, kept);
  showDetail(found.length ? found[Math.max(0, kept)] : null);
}

for (const name of ["model", "set"]) {
  controls[name].addEventListener("change", () => choose({ [name]: Number(controls[name].value), type: "", relation: "" }));
}
for (const name of ["domain", "kind", "type", "relation"]) controls[name].addEventListener("change", () => choose({ [name]: controls[name].value }));
controls.search.addEventListener("input", afterPause(() => choose({ search: controls.search.value }), 120));

byId("x-notes").textContent = raw.notes.length ? `Left out of this page: ${raw.notes.join("; ")}. All of it is in the records.` : "";
byId("x-explorer").hidden = false;
draw();
