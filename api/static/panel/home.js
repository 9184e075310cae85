// The first view: search, what is often asked, and the ways to go on.

import { el, icon, safeHref } from "./dom.js";
import { searchBox } from "./search.js";
import { t } from "./words.js";

/**
 * @param {any} config
 * @param {{openArticle: (id: string) => void, ask: (text: string) => void, talk: () => void, begun: () => boolean}} act
 */
export function homeView(config, act) {
  const rest = el("div", { class: "rest" });
  const search = searchBox({ ...act, onWords: (words) => (rest.hidden = Boolean(words)) });
  const talkTitle = el("strong", {});
  const talk = el("button", { type: "button", class: "card talk", onClick: act.talk }, el("span", { class: "face" }, icon("spark")), el("span", {}, talkTitle, el("small", {}, t("ask_more"))), icon("next"));
  const questions = config.questions.map(({ article_id, title }) =>
    el("li", {}, el("button", { type: "button", onClick: () => act.openArticle(article_id) }, el("span", {}, title), icon("next"))),
  );
  const often = questions.length > 0 && el("section", { class: "card often" }, el("h2", {}, t("top_questions")), el("ul", {}, ...questions));
  const ways = el("nav", { class: "ways", "aria-label": t("more") }, ...contactLink(config), el("a", { href: "/help", target: "_blank", rel: "noopener" }, icon("article"), t("browse")));
  rest.append(...[talk, often, ways].filter(Boolean));
  const title = el("h1", { tabindex: -1 }, t("hello"));
  const main = el("main", { class: "home" }, el("div", { class: "hero" }, title, search.form), search.results, rest);

  return {
    main,
    search: search.set,
    /** Called each time the view is shown. */
    shown() {
      talkTitle.textContent = t(act.begun() ? "continue_title" : "ask_title");
      (matchMedia("(pointer: coarse)").matches ? title : search.input).focus();
    },
  };
}

/** How to reach a person, where the operator has said so: a link, or words to read. */
export function contactLink(config) {
  const { contact } = config;
  if (!contact) return [];
  const href = safeHref(contact.href);
  if (!href) return [el("span", { class: "contact" }, icon("person"), `${t("contact")}: ${contact.text}`)];
  const outside = href.startsWith("http") ? { target: "_blank", rel: "noopener" } : {};
  return [el("a", { class: "contact", href, title: contact.text, ...outside }, icon("person"), t("contact"))];
}
