// A list of any length of which only the visible rows exist.

const ROW_HEIGHT = 58;
const SPARE = 6;

class WindowedList {
  // `drawn(entry)` gives the children of a row, `spoken(entry)` its text for screen readers.
  constructor(box, { drawn, spoken, chosen }) {
    const prefix = box.id === "list" ? "row" : `${box.id}-row`;
    Object.assign(this, { box, drawn, spoken, chosen, prefix, entries: [], selected: -1, pending: false });
    this.sheet = el("div", { class: "sheet", role: "presentation" });
    box.replaceChildren(this.sheet);
    box.addEventListener("scroll", () => this.later(), { passive: true });
    box.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.later()).observe(box);
  }

  show(entries, selected) {
    this.entries = entries;
    this.selected = entries.length ? Math.max(0, selected) : -1;
    this.sheet.style.height = `${entries.length * ROW_HEIGHT}px`;
    this.box.scrollTop = 0;
    this.reveal();
    this.draw();
  }

  select(place) {
    if (!this.entries.length) return;
    this.selected = Math.max(0, Math.min(this.entries.length - 1, place));
    this.reveal();
    this.draw();
    this.chosen(this.entries[this.selected]);
  }

  reveal() {
    if (this.selected < 0) return;
    const top = this.selected * ROW_HEIGHT;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    const below = top + ROW_HEIGHT - this.box.clientHeight;
    if (below > this.box.scrollTop) this.box.scrollTop = below;
  }

  later() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW_HEIGHT) - SPARE);
    const last = Math.min(this.entries.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / ROW_HEIGHT) + SPARE);
    const made = [];
    for (let i = first; i < last; i += 1) made.push(this.row(i));
    this.sheet.replaceChildren(...made);
    if (this.selected >= first && this.selected < last) this.box.setAttribute("aria-activedescendant", `${this.prefix}-${this.selected}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  row(i) {
    const entry = this.entries[i];
    const node = el(
      "div",
      {
        class: "row", role: "option", id: `${this.prefix}-${i}`, "aria-selected": String(i === this.selected),
        "aria-setsize": this.entries.length, "aria-posinset": i + 1, "aria-label": this.spoken(entry),
        on: { click: () => this.select(i) },
      },
      ...this.drawn(entry),
    );
    node.style.transform = `translateY(${i * ROW_HEIGHT}px)`;
    return node;
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / ROW_HEIGHT) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in steps)) return;
    event.preventDefault();
    this.select(this.selected + steps[event.key]);
  }
}
