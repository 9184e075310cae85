// What a visitor sees of their own message; replies come with reply.js.

import { el, hidden, icon } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./reply.js").Act} Act */

/** That this is an AI: the first thing in every conversation, and it cannot be switched off. */
export function noticeOf(config) {
  const privacy = config.privacy_url && el("a", { href: config.privacy_url, target: "_blank", rel: "noopener" }, t("privacy"));
  if (!config.assistant_on) return el("div", { hidden: true });
  return el("div", { class: "notice" }, icon("spark"), el("div", {}, el("p", {}, config.notice), el("p", { class: "quiet" }, t("privacy_note"), " ", privacy)));
}

/** A visitor's own message; `outgoing` while it is on its way. */
export function visitorMessage(text) {
  const status = el("div", { class: "status" });
  return { item: el("article", { class: "message visitor" }, hidden(`${t("you")}: `), el("div", { class: "bubble" }, text), status), status };
}

/** That a person was called, while this is on its way. */
export function calling() {
  const status = el("div", { class: "status" });
  return { item: el("div", { class: "message calling" }, icon("person"), t("talk_person"), status), status };
}

/** How a message on its way stands, below it; afterwards whether a person has it. */
export function showStatus(status, outgoing, act, isDelivered = false) {
  if (!outgoing) {
    status.className = "status";
    delete status.dataset.drawn;
    return status.replaceChildren(isDelivered ? t("delivered") : "");
  }
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
