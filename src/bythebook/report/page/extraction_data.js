// The extractions as the page holds them, and what the reader has chosen to see. Nothing is judged here: rows are counted.

const raw = JSON.parse(byId("extractions").textContent);

const OUTCOME = {
  right: "all right",
  partly: "partly right",
  wrong: "nothing right",
  silent: "empty, though there is something",
  none: "no answer that can be read",
  unjudged: "no gold answer",
};
const FAULT = {
  missed_entity: "missed entity",
  invented_entity: "invented entity",
  entity_type: "entity of another type",
  missed_relation: "missed relation",
  invented_relation: "invented relation",
  relation_type: "another relation",
  direction: "wrong direction",
};
const STATUS = { no_answer: "no answer", malformed: "malformed", truncated: "truncated", unscored: "not scored" };
const ERROR = {
  missing_tag: "a tag is missing", duplicate_tag: "a tag stands twice", tag_order: "tags in another order",
  unparseable_answer: "the answer is no list of items", repaired_json: "no valid JSON: read item by item",
  text_in_answer: "text beside the JSON", missing_key: "a key is missing", repeated_key: "a key stands twice",
  unknown_key: "a key that is not asked for", malformed_item: "an item of another form, left out",
  unfinished_item: "an item that breaks off, left out", too_many_items: "too many items, the rest left out",
  empty_mention: "an item without text, left out", unknown_type: "an entity type that the guideline lacks, left out",
  unknown_relation: "a relation that the guideline lacks, left out", stated_negative: "a stated “no relation”, left out",
  type_signature: "a relation between types it does not take", duplicate_item: "the same item again",
  invisible_character: "a character without width", code_fence: "the JSON stands in a code fence",
  bare_answer: "the JSON stands outside the tags", unclosed_answer: "the answer is never closed",
  foreign_tag: "a tag of another set", text_outside: "text outside the tags", unread_answer: "several answers, none read",
};

const entitiesOf = (side) => side.e.map(([text, type, start, end, found]) => ({
  text, type: type === null ? null : raw.types[type], start, end, found: found === null ? null : raw.found[found],
}));
const relationsOf = (side) => side.r.map(([head, name, tail, found]) => ({
  head, name: raw.relations[name], tail, found: found === null ? null : raw.found[found],
}));
const sideOf = (side) => (side === null ? null : { entities: entitiesOf(side), relations: relationsOf(side), others: side.m });

const items = raw.items.map(([id, set, domain, text, tags], place) => ({
  place, id, set, domain, text: text === null ? null : raw.texts[text], tags,
}));

const rows = raw.rows.map((r, place) => ({
  place, item: items[r[0]], model: r[1], gold: sideOf(r[2]), answer: sideOf(r[3]), outcome: raw.outcomes[r[4]],
  faults: r[5].map((fault) => raw.faults[fault]), status: raw.statuses[r[6]], completion: r[7], counts: r[8], tokens: r[9],
  value: r[10], finish: r[11], errors: r[12], samples: r[13].map(([f1, right]) => ({ f1, right })),
}));

const isError = (row) => row.outcome !== "right" && row.outcome !== "unjudged";

const CLEAR = { kind: "", type: "", relation: "", search: "" };
const state = { model: raw.start[0], set: raw.start[1], domain: "", ...CLEAR };

const scopeRows = () => rowsOf(state.model, state.set).filter((row) => state.domain === "" || row.item.domain === Number(state.domain));

function ofKind(row, kind) {
  if (kind === "") return true;
  if (kind === "error") return isError(row);
  const [group, name] = kind.split(":");
  if (group === "fault") return row.faults.includes(name);
  if (group === "form") return row.status === name;
  if (group === "parsed") return row.errors.includes(name);
  return row.outcome === kind;
}

const sidesOf = (row) => [row.gold, row.answer].filter(Boolean);
const typesOf = (row) => new Set(sidesOf(row).flatMap((side) => side.entities.map((e) => e.type)).filter((t) => t !== null));
const namesOf = (row) => new Set(sidesOf(row).flatMap((side) => side.relations.map((r) => r.name)));

const wordsOf = (row) => sidesOf(row).flatMap((side) => [
  ...side.entities.flatMap((e) => [e.text, e.type]), ...side.relations.flatMap((r) => [r.head, r.name, r.tail]),
]);

function haystack(row) {
  row.hay ??= [row.item.id, row.item.text, row.completion, ...wordsOf(row), ...Object.values(row.item.tags)].filter(Boolean).join("\n").toLowerCase();
  return row.hay;
}

function listedRows(scope) {
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  return scope.filter(
    (row) =>
      ofKind(row, state.kind) &&
      (state.type === "" || typesOf(row).has(state.type)) &&
      (state.relation === "" || namesOf(row).has(state.relation)) &&
      words.every((word) => haystack(row).includes(word)),
  );
}

// How many rows have each of the values that `keys(row)` gives.
function counted(list, keys) {
  const counts = new Map();
  for (const entry of list) {
    for (const key of keys(entry)) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

// What stands before the answer block, and from there on; the opening tag of the reasoning may have stood in the prompt.
function reasoningOf(completion) {
  const at = completion.lastIndexOf("<answer>");
  const before = at < 0 ? completion : completion.slice(0, at);
  const reasoning = before.replace(/<\/?(?:think|reasoning|plan)>/g, "\n").trim();
  return { reasoning: at < 0 ? "" : reasoning, rest: at < 0 ? completion.trim() : completion.slice(at).trim() };
}
