// The products: buttons to choose one, and the table that sorts.

import { byId, make, say, stateCell } from "./dom.js";
import { lasting, MODES, percent, ratioOf, times } from "./words.js";

export function rowsOf(glances, ageOf) {
  return glances.map((glance) => ({
    ...glance, rank: MODES.indexOf(glance.mode), ratio: ratioOf(glance), age: ageOf(glance),
  }));
}

// Unknown values come last, whichever way it is sorted.
export function sorted(rows, key, descending) {
  const way = descending ? -1 : 1;
  return [...rows].sort((one, other) => {
    const [a, b] = [one[key], other[key]];
    if (a === null || b === null) return (a === null) - (b === null);
    return way * (typeof a === "string" ? a.localeCompare(b) : a - b) || one.product_id.localeCompare(other.product_id);
  });
}

export class Products {
  constructor(onChosen) {
    this.list = byId("products");
    this.table = byId("all");
    this.onChosen = onChosen;
    this.key = "product_id";
    this.descending = false;
    this.rows = [];
    for (const button of this.table.querySelectorAll("th button")) {
      button.addEventListener("click", () => this.sortBy(button.dataset.key));
    }
  }

  sortBy(key) {
    this.descending = key === this.key ? !this.descending : false;
    this.key = key;
    for (const button of this.table.querySelectorAll("th button")) {
      const heading = button.closest("th");
      if (button.dataset.key === key) heading.setAttribute("aria-sort", this.descending ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    }
    this.showTable();
  }

  show(rows, chosen) {
    this.rows = rows;
    this.showButtons(chosen);
    this.showTable();
  }

  showButtons(chosen) {
    const names = this.rows.map((row) => row.product_id);
    if (this.list.dataset.names !== names.join(" ")) {
      this.list.dataset.names = names.join(" ");
      this.list.replaceChildren(...names.map((name) => this.button(name)));
    }
    this.rows.forEach((row, at) => {
      const button = this.list.children[at].firstChild;
      button.dataset.mode = row.mode;
      button.setAttribute("aria-current", String(row.product_id === chosen));
      say(button.lastChild, `${row.product_id} ${row.mode}`);
    });
  }

  button(name) {
    const button = make("button", { type: "button" }, make("span", { className: "shape", "aria-hidden": "true" }), make("span"));
    button.addEventListener("click", () => this.onChosen(name));
    return make("li", {}, button);
  }

  showTable() {
    const rows = sorted(this.rows, this.key, this.descending).map((row) => make("tr", {},
      make("th", { scope: "row" }, row.product_id), make("td", {}, stateCell("span", row.mode)),
      make("td", {}, times(row.ratio)), make("td", {}, percent(row.score)),
      make("td", {}, percent(row.severe)), make("td", {}, lasting(row.age))));
    this.table.tBodies[0].replaceChildren(...rows);
  }
}
