// The first view: search, what is often asked, and the ways to go on.

import { el, icon } from "./dom.js";
import { searchBox } from "./search.js";
import { kept } from "./store.js";
import { t } from "./words.js";

/**
 * @param {any} config
 * @param {{openArticle: (id: string) => void, ask: (text: string) => void, talk: () => void, begun: () => boolean,
 *   openForm: (kind: string) => void, goTo: (conversation: any) => void}} act
 */
export function homeView(config, act) {
  const rest = el("div", { class: "rest" });
  const search = searchBox({ ...act, ask: config.assistant_on ? act.ask : null, onWords: (words) => (rest.hidden = Boolean(words)) });
  const talkTitle = el("strong", {});
  const talk = el("button", { type: "button", class: "card talk", onClick: act.talk }, el("span", { class: "face" }, icon("spark")), el("span", {}, talkTitle, el("small", {}, t("ask_more"))), icon("next"));
  const questions = config.questions.map(({ article_id, title }) =>
    el("li", {}, el("button", { type: "button", onClick: () => act.openArticle(article_id) }, el("span", {}, title), icon("next"))),
  );
  const often = questions.length > 0 && el("section", { class: "card often" }, el("h2", {}, t("top_questions")), el("ul", {}, ...questions));
  const form = (kind, picture, words) => el("button", { type: "button", onClick: () => act.openForm(kind) }, icon(picture), t(words));
  const others = el("div", { class: "others" });
  const ways = el("nav", { class: "ways", "aria-label": t("more") }, form("contact", "person", "contact"), form("bug_report", "bug", "report"), el("a", { href: "/help", target: "_blank", rel: "noopener" }, icon("article"), t("browse")));
  rest.append(...[talk, others, often, ways].filter(Boolean));
  const title = el("h1", { tabindex: -1 }, t("hello"));
  const main = el("main", { class: "home" }, el("div", { class: "hero" }, title, search.form), search.results, rest);

  return {
    main,
    search: search.set,
    /** Called each time the view is shown. */
    shown() {
      talk.hidden = !config.assistant_on && !act.begun();
      talkTitle.textContent = t(act.begun() ? "continue_title" : "ask_title");
      others.replaceChildren(...kept().others.map((one) => el("button", { type: "button", class: "card talk", onClick: () => act.goTo(one) }, icon("chat"), el("span", {}, t("ticket", { number: one.number })), icon("next"))));
      (matchMedia("(pointer: coarse)").matches ? title : search.input).focus();
    },
  };
}
