// The page with its script: search, filters, order, keys, places side by side. What comes from documents is put in as
// text, never as markup. The data are those of data.py; a piece is a text, a pair (first, other) or a number of words.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const PAGE = 60; // findings added at a time
  const ROWS = 24; // documents added at a time
  const SVG = "http://www.w3.org/2000/svg";
  const list = $("list");
  const FIELDS = ["search", "kind", "alike", "words", "copies", "document", "order"];

  const fields = (names, rows) => rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])));
  const all = fields(
    ["anchor", "kind", "title", "facts", "words", "copies", "alike", "places", "left", "views"],
    data.findings,
  );
  for (const finding of all)
    finding.places = fields(["document", "line", "figures", "view", "before", "after", "words"], finding.places);
  const strips = fields(["document", "length", "share", "findings", "spans"], data.strips);
  const byAnchor = new Map(all.map((finding, number) => [finding.anchor, number]));

  let chosen = all; // the findings that pass the filters, in order
  let shown = 0; // how many of them are in the page

  // ---- making elements ---------------------------------------------------------------------------------------

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {}))
      if (typeof value === "function") element.addEventListener(name, value);
      else if (value !== undefined) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  }

  function draw(tag, attributes, ...children) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

  // ---- places ------------------------------------------------------------------------------------------------

  function named(place) {
    const [file, record, own] = data.documents[place.document];
    const line = place.line ? `:${place.line}` : "";
    if (file < 0) return { name: own + line, own: "", note: "", href: "" };
    const [path, href] = data.files[file];
    if (!record) return { name: path + line, own, note: "", href };
    const note = place.line > 1 ? `, line ${place.line.toLocaleString("en")} of its text` : "";
    return { name: `${path}:${record}`, own, note, href };
  }

  function nameOf(place) {
    const { name, own, note, href } = named(place);
    const text = make("bdi", {}, name);
    const parts = [href ? make("a", { href: href + (place.words || "") }, text) : text];
    if (own) parts.push(" ", make("bdi", {}, own));
    if (note) parts.push(note);
    return parts;
  }

  function copyButton(place) {
    const { name } = named(place);
    return make("button", { type: "button", class: "copy", "aria-label": `Copy ${name}`, click: (event) => copy(name, event.currentTarget) }, "Copy");
  }

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = make("textarea", { readonly: "" }, text);
      button.after(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    button.textContent = "Copied";
    $("said").textContent = `Copied ${text}`;
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }

  // ---- a finding ---------------------------------------------------------------------------------------------

  function closed(finding) {
    const names = [];
    for (const place of finding.places.slice(0, 2)) names.push(names.length ? " · " : "", make("bdi", {}, named(place).name));
    if (finding.places.length > 2) names.push(` and ${(finding.places.length - 2).toLocaleString("en")} more`);
    return make("details", { class: "finding", id: finding.anchor, toggle: (event) => toggled(event.currentTarget, finding) },
      make("summary", {},
        make("span", { class: "kind" }, data.kinds[finding.kind][0]),
        make("span", { class: "said", dir: "auto" }, finding.title),
        make("span", { class: "facts" }, finding.facts),
        make("span", { class: "where" }, ...names)));
  }

  function toggled(details, finding) {
    if (!details.open) return;
    fill(details, finding);
    if (location.hash !== `#${finding.anchor}`) history.replaceState(null, "", `#${finding.anchor}`);
  }

  function fill(details, finding) {
    if (!details.querySelector(".body")) details.append(opened(finding));
  }

  function openAll() {
    [...list.children].forEach((details, number) => {
      fill(details, chosen[number]);
      details.open = true;
    });
  }

  function opened(finding) {
    const isKept = finding.anchor.startsWith("d-");
    const sides = make("div", { class: "sides" });
    const items = finding.places.map((place, number) => {
      const role = number === 0 ? (isKept ? "kept" : "first") : isKept ? "copy" : "";
      const parts = [make("span", { class: "role" }, role), " ", ...nameOf(place)];
      if (place.figures) parts.push(" ", make("span", { class: "figures" }, place.figures));
      if (number > 0 && finding.places.length > 2) {
        const { name, own } = named(place);
        const radio = make("input", { type: "radio", name: `other-${finding.anchor}`, "aria-label": `Show ${name} ${own} beside the first`,
          change: () => compare(finding, sides, number) });
        radio.checked = number === 1;
        parts.unshift(radio);
      }
      return make("li", {}, ...parts, " ", copyButton(place));
    });
    const body = make("div", { class: "body" },
      make("p", { class: "why" }, data.kinds[finding.kind][1]),
      make("ol", { class: "places" }, ...items),
      finding.left ? make("p", { class: "why" }, `and ${count(finding.left, "more place")}`) : "",
      sides);
    compare(finding, sides, Math.min(1, finding.places.length - 1));
    return body;
  }

  function compare(finding, sides, number) {
    const other = finding.places[number];
    const view = finding.views[number && other.view >= 0 ? other.view : 0];
    sides.replaceChildren(side(finding.places[0], view, 0));
    if (number) sides.append(side(other, other.view < 0 ? undefined : view, 1));
    const marked = view && view[0].some(Array.isArray);
    if (marked)
      sides.append(make("p", { class: "legend" }, make("del", {}, "only in the first"), " ", make("ins", {}, "only in the other")));
  }

  function side(place, view, which) {
    const text = make("p", { class: "text", dir: "auto" });
    if (view) {
      const passage = make("span", { class: "passage" }, ...view[0].map((piece) => pieceOf(piece, which)));
      if (view[1]) passage.append(make("span", { class: "gap" }, " … shown as far as here"));
      const [before, after] = which ? [place.before, place.after] : [view[2] || place.before, view[3] || place.after];
      text.append(make("span", { class: "round" }, before), passage, make("span", { class: "round" }, after));
    } else text.append(make("span", { class: "gap" }, "its text is not on this page"));
    return make("section", { class: "side" }, make("h3", {}, ...nameOf(place)), text);
  }

  function pieceOf(piece, which) {
    if (typeof piece === "string") return piece;
    if (typeof piece === "number") return make("span", { class: "gap" }, ` … ${count(piece, "word")} … `);
    return piece[which] ? make(which ? "ins" : "del", {}, piece[which]) : "";
  }

  // ---- the list ----------------------------------------------------------------------------------------------

  function more(until = shown + PAGE) {
    const next = chosen.slice(shown, until);
    list.append(...next.map(closed));
    shown += next.length;
    $("more").parentElement.hidden = shown >= chosen.length;
    $("rest").textContent = `and ${count(chosen.length - shown, "more finding")}`;
  }

  function haystack(finding) {
    if (finding.hay === undefined) {
      const texts = finding.views.map((view) => view[0].map((piece) => (Array.isArray(piece) ? piece.join(" ") : piece)).join(""));
      finding.hay = [finding.anchor, ...texts, namesOf(finding)].join("\n").toLowerCase();
    }
    return finding.hay;
  }

  function namesOf(finding) {
    finding.names ??= finding.places.map((place) => Object.values(named(place)).slice(0, 2).join(" ")).join("\n").toLowerCase();
    return finding.names;
  }

  const termsOf = (search) => search.toLowerCase().split(/\s+/).filter(Boolean);

  // What is searched for is painted where it stands, in browsers that can do so without touching the text.
  function highlight() {
    const found = new Highlight();
    const terms = termsOf($("search").value);
    const texts = document.createTreeWalker(list, NodeFilter.SHOW_TEXT);
    while (terms.length && texts.nextNode()) {
      const node = texts.currentNode;
      const text = node.data.toLowerCase();
      if (text.length !== node.data.length) continue; // some letters are two in lower case
      for (const term of terms)
        for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + term.length))
          found.add(new StaticRange({ startContainer: node, startOffset: at, endContainer: node, endOffset: at + term.length }));
    }
    CSS.highlights.set("found", found);
  }

  const ORDERS = {
    repeated: (a, b) => b.words * (b.copies - 1) - a.words * (a.copies - 1),
    copies: (a, b) => b.copies - a.copies,
    longest: (a, b) => b.words - a.words,
    most: (a, b) => b.alike - a.alike,
    least: (a, b) => a.alike - b.alike,
    name: (a, b) => compareText(namesOf(a), namesOf(b)),
  };
  const compareText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

  function choose() {
    const [search, kind, alike, words, copies, name, order] = FIELDS.map((field) => $(field).value.trim());
    const terms = termsOf(search);
    const [low, high] = alike ? alike.split("-").map(Number) : [0, 2];
    chosen = all.filter((finding) =>
      (!kind || finding.kind === kind) && finding.alike >= low && finding.alike < high && finding.words >= Number(words) && finding.copies >= Number(copies) &&
      (!name || namesOf(finding).includes(name.toLowerCase())) && terms.every((term) => haystack(finding).includes(term)));
    if (order) chosen.sort(ORDERS[order]);
    list.replaceChildren();
    shown = 0;
    more();
    const told = chosen.length === all.length ? count(all.length, "finding") : `${chosen.length.toLocaleString("en")} of ${count(all.length, "finding")}`;
    $("count").textContent = all.length ? told : "Nothing repeats.";
  }

  function reset() {
    for (const field of FIELDS) $(field).value = "";
    choose();
  }

  function reveal(anchor) {
    const number = byAnchor.get(anchor);
    if (number === undefined) return;
    if (!chosen.includes(all[number])) {
      reset();
    }
    more(Math.max(shown, chosen.indexOf(all[number]) + 1));
    const details = $(anchor);
    fill(details, all[number]);
    details.open = true;
    details.scrollIntoView({ block: "start" });
    details.firstChild.focus({ preventScroll: true });
  }

  const arrive = () => reveal(decodeURIComponent(location.hash.slice(1)));

  // ---- documents ---------------------------------------------------------------------------------------------

  function strip(row) {
    const { name, own } = named({ document: row.document, line: 0 });
    const facts = [row.share, count(row.findings, "finding")].filter(Boolean).join(" in ");
    const show = () => {
      reset();
      $("document").value = own || name;
      choose();
      $("findings").scrollIntoView();
      $("document").focus({ preventScroll: true });
    };
    return make("li", {},
      make("span", { class: "name" }, make("bdi", {}, name), own ? " " : "", own ? make("bdi", {}, own) : ""),
      make("button", { type: "button", class: "facts", "aria-label": `${facts}, show them: ${name} ${own}`, click: show }, facts),
      row.length ? map(row) : "");
  }

  function map(row) {
    const painted = row.spans.map(([start, end, number]) => {
      const bar = draw("rect", { class: end - start === row.length ? "whole" : "part", x: (1000 * start) / row.length, y: 0,
        width: Math.max((1000 * (end - start)) / row.length, 3), height: 14 });
      if (number < 0) return bar;
      const title = draw("title", {}, all[number].title);
      return draw("a", { href: `#${encodeURIComponent(all[number].anchor)}`, tabindex: -1 }, title, bar);
    });
    return draw("svg", { class: "map", viewBox: "0 0 1000 14", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" },
      draw("rect", { class: "ground", width: 1000, height: 14 }), ...painted);
  }

  function documents() {
    const rows = $("strips") && $("strips").querySelector("ol");
    if (!rows) return;
    const first = rows.children.length;
    let found = strips;
    let end = 0;
    const button = make("button", { type: "button", click: () => add(end + ROWS) }, "Show more documents");
    const add = (until) => {
      const next = found.slice(end, until);
      rows.append(...next.map(strip));
      end += next.length;
      button.hidden = end >= found.length;
      const left = (found === strips ? Number($("strips").dataset.documents) : found.length) - end;
      $("strips-left").hidden = left <= 0;
      $("strips-left").textContent = `and ${count(left, "more document")}`;
    };
    const begin = () => {
      end = 0;
      rows.replaceChildren();
      add(first);
    };
    $("strips").append(button);
    $("find").addEventListener("input", () => {
      const part = $("find").value.trim().toLowerCase();
      const isNamed = ({ name, own }) => `${name} ${own}`.toLowerCase().includes(part);
      found = part ? strips.filter((row) => isNamed(named({ document: row.document, line: 0 }))) : strips;
      begin();
      $("said").textContent = count(found.length, "document");
    });
    $("find").parentElement.hidden = strips.length <= first;
    begin();
  }

  // ---- keys --------------------------------------------------------------------------------------------------

  function step(by) {
    const here = document.activeElement.closest(".finding");
    let next = here ? (by > 0 ? here.nextElementSibling : here.previousElementSibling) : list.firstElementChild;
    if (!next && here && by > 0 && shown < chosen.length) {
      more();
      next = here.nextElementSibling;
    }
    if (next) next.firstChild.focus();
    if (next) next.scrollIntoView({ block: "nearest" });
  }

  function escape() {
    const field = document.activeElement.closest(".filters input");
    const finding = document.activeElement.closest(".finding[open]");
    if (field) {
      field.value = "";
      choose();
      field.blur();
    } else if (finding) {
      finding.open = false;
      finding.firstChild.focus();
    }
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    if (event.key === "Escape") return escape();
    if (event.target.closest("input:not([type=radio]), select, textarea")) return;
    const act = { j: () => step(1), k: () => step(-1), "/": () => $("search").focus(), "?": () => $("help").showModal() }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  }

  // ---- dark and light ----------------------------------------------------------------------------------------

  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const stored = (write) => {
    try {
      return write ? localStorage.setItem("dedup-theme", write) : localStorage.getItem("dedup-theme");
    } catch {
      return null; // a page without storage follows the system
    }
  };

  function theme(name) {
    if (name === "dark" || name === "light") document.documentElement.dataset.theme = name;
    $("theme").textContent = isDark() ? "Light" : "Dark";
  }

  // ---- begin -------------------------------------------------------------------------------------------------

  theme(stored());
  system.addEventListener("change", () => theme());
  $("theme").addEventListener("click", () => {
    theme(isDark() ? "light" : "dark");
    stored(document.documentElement.dataset.theme);
  });
  for (const kind of new Set(all.map((finding) => finding.kind))) $("kind").append(make("option", { value: kind }, data.kinds[kind][0]));
  let waiting;
  document.querySelector(".filters").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(choose, 80);
  });
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  $("reset").addEventListener("click", reset);
  $("more").addEventListener("click", () => more());
  $("open").addEventListener("click", openAll);
  new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && more(), { rootMargin: "900px" }).observe($("more"));
  if (CSS.highlights) new MutationObserver(highlight).observe(list, { childList: true, subtree: true });
  $("keys").addEventListener("click", () => $("help").showModal());
  document.addEventListener("keydown", pressed);
  addEventListener("hashchange", arrive);
  for (const element of document.querySelectorAll(all.length ? ".live" : ".top .live")) element.hidden = false;
  choose();
  documents();
  addEventListener("load", () => setTimeout(() => {
    arrive(); // not before: the browser itself goes to the fragment, and takes the focus
    document.documentElement.dataset.ready = "";
  }));
})();
