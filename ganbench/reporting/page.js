// The report as a tool: filters, one option at a time, sorting, and all of that in the location's hash.
// Without this script the page shows everything. Nothing is fetched.

const root = document.documentElement;
root.className = "js"; // before the first paint, so that no option is seen that is hidden a moment later
addEventListener("DOMContentLoaded", () => {
  try {
    start();
  } catch (error) {
    root.className = ""; // a page without its tools still shows everything
    throw error;
  }
});

function start() {
  const told = JSON.parse(document.getElementById("told").textContent);
  const every = { o: told.objectives.map((one) => one.name), s: told.seeds.map(String) };
  const choices = [...document.querySelectorAll(".choice")];
  const tables = new Map([...document.querySelectorAll("main table")].map((table) => [table, [...table.tBodies[0].rows]]));
  const values = [...new Set(choices.filter(byValue).flatMap(names))];
  const bar = toolbar(told, values), filter = make("style"), light = make("style");
  let state = read(), panelsOwned = false, lighting;

  choices.forEach(pick);
  for (const table of tables.keys()) sortable(table);
  for (const figure of document.querySelectorAll("figure")) exportable(figure, told.numbers[figure.id]);
  document.head.append(filter, light);
  document.querySelector("main").before(bar);
  new ResizeObserver(measure).observe(bar);
  const scrolled = new ResizeObserver((found) => found.forEach(({ target }) => focusable(target)));
  for (const area of document.querySelectorAll(".scroll, pre")) scrolled.observe(area);
  listen();
  show();
  if (state.anchor) go();

  // What the reader chose, as it stands in the hash: #ANCHOR?key=name,name&... Names that are not known are left out.

  function fresh(anchor = "") {
    return { anchor, o: new Set(), s: new Set(), d: "", v: "", t: "", sort: {}, c: {} };
  }

  function read() {
    const [anchor, query = ""] = location.hash.slice(1).split(/\?(.*)/s), found = {}, state = fresh(decoded(anchor));
    for (const pair of query.split("&")) {
      const [key, list = ""] = pair.split(/=(.*)/s);
      found[key] = list.split(",").map(decoded);
    }
    const known = (key, all) => (found[key] ?? []).filter((name) => all.includes(name));
    for (const [key, all] of Object.entries(every)) {
      const shown = known(key, all);
      hide(state, key, shown.length ? all.filter((name) => !shown.includes(name)) : known(`no${key}`, all));
    }
    [state.d = ""] = known("d", told.datasets);
    [state.v = ""] = known("v", values);
    [state.t = ""] = known("t", ["light", "dark"]);
    for (const [table, column, way] of (found.sort ?? []).map((one) => one.split(":"))) {
      const known = [...tables.keys()].find((one) => one.dataset.name === table)?.tHead.rows[0].cells[column];
      if (known && ["up", "down"].includes(way)) state.sort[table] = [known.cellIndex, way];
    }
    for (const [place, option] of (found.c ?? []).map((one) => one.split(":").map(Number))) {
      if (choices[place] && names(choices[place])[option] !== undefined) state.c[place] = option;
    }
    return state;
  }

  function written() {
    const pairs = [], put = (key, list) => list.length && pairs.push(`${key}=${list.map(encodeURIComponent).join()}`);
    for (const [key, all] of Object.entries(every)) {
      const shown = all.filter((name) => !state[key].has(name)), short = shown.length <= state[key].size;
      if (state[key].size) put(short ? key : `no${key}`, short ? shown : [...state[key]]);
    }
    for (const key of ["d", "v", "t"]) put(key, [state[key]].filter(Boolean));
    put("sort", Object.entries(state.sort).map(([table, how]) => [table, ...how].join(":")));
    put("c", Object.entries(state.c).map((pair) => pair.join(":")));
    const anchor = encodeURIComponent(state.anchor);
    return pairs.length ? `#${anchor}?${pairs.join("&")}` : anchor && `#${anchor}`;
  }

  function remember(replace) {
    const hash = written();
    if (hash === location.hash) return;
    try {
      history[replace ? "replaceState" : "pushState"](null, "", hash || location.pathname + location.search);
    } catch {
      location.hash = hash; // some browsers keep the history of a page on disk to themselves
    }
  }

  function changed(replace = false) {
    show();
    remember(replace);
  }

  function measure() {
    root.style.setProperty("--bar", `${bar.offsetHeight}px`); // under which no heading may end up
  }

  function go() {
    const target = document.getElementById(state.anchor);
    if (!target) return;
    measure();
    target.scrollIntoView();
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
  }

  // From there to the page. Marks are hidden by a style sheet: a figure has tens of thousands of them.

  function hide(state, key, list) {
    state[key] = new Set(list.length < every[key].length ? list : []); // an empty page tells nothing
  }

  function hidden() {
    const places = [...state.o].map((name) => every.o.indexOf(name));
    const marks = places.flatMap((place) => [`[data-o="${place}"]`, `[data-panel="${place}"]`]);
    return [...marks, ...[...state.s].map((seed) => `[data-s="${seed}"]`)];
  }

  function show() {
    if (state.o.size && !panelsOwned) ownPanels();
    const rules = hidden();
    if (state.d) rules.push(`[data-d]:not([data-d="${told.datasets.indexOf(state.d)}"])`);
    filter.textContent = rules.length ? `:is(main, nav) :is(${rules}) { display: none !important; }` : "";
    root.dataset.theme = state.t;
    choices.forEach((one, n) => choose(one, state.c[n] ?? usual(one)));
    for (const [table, rows] of tables) sort(table, rows, state.sort[table.dataset.name]);
    for (const box of bar.querySelectorAll("input")) box.checked = !state[box.dataset.act].has(box.value);
    for (const select of bar.querySelectorAll("select")) select.value = state[select.dataset.act];
    for (const count of bar.querySelectorAll(".count")) count.textContent = shown(count.dataset.count).join("/");
    say(status());
    for (const all of bar.querySelectorAll("[data-act^=all]")) all.disabled = !state[all.dataset.act.split(":")[1]].size;
    bar.querySelector("[data-act=reset]").disabled = !written().includes("?");
  }

  function usual(choice) {
    if ("slider" in choice.dataset) return names(choice).length - 1; // where training ended
    return Math.max(0, byValue(choice) ? names(choice).indexOf(state.v) : 0);
  }

  function byValue(choice) {
    return choice.dataset.label === "Value";
  }

  function shown(key) {
    return [every[key].length - state[key].size, every[key].length];
  }

  function status() {
    const some = Object.entries({ o: "objectives", s: "seeds" }).filter(([key]) => state[key].size);
    const parts = some.map(([key, noun]) => `${shown(key).join(" of ")} ${noun}`);
    if (state.d) parts.push(`dataset ${state.d}`);
    const still = some.length ? " Ranks, means, intervals and tests are still over all of them." : "";
    return parts.length ? `Shown: ${parts.join(", ")}.${still}` : "";
  }

  function say(text) {
    bar.querySelector("[role=status]").textContent = text;
  }

  // A panel in which every mark is of one objective goes with it, its axes and title too.
  function ownPanels() {
    for (const panel of document.querySelectorAll("svg .role-scope")) {
      const owners = new Set([...panel.querySelectorAll("[data-o]")].map((mark) => mark.dataset.o));
      if (owners.size === 1) [panel.dataset.panel] = owners;
    }
    panelsOwned = true;
  }

  function lit(place) {
    const others = `:is(svg [data-o], .tile[data-o]):not([data-o="${place}"]) { opacity: .2; }`;
    light.textContent = place === undefined ? "" : `${others} tr[data-o="${place}"] { background: var(--tint); }`;
  }

  // What the reader does: one listener for each kind of event.

  function listen() {
    addEventListener("hashchange", () => {
      const before = state.anchor;
      state = read();
      show();
      if (state.anchor && state.anchor !== before) go();
    });
    document.addEventListener("input", ({ target }) => {
      const { act, place } = target.dataset;
      if (act in every) hide(state, act, toggled(state[act], target.value));
      else if (act === "c") state.c[place] = Number(target.value);
      else if (act) state[act] = target.value;
      if (act === "v") choices.forEach((one, n) => byValue(one) && delete state.c[n]);
      if (act) changed(target.type === "range");
    });
    document.addEventListener("click", (event) => {
      const link = event.target.closest('a[href^="#"]'), pressed = event.target.closest("button[data-act]");
      for (const open of bar.querySelectorAll(".pop[open]")) open.open = open.contains(event.target);
      if (pressed) press(pressed, ...pressed.dataset.act.split(":"));
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault(); // which would leave the filters behind
      state.anchor = decoded(link.hash.slice(1));
      remember();
      go();
    });
    document.addEventListener("dblclick", ({ target }) => {
      const box = target.closest(".chip label")?.querySelector("input");
      if (box) only(box.dataset.act, box.value);
    });
    document.addEventListener("keydown", ({ key }) => {
      const open = key === "Escape" && bar.querySelector(".pop[open]");
      if (!open) return;
      open.open = false;
      open.firstChild.focus();
    });
    document.addEventListener("pointerover", ({ target, pointerType }) => {
      if (pointerType === "touch") return; // a finger does not hover
      clearTimeout(lighting); // a pointer that only crosses a figure lights nothing
      lighting = setTimeout(() => lit(target.closest("[data-o]")?.dataset.o), 120);
    });
  }

  async function press(pressed, act, key) {
    const figure = pressed.closest("figure"), file = figure?.dataset.file;
    if (act === "svg") save(alone(figure, hidden().join()), "image/svg+xml", `${file}.svg`);
    if (act === "csv") save(await unpacked(told.numbers[figure.id]), "text/csv", `${file}.csv`);
    if (act === "copy") say((await copied(location.href)) ? "The link is copied." : location.href);
    if (act === "only") only(key, pressed.value);
    if (act === "sort") sortBy(pressed.parentElement);
    if (act === "all") state[key].clear();
    if (act === "reset") state = fresh(state.anchor);
    if (act === "all" || act === "reset") changed();
  }

  function only(key, name) {
    hide(state, key, every[key].filter((other) => other !== name));
    changed();
  }

  function sortBy(heading) {
    const { name } = heading.closest("table").dataset, [column, way] = state.sort[name] ?? [];
    const next = column !== heading.cellIndex ? "up" : way === "up" ? "down" : "";
    delete state.sort[name];
    if (next) state.sort[name] = [heading.cellIndex, next];
    changed();
  }
}

function toggled(set, name) {
  return set.has(name) ? [...set].filter((other) => other !== name) : [...set, name];
}
