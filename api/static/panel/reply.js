// A reply as it is shown: who says it, its text, sources, choices, and the thumbs below.

import { el, hidden, icon, lazy } from "./dom.js";
import { t, when } from "./words.js";

/** @typedef {{config: any, openArticle: (slug: string, anchor?: string) => void, openSource: (message: any, number: number) => void,
 *   choose: (choice: {article_id: string, title: string}) => void, other: () => void, rate: (message: any, helpful: boolean, reason?: string) => Promise<any>,
 *   rated: (message: any) => void, draw: typeof import("./nodes.js").draw,
 *   retry: (id: string) => void, discard: (id: string) => void}} Act */

/** A reply of the assistant or of a person. @param {Act} act */
export function replyMessage(message, act) {
  const byAgent = message.role === "agent";
  const name = byAgent ? message.agent || t("agent") : t("assistant");
  const who = el("p", { class: "who" }, el("span", {}, name), el("abbr", { class: "ai" }, byAgent ? t("agent") : t("ai")), el("time", { datetime: message.at }, when(message.at)));
  const body = el("div", { class: "text", lang: message.language }, ...act.draw(message.nodes, { openArticle: act.openArticle, top: 4 }));
  const bubble = el("div", { class: "bubble" }, body, ...sources(message, act), ...choices(message, act));
  const item = el("article", { class: `message ${byAgent ? "agent" : "assistant"}` }, who, bubble);
  if (!byAgent) item.append(...actions(message, act));
  return item;
}

function sources(message, act) {
  if (!message.sources.length) return [];
  const items = message.sources.map(({ number, title }) =>
    el("li", {}, el("button", { type: "button", "aria-label": t("source", { number, title }), onClick: () => act.openSource(message, number) }, el("span", { class: "number" }, String(number)), el("span", { class: "title" }, title), icon("next"))),
  );
  return [el("div", { class: "sources" }, el("p", {}, t("sources")), el("ol", {}, ...items))];
}

function choices(message, act) {
  if (!message.choices.length) return [];
  const items = message.choices.map((choice) => el("li", {}, el("button", { type: "button", onClick: () => act.choose(choice) }, ...offered(choice))));
  items.push(el("li", {}, el("button", { type: "button", class: "other", onClick: act.other }, t("choices_other"))));
  return [el("ul", { class: "choices" }, ...items)];
}

/** A title, and below it a line of what stands there. */
function offered({ title, preview }) {
  return preview ? [el("span", { class: "title" }, title), hidden(`. ${t("choices_preview")}: `), el("span", { class: "preview" }, preview)] : [title];
}

function actions(message, act) {
  if (!message.outcome || /^(smalltalk|offered|escalated)/.test(message.outcome)) return [];
  const row = el("div", { class: "actions" });
  lazy("rating").then(({ rating }) => {
    const { box, after } = rating(message, (helpful, reason) => act.rate(message, helpful, reason), act);
    row.prepend(box);
    row.after(after);
  }, () => {});
  return [row];
}
