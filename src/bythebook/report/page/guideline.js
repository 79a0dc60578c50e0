// The guideline with the errors of every clause in its margin, and the errors by kind of clause.

let shownBook = null;

function clauseCounts(scope) {
  const byBook = new Map();
  const byPart = raw.parts.map(() => ({ errors: 0, readable: 0, quoted: 0 }));
  for (const row of scope) {
    if (!row.touched.length) continue;
    if (!byBook.has(row.book)) byBook.set(row.book, new Map());
    const counts = byBook.get(row.book);
    const parts = new Map();
    for (const place of row.touched) {
      counts.set(place, (counts.get(place) ?? 0) + 1);
      const part = clauseOf(row, place)[1];
      parts.set(part, (parts.get(part) ?? false) || row.quoted.has(place));
    }
    for (const [part, quoted] of parts) {
      byPart[part].errors += 1;
      byPart[part].readable += row.completion === null ? 0 : 1;
      byPart[part].quoted += quoted ? 1 : 0;
    }
  }
  return { byBook, byPart };
}

function drawParts(box, byPart, scope, choose) {
  const most = Math.max(1, ...byPart.map((part) => part.errors));
  const errors = scope.filter(isError).length;
  const attributed = scope.filter((row) => row.touched.length).length;
  const lines = byPart.map(({ errors: n, readable, quoted }, part) => !n ? null : el("button", {
    type: "button", class: "kind", "data-part": raw.parts[part], "aria-pressed": String(state.part === part && state.clause === null), on: { click: () => choose({ part: state.part === part ? null : part, clause: null }) },
  }, el("span", { class: "name" }, raw.parts[part]), bar(n, most, "wrong"), el("span", { class: "n" }, n.toLocaleString("en")), el("span", { class: "of" }, share(quoted, readable))));
  box.replaceChildren(
    el("p", { class: "kind-head", "aria-hidden": "true" }, el("span", {}, "kind of clause"), el("span", {}, "errors"), el("span", {}, "quoted")),
    ...lines.filter(Boolean),
    el("p", { class: "note" }, attributed
      ? `${attributed.toLocaleString("en")} of ${plural(errors, "error")} touch a clause; one error can touch two kinds. Quoted: the reasoning has words of the clause touched.`
      : errors ? "No error here touches a clause of a guideline that was kept." : "No errors here."));
}

const MOST_TOUCHED = 8;

function drawTop(box, byBook, choose) {
  const all = [...byBook].flatMap(([book, counts]) => [...counts].map(([place, n]) => ({ book, place, n })));
  const top = all.sort((a, b) => b.n - a.n || a.book - b.book || a.place - b.place).slice(0, MOST_TOUCHED);
  const chosen = ({ book, place }) => state.clause !== null && state.clause.book === book && state.clause.place === place;
  const made = top.map((clause) => {
    const [relation, part] = raw.books[clause.book].clauses[clause.place];
    return el("button", {
      type: "button", class: "kind top", "aria-pressed": String(chosen(clause)),
      on: { click: () => { shownBook = clause.book; choose({ clause: chosen(clause) ? null : clause, part: null }, !chosen(clause)); } },
    }, el("span", { class: "name" }, `${relation} · ${raw.parts[part]}`), bar(clause.n, top[0].n, "wrong"), el("span", { class: "n" }, clause.n.toLocaleString("en")));
  });
  box.replaceChildren(...(made.length ? [el("h4", {}, "Most touched"), ...made] : []));
}

function drawBookChoice(select, scope) {
  const present = [...new Set(scope.map((row) => row.book))].filter((place) => place !== null && raw.books[place].clauses);
  const errors = counted(scope, (row) => (row.touched.length ? row.book : null));
  const sized = present.map((place) => ({ place, errors: errors.get(place) ?? 0 })).sort((a, b) => b.errors - a.errors || a.place - b.place);
  if (!sized.some(({ place }) => place === shownBook)) shownBook = sized.length ? sized[0].place : null;
  select.replaceChildren(...sized.map(({ place, errors }) => el("option", { value: place, selected: place === shownBook }, `${bookName(place)}: ${plural(errors, "error")}`)));
  select.closest("label").hidden = sized.length < 2;
  return sized.length;
}

function drawBook(box, counts, choose) {
  if (shownBook === null) {
    box.replaceChildren(el("p", { class: "note" }, "No guideline was kept for these documents."));
    return;
  }
  const book = raw.books[shownBook];
  const most = Math.max(1, ...counts.values());
  const made = [el("h4", { class: "title" }, book.title, el("span", { class: "note" }, `  version ${book.version}`))];
  if (book.preamble) made.push(el("div", { class: "clause" }, el("span", { class: "margin" }), el("div", { class: "body" }, ...book.preamble.split(/\n\s*\n/).map((paragraph) => el("span", { class: "line" }, paragraph)))));
  let relation = null;
  book.clauses.forEach(([name, part, lines], place) => {
    if (name !== relation) made.push(el("h5", {}, name, book.none === name ? el("span", { class: "note" }, "  no relation") : null));
    relation = name;
    made.push(clauseRow(place, raw.parts[part], lines, counts.get(place) ?? 0, most, choose));
  });
  box.replaceChildren(...made);
}

function clauseRow(place, part, lines, count, most, choose) {
  const pressed = state.clause !== null && state.clause.book === shownBook && state.clause.place === place;
  const margin = count
    ? el("button", {
        type: "button", class: "margin", "aria-pressed": String(pressed), "aria-label": `${plural(count, "error")} touching ${part} of this relation: show them`,
        on: { click: () => choose({ clause: pressed ? null : { book: shownBook, place }, part: null }, !pressed) },
      }, String(count))
    : el("span", { class: "margin" });
  const text = el("div", { class: "body" }, el("span", { class: "part" }, part), ...lines.map((line) => el("span", { class: "line" }, line)));
  return measured(el("div", { class: count ? "clause hot" : "clause", "data-place": place }, margin, text), "heat", (count / most).toFixed(3));
}
