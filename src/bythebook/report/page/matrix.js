// Outcomes as bars, and gold against predicted as a table: every figure is a button that filters the list.

function bar(count, most, style) {
  return measured(el("span", { class: `bar ${style}` }), "share", most ? count / most : 0);
}

function drawKinds(box, scope, choose) {
  const outcomes = counted(scope, (row) => row.outcome);
  const forms = counted(scope, (row) => row.status);
  const most = Math.max(1, ...outcomes.values());
  const line = (key, text, count, style) => el("button", {
    type: "button", class: "kind", "data-kind": key, "aria-pressed": String(state.kind === key), on: { click: () => choose({ kind: state.kind === key ? "" : key }) },
  }, el("span", { class: "name" }, text), bar(count, most, style), el("span", { class: "n" }, count.toLocaleString("en")), el("span", { class: "of" }, share(count, scope.length)));
  const answers = raw.outcomes.filter((name) => outcomes.has(name))
    .map((name) => line(name, OUTCOME[name], outcomes.get(name), name === "right" ? "right" : name === "unjudged" ? "" : "wrong"));
  const broken = FORM_ERRORS.filter((name) => forms.has(name)).map((name) => line(`form:${name}`, STATUS[name], forms.get(name), "form"));
  box.replaceChildren(
    el("div", {}, el("h4", {}, "The answer"), ...answers),
    el("div", {}, el("h4", {}, "The form"), ...(broken.length ? broken : [el("p", { class: "note" }, "Every completion is well-formed.")])));
}

const MOST_LABELS = 26;
const BESIDE = 11;

function drawMatrix(box, scope, choose) {
  const judged = scope.filter((row) => row.item.gold !== null);
  const labels = matrixLabels(judged);
  box.closest(".overview").classList.toggle("stack", judged.length > 0 && labels.length > BESIDE && labels.length <= MOST_LABELS);
  if (!judged.length) box.replaceChildren(el("p", { class: "note" }, "No document here has a gold answer."));
  else if (labels.length > MOST_LABELS) drawOutcomeMatrix(box, judged, labels.length, choose);
  else drawLabelMatrix(box, judged, labels, choose);
}

// In the order of the guideline where there is one; no relation last.
function matrixLabels(judged) {
  const found = new Set();
  for (const row of judged) {
    found.add(row.item.gold);
    if (row.answer !== null && row.outcome !== "unknown") found.add(row.answer);
  }
  const books = new Set(judged.map((row) => row.book).filter((place) => place !== null));
  const order = books.size === 1 ? (raw.books[[...books][0]].labels ?? []) : [];
  const rank = (label) => (noRelation(label) ? 1e6 : order.includes(label) ? order.indexOf(label) : 1e3);
  return [...found].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function cell(count, total, diagonal, spoken, pressed, act) {
  if (!count) return el("td", {}, "");
  const button = el("button", { type: "button", "aria-label": spoken, title: spoken, "aria-pressed": String(pressed), on: { click: act } }, String(count));
  return measured(el("td", { class: diagonal ? "hit" : "miss" }, button), "share", (count / total).toFixed(3));
}

function drawLabelMatrix(box, judged, labels, choose) {
  const columns = [...labels];
  if (judged.some((row) => row.outcome === "unknown")) columns.push("?");
  if (judged.some((row) => row.answer === null)) columns.push("∅");
  const heads = columns.map((name) => el("th", { scope: "col", title: columnName(name) }, el("span", {}, columnName(name))));
  const counts = counted(judged, (row) => `${row.item.gold}\n${predictedAs(row)}`);
  const golds = labels.filter((gold) => judged.some((row) => row.item.gold === gold));
  const lines = golds.map((gold) => {
    const total = judged.filter((row) => row.item.gold === gold).length;
    const cells = columns.map((name) => {
      const count = counts.get(`${gold}\n${name}`) ?? 0;
      const pressed = state.gold === gold && state.answer === name;
      return cell(count, total, gold === name, `gold ${gold}, predicted ${columnName(name)}: ${count} of ${total}`, pressed,
        () => choose(pressed ? { gold: "", answer: "" } : { gold, answer: name, kind: "", holds: "" }, !pressed));
    });
    return el("tr", {}, el("th", { scope: "row", title: gold }, el("span", {}, gold)), ...cells, el("td", { class: "total" }, String(total)));
  });
  box.replaceChildren(el("table", { class: "matrix" }, el("caption", {}, "Rows: gold; columns: predicted. Shade: share of the row."),
    el("thead", {}, el("tr", {}, el("td", {}), ...heads, el("th", { scope: "col" }, el("span", {}, "all")))), el("tbody", {}, ...lines)));
}

// Hundreds of labels of many guidelines: what happened to a relation, and to no relation.
function drawOutcomeMatrix(box, judged, labels, choose) {
  const columns = raw.outcomes.filter((name) => judged.some((row) => row.outcome === name));
  const lines = [["relation", "a relation holds"], ["none", "no relation holds"]].map(([holds, title]) => {
    const inside = judged.filter((row) => noRelation(row.item.gold) === (holds === "none"));
    const cells = columns.map((name) => {
      const count = inside.filter((row) => row.outcome === name).length;
      const pressed = state.holds === holds && state.kind === name;
      return cell(count, inside.length, name === "right", `${title}, ${OUTCOME[name]}: ${count} of ${inside.length}`, pressed,
        () => choose(pressed ? { holds: "", kind: "" } : { holds, kind: name, gold: "", answer: "" }, !pressed));
    });
    return el("tr", {}, el("th", { scope: "row" }, el("span", {}, title)), ...cells, el("td", { class: "total" }, String(inside.length)));
  });
  box.replaceChildren(
    el("table", { class: "matrix wide" }, el("caption", {}, "Rows: gold; columns: what became of it. Shade: share of the row."),
      el("thead", {}, el("tr", {}, el("td", {}), ...columns.map((name) => el("th", { scope: "col" }, el("span", {}, OUTCOME[name]))), el("th", { scope: "col" }, el("span", {}, "all")))),
      el("tbody", {}, ...lines)),
    el("p", { class: "note" }, `${labels} labels of many guidelines are too many for one table. Choose one domain, or one guideline below, to see its labels against each other.`),
  );
}
