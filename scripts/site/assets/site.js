/** Theme, list of pages on a phone, copying, and the search; without any of it every page can be read. */
"use strict";

const html = document.documentElement;
const here = html.dataset.root;

/** A page that was opened from the disk may be without storage. */
function kept(write) {
  try {
    if (write !== undefined) localStorage.setItem("sluice-docs-theme", write);
    return localStorage.getItem("sluice-docs-theme") ?? "";
  } catch {
    return "";
  }
}
if (kept() !== "") html.dataset.theme = kept();

/** Loads a script once. */
const load = (name) =>
  new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), {
      src: `${here}assets/${name}`,
      onload: resolve,
      onerror: reject,
    });
    document.head.append(script);
  });

/** Who searches mostly wants to do something; what only contributors read comes last. */
const WEIGHT = { Sluice: 1, Guides: 1.5, Reference: 1.2 };

let index;
function searchIndex() {
  index ??= Promise.all([load("minisearch.js"), load("search-data.js")]).then(() => {
    const search = new window.MiniSearch({
      fields: ["title", "page", "text"],
      storeFields: ["title", "page", "text", "url", "shelf"],
      searchOptions: {
        boost: { title: 4, page: 2 },
        prefix: true,
        fuzzy: 0.15,
        combineWith: "AND",
        boostDocument: (_id, _term, { shelf }) => WEIGHT[shelf] ?? 0.5,
      },
    });
    search.addAll(window.sitePages);
    return search;
  });
  return index;
}

/** The text around the first word that was found. */
function excerpt(text, terms) {
  const lower = text.toLowerCase();
  const at = Math.min(...terms.map((term) => lower.indexOf(term)).filter((place) => place >= 0), text.length);
  const from = at >= text.length ? 0 : Math.max(0, at - 40);
  return (from > 0 ? "… " : "") + text.slice(from, from + 160);
}

function resultOf({ title, page, text, url, shelf, terms }) {
  const link = Object.assign(document.createElement("a"), { href: here + url, textContent: title });
  const where = title === page ? shelf : `${shelf} · ${page}`;
  link.append(
    Object.assign(document.createElement("small"), { textContent: `${where}: ${excerpt(text, terms)}` }),
  );
  const item = document.createElement("li");
  item.append(link);
  return item;
}

function offerSearch(dialog, opener) {
  const [input, list] = [dialog.querySelector("input"), dialog.querySelector("ol")];
  const open = () => {
    dialog.showModal();
    input.select();
    void searchIndex();
  };
  opener.addEventListener("click", open);
  addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|TEXTAREA)$/.test(event.target.tagName);
    if ((event.key === "/" && !isTyping) || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      open();
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("a")) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const stops = [input, ...list.querySelectorAll("a")];
    const next = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    stops.at(next % stops.length)?.focus();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === input) list.querySelector("a")?.click();
  });
  input.addEventListener("input", async () => {
    const asked = input.value.trim();
    const search = await searchIndex();
    // What was typed meanwhile has its own answer.
    if (asked !== input.value.trim()) return;
    const found = asked === "" ? [] : search.search(asked).slice(0, 20);
    list.replaceChildren(...found.map(resultOf));
    if (asked !== "" && found.length === 0)
      list.replaceChildren(
        Object.assign(document.createElement("p"), { textContent: "Nothing has these words." }),
      );
  });
}

addEventListener("DOMContentLoaded", () => {
  const one = (selector) => document.querySelector(selector);

  one("#theme").addEventListener("click", () => {
    const isDark = html.dataset.theme
      ? html.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    html.dataset.theme = isDark ? "light" : "dark";
    kept(html.dataset.theme);
  });

  const menu = one("#menu");
  menu.addEventListener("click", () => {
    const isOpen = html.dataset.menu === "open";
    html.dataset.menu = isOpen ? "" : "open";
    menu.setAttribute("aria-expanded", String(!isOpen));
  });
  const [pages, current] = [one("#pages"), one("nav [aria-current]")];
  if (current && current.offsetTop > pages.clientHeight)
    pages.scrollTop = current.offsetTop - pages.clientHeight / 2;

  for (const block of document.querySelectorAll("pre")) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy" });
    button.addEventListener("click", () => {
      navigator.clipboard?.writeText(block.querySelector("code").textContent).then(
        () => (button.textContent = "Copied"),
        () => (button.textContent = "Not allowed"),
      );
    });
    block.append(button);
  }

  offerSearch(one("#search"), one("#search-open"));
});
