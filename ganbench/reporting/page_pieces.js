// What the page's script is made of and that knows nothing of its state: controls, sorting, exports.
"use strict";

const INLINE = 10; // names that stand in the bar as they are; more of them go behind a button
const LONG = 24; // letters of a name that a chip may have to cut
const UNITS = { ms: 1e-3, s: 1, min: 60, h: 3600, d: 86400, kB: 1e3, MB: 1e6, GB: 1e9 };
const PAPER_INK = "#1c2127"; // what `currentColor` is on white paper
const REMARK = "Marks that a filter of the page hid are left out.";

function make(tag, name = "", text = "") {
  const found = document.createElement(tag);
  if (name) found.className = name;
  found.textContent = text; // never as HTML: names come from whoever wrote the suite
  return found;
}

function button(text, act, told = "") {
  const found = make("button", "", text);
  found.type = "button";
  found.dataset.act = act;
  if (told) found.setAttribute("aria-label", told);
  return found;
}

function names(choice) {
  return [...choice.querySelectorAll(":scope > .option")].map((option) => option.dataset.name);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // a link that was cut
  }
}

function toolbar(told, values) {
  const found = make("div", "bar"), fold = make("details"), tools = make("div", "tools"), status = make("p", "status");
  found.setAttribute("role", "region");
  found.setAttribute("aria-label", "Filters and view");
  status.setAttribute("role", "status");
  fold.open = matchMedia("(min-width: 52rem)").matches;
  tools.append(
    ...boxes("o", "Objectives", told.objectives),
    ...boxes("s", "Seeds", told.seeds.map((seed) => ({ name: String(seed) }))),
    ...select("d", "Dataset", [["", "all"], ...told.datasets.map((name) => [name, name])]),
    ...select("v", "Value", [["", "headline"], ...values.map((name) => [name, name])]),
    ...select("t", "Theme", [["", "auto"], ["light", "light"], ["dark", "dark"]]),
    button("Copy link", "copy"),
    button("Reset", "reset"),
  );
  fold.append(make("summary", "", "Filters and view"), tools);
  found.append(fold, status);
  return found;
}

function boxes(key, title, entries) {
  const inline = entries.length <= INLINE, count = make("span", "count");
  const group = make(inline ? "fieldset" : "details", inline ? "chips" : "chips pop");
  const head = make(inline ? "legend" : "summary", "", title), list = inline ? group : make("div", "panel");
  count.dataset.count = key;
  head.append(count);
  group.append(head);
  entries.forEach(({ name, colour, shape = "" }, place) => {
    const chip = make("span", "chip"), label = make("label"), box = make("input"), swatch = make("i", `swatch ${shape}`);
    Object.assign(box, { type: "checkbox", value: name });
    box.dataset.act = key;
    if (key === "o") chip.dataset.o = place;
    swatch.style.setProperty("--c", colour);
    label.append(box, ...(colour ? [swatch] : []), make("span", "label", name));
    label.title = name.length > LONG ? name : "";
    const only = button("only", `only:${key}`, `only ${key === "o" ? "objective" : "seed"} ${name}`);
    only.value = name;
    chip.append(label, only);
    list.append(chip);
  });
  const all = button("all", `all:${key}`, `all ${title.toLowerCase()}`);
  if (inline) list.append(all);
  else list.prepend(all);
  if (!inline) group.append(list);
  return entries.length > 1 ? [group] : [];
}

function select(key, title, entries) {
  const label = make("label", "", title), found = make("select");
  found.dataset.act = key;
  found.append(...entries.map(([value, text]) => new Option(text, value)));
  label.append(found);
  return entries.length > 2 ? [label] : [];
}

function pick(choice, place) {
  const slider = "slider" in choice.dataset, all = names(choice);
  const found = make(slider ? "label" : "fieldset", "pick");
  found.append(make(slider ? "span" : "legend", "", choice.dataset.label));
  for (const [n, name] of slider ? [[0, all[0]]] : all.entries()) {
    const input = make("input"), label = slider ? found : make("label");
    Object.assign(input, { type: slider ? "range" : "radio", name: `choice-${place}`, min: 0, max: all.length - 1 });
    Object.assign(input.dataset, { act: "c", place });
    input.value = n;
    label.append(input, make(slider ? "output" : "span", "", name));
    if (!slider) found.append(label);
  }
  choice.prepend(found);
}

function choose(choice, n) {
  choice.querySelectorAll(":scope > .option").forEach((option, place) => option.classList.toggle("on", place === n));
  const inputs = choice.querySelectorAll(":scope > .pick input");
  if (inputs[0].type === "radio") {
    inputs[n].checked = true;
  } else {
    inputs[0].value = n;
    inputs[0].setAttribute("aria-valuetext", names(choice)[n]);
    inputs[0].nextElementSibling.textContent = names(choice)[n];
  }
}

function sortable(table) {
  for (const heading of table.tHead.rows[0].cells) heading.replaceChildren(button(heading.textContent, "sort"));
}

// Sort rows by a column ("up", "down"), or put them back; a row without an objective (the ceiling) stays last.
function sort(table, rows, [column, way] = []) {
  const heads = [...table.tHead.rows[0].cells], numeric = heads[column]?.classList.contains("n");
  const pinned = rows.some((row) => row.dataset.o) ? rows.filter((row) => !row.dataset.o) : [];
  const keys = new Map(way ? rows.map((row) => [row, key(row.cells[column], numeric)]) : []);
  const order = new Intl.Collator("en", { numeric: true }).compare, sign = way === "down" ? -1 : 1;
  const by = (a, b) => a[0] - b[0] || sign * (typeof a[1] === "number" ? a[1] - b[1] : order(a[1], b[1]));
  const sorted = way ? [...rows].sort((a, b) => by(keys.get(a), keys.get(b))) : rows;
  for (const [place, head] of heads.entries()) {
    if (way && place === column) head.setAttribute("aria-sort", way === "up" ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
  table.tBodies[0].append(...sorted.filter((row) => !pinned.includes(row)), ...pinned);
}

// Numbers come before words and words before dashes, whichever way a column is sorted.
function key(cell, numeric) {
  const text = (cell?.dataset.v ?? cell?.textContent ?? "").trim();
  if (!text || text === "\u2013") return [2, ""];
  const plain = text.replace(/[\u2009\u202f\u00a0]/g, "").replace(/\u2212/g, "-");
  const found = numeric && plain.match(/^(<?)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-z]*)/i);
  if (!found) return [1, text];
  return [0, Number(found[2]) * (UNITS[found[3]] ?? 1) * (found[1] ? 0.999 : 1)]; // `< .001` is less than .001
}

function exportable(figure, numbers) {
  const tools = make("p", "tools"), title = figure.querySelector(".drawing").getAttribute("aria-label");
  tools.append(button("SVG", "svg", `SVG of: ${title}`));
  if (numbers && "DecompressionStream" in window) tools.append(button("Data", "csv", `Data (CSV) of: ${title}`));
  figure.append(tools);
}

// The drawing as a file of its own: no colour that it inherits, and no mark that is hidden here.
function alone(figure, hidden) {
  const title = figure.querySelector(".drawing").getAttribute("aria-label");
  const drawn = figure.querySelector(".drawing > svg").cloneNode(true);
  const before = drawn.querySelectorAll("*").length;
  const part = (tag, text) => {
    const found = document.createElementNS("http://www.w3.org/2000/svg", tag);
    found.textContent = text;
    return found;
  };
  if (hidden) for (const mark of drawn.querySelectorAll(hidden)) mark.remove();
  const left = drawn.querySelectorAll("*").length < before ? ` ${REMARK}` : "", ground = part("rect", "");
  for (const [name, value] of Object.entries({ width: "100%", height: "100%", fill: "#ffffff" })) ground.setAttribute(name, value);
  drawn.prepend(part("title", title), part("desc", figure.querySelector("figcaption").textContent + left), ground);
  return new XMLSerializer().serializeToString(drawn).replaceAll('="currentColor"', `="${PAPER_INK}"`);
}

// Only what can be scrolled is a stop on the way of the Tab key.
function focusable(area) {
  if (area.scrollWidth > area.clientWidth) area.tabIndex = 0;
  else area.removeAttribute("tabindex");
}

async function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

function save(text, type, name) {
  const link = Object.assign(make("a"), { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // some browsers read it late
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // a page on disk may be refused
  }
}
