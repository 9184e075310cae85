// Search as you type: a combobox whose list holds articles, and at its end the way to the assistant.

import { announce, el, icon } from "./dom.js";
import * as server from "./server.js";
import { t } from "./words.js";

const PAUSE_MS = 150;

/**
 * @param {{openArticle: (id: string) => void, ask: ((text: string) => void) | null, onWords: (words: string) => void}} act
 */
export function searchBox(act) {
  let options = [];
  let active = -1;
  let timer = 0;
  let running = new AbortController();

  const list = el("ul", { id: "found", role: "listbox", "aria-label": t("search_label"), class: "found", hidden: true });
  const note = el("p", { class: "note", hidden: true });
  const input = el("input", {
    type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": "found", "aria-autocomplete": "list", autocomplete: "off",
    "aria-label": t("search_label"), placeholder: t("search_placeholder"), maxlength: 200, enterkeyhint: "search", onInput: later, onKeydown: onKey,
  });
  const form = el("div", { class: "search", role: "search" }, icon("search"), input);

  function later() {
    clearTimeout(timer);
    running.abort();
    const words = input.value.trim();
    act.onWords(words);
    if (!words) return show([], "");
    timer = setTimeout(() => look(words), PAUSE_MS);
  }

  async function look(words) {
    running = new AbortController();
    try {
      const { articles } = await server.json(`/api/search?q=${encodeURIComponent(words)}`, { signal: running.signal });
      show(articles, articles.length ? "" : t("search_none"), words);
      announce(articles.length ? t("search_found", { count: articles.length }) : t("search_none"));
    } catch (error) {
      if (error.name === "AbortError" || running.signal.aborted) return;
      show([], t("search_failed"), words);
      announce(t("search_failed"));
    }
  }

  function show(articles, words, asked = "") {
    const drawn = articles.slice(0, 5).map((article) =>
      option(icon("article"), el("span", {}, article.title, article.section && el("small", {}, article.section)), () => act.openArticle(article.article_id)),
    );
    if (asked && act.ask) drawn.push(option(icon("spark"), el("span", {}, t("search_ask", { text: asked })), () => act.ask(asked), "ask"));
    options = drawn;
    active = -1;
    list.replaceChildren(...drawn.map(({ item }) => item));
    list.hidden = !drawn.length;
    note.hidden = !words;
    note.textContent = words;
    input.setAttribute("aria-expanded", String(drawn.length > 0));
    input.removeAttribute("aria-activedescendant");
  }

  function option(picture, words, choose, kind = "") {
    const item = el("li", { role: "option", "aria-selected": "false", class: kind || null, onClick: choose, onMousedown: (event) => event.preventDefault() }, picture, words);
    return { item, choose };
  }

  function move(to) {
    options[active]?.item.setAttribute("aria-selected", "false");
    active = (to + options.length) % options.length;
    const { item } = options[active];
    item.id = "active-option";
    list.querySelectorAll("#active-option").forEach((other) => other !== item && other.removeAttribute("id"));
    item.setAttribute("aria-selected", "true");
    item.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", item.id);
  }

  function onKey(event) {
    if (event.isComposing) return;
    if (event.key === "Escape" && input.value) {
      event.preventDefault();
      event.stopPropagation();
      set("");
    } else if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault();
      if (active >= 0) options[active].choose();
      else if (act.ask) act.ask(input.value.trim());
      else options[0]?.choose();
    } else if (options.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      move(event.key === "ArrowDown" ? active + 1 : active < 0 ? options.length - 1 : active - 1);
    }
  }

  /** Put words into the field, as if they had been typed. */
  function set(words) {
    input.value = words;
    later();
  }

  return { form, results: el("div", { class: "results" }, note, list), input, set };
}
