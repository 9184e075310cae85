// An article in the panel; the part that an answer quoted is marked and in sight.

import { el, icon } from "./dom.js";
import { Problem } from "./server.js";
import { day, t } from "./words.js";

/**
 * @param {any} config
 * @param {Promise<any>} asked the article, on its way
 * @param {string} anchor heading to show first
 * @param {{draw: typeof import("./nodes.js").draw, openArticle: (slug: string, anchor?: string) => void, openForm: (kind: string) => void, onShown: (slug: string) => void}} act
 */
export function articleView(config, asked, anchor, act) {
  const title = el("h1", { tabindex: -1 }, t("loading"));
  const body = el("div", { class: "text", "aria-busy": "true" });
  const main = el("main", { class: "article", tabindex: 0 }, title, body);

  asked.then(show, (error) => {
    title.textContent = t(error instanceof Problem && error.status === 404 ? "article_gone" : "article_failed");
    body.removeAttribute("aria-busy");
  });

  function show(article) {
    title.textContent = article.title;
    title.lang = body.lang = article.language;
    const marks = hasMark(article.nodes);
    const open = (slug, at) => (slug === article.slug ? goTo(at) : act.openArticle(slug, at));
    body.replaceChildren(...act.draw(article.nodes, { openArticle: open, top: 2 }));
    body.removeAttribute("aria-busy");
    title.before(...(article.section ? [el("p", { class: "quiet section" }, article.section)] : []));
    title.after(el("p", { class: "quiet" }, t("updated", { date: day(article.updated_at) })), ...(marks ? [el("p", { class: "legend" }, el("mark", {}, t("quoted")))] : []));
    const outside = /^(https?:\/\/|\/)/.test(article.url) && el("a", { href: article.url, target: "_blank", rel: "noopener" }, icon("out"), t("article_open"));
    main.append(el("nav", { class: "ways", "aria-label": t("more") }, outside, el("button", { type: "button", onClick: () => act.openForm("contact") }, icon("person"), t("contact"))));
    act.onShown(article.slug);
    if (anchor) goTo(anchor);
    else if (marks) show1(body.querySelector("mark"));
  }

  function goTo(at) {
    const place = at && document.getElementById(`a-${at}`);
    if (place) {
      place.scrollIntoView();
      place.focus({ preventScroll: true });
    } else main.scrollTop = 0;
  }

  function show1(mark) {
    if (mark.offsetTop > main.clientHeight * 0.7) mark.scrollIntoView({ block: "center" });
  }

  return { main, shown: () => title.focus({ preventScroll: true }) };
}

function hasMark(nodes) {
  return nodes.some((node) => typeof node !== "string" && (node.tag === "mark" || hasMark(node.of)));
}
