// One message of the conversation as it is shown.

import { el, hidden, icon, lazy } from "./dom.js";
import { contactLink } from "./home.js";
import { draw } from "./nodes.js";
import { t, when } from "./words.js";

/** @typedef {{config: any, openArticle: (slug: string, anchor?: string) => void, openSource: (message: any, number: number) => void,
 *   choose: (choice: {article_id: string, title: string}) => void, other: () => void, rate: (message: any, helpful: boolean, reason?: string) => Promise<any>,
 *   retry: (id: string) => void, discard: (id: string) => void}} Act */

/** That this is an AI: the first thing in every conversation, and it cannot be switched off. */
export function noticeOf(config) {
  const privacy = config.privacy_url && el("a", { href: config.privacy_url, target: "_blank", rel: "noopener" }, t("privacy"));
  return el("div", { class: "notice" }, icon("spark"), el("div", {}, el("p", {}, config.notice), el("p", { class: "quiet" }, t("privacy_note"), " ", privacy)));
}

/** A visitor's own message; `outgoing` while it is on its way. */
export function visitorMessage(text) {
  const status = el("div", { class: "status" });
  return { item: el("article", { class: "message visitor" }, hidden(`${t("you")}: `), el("div", { class: "bubble" }, text), status), status };
}

/** How a message on its way stands, below it. */
export function showStatus(status, outgoing, act) {
  if (!outgoing) return status.replaceChildren();
  const { state, note, step, id } = outgoing;
  const says = { sending: step ? "sent" : "sending", waiting: "waiting", busy: "busy", failed: "failed" }[state];
  const shown = [el("span", {}, t(says, { seconds: note }), state === "failed" && note ? ` (${note})` : "")];
  if (state === "failed") {
    shown.push(el("button", { type: "button", onClick: () => act.retry(id) }, t("retry")));
  }
  const drawn = `${state} ${says} ${note}`;
  if (status.dataset.drawn === drawn) return;
  status.dataset.drawn = drawn;
  status.className = `status ${state}`;
  status.replaceChildren(...shown);
}

/** A reply of the assistant or of a person. @param {Act} act */
export function replyMessage(message, act) {
  const byAgent = message.role === "agent";
  const name = byAgent ? t("agent") : t("assistant");
  const who = el("p", { class: "who" }, name, !byAgent && el("abbr", { class: "ai" }, t("ai")), el("time", { datetime: message.at }, when(message.at)));
  const body = el("div", { class: "text", lang: message.language }, ...draw(message.nodes, { openArticle: act.openArticle, top: 4 }));
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
  const items = message.choices.map((choice) => el("li", {}, el("button", { type: "button", onClick: () => act.choose(choice) }, choice.title)));
  items.push(el("li", {}, el("button", { type: "button", class: "other", onClick: act.other }, t("choices_other"))));
  return [el("ul", { class: "choices" }, ...items)];
}

function actions(message, act) {
  const contact = contactLink(act.config);
  const isAnswer = message.outcome && !/^(smalltalk|offered)/.test(message.outcome);
  if (!isAnswer) return contact.length && message.outcome ? [el("div", { class: "actions" }, ...contact)] : [];
  const row = el("div", { class: "actions" }, ...contact);
  lazy("rating").then(({ rating }) => {
    const { box, after } = rating(message, (helpful, reason) => act.rate(message, helpful, reason));
    row.prepend(box);
    row.after(after);
  }, () => {});
  return [row];
}
