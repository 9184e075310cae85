// The view in which a visitor and the assistant write to each other.

import { announce, el, icon, lazy } from "./dom.js";
import { calling, noticeOf, showStatus, visitorMessage } from "./message.js";
import { looks, more } from "./more.js";
import { keep, kept } from "./store.js";
import { t } from "./words.js";

/**
 * @param {any} config
 * @param {import("./chat.js").Chat} chat
 * @param {{openArticle: (slug: string, anchor?: string) => void, openSource: (message: any, number: number) => void, openForm: (kind: string) => void}} act
 */
export function conversationView(config, chat, act) {
  const doing = {
    ...act,
    config,
    choose: (choice) => send(choice.title, choice.article_id),
    other: () => send(t("choices_other")),
    rate: (message, helpful, reason) => chat.rate(message, helpful, reason),
    retry: (id) => chat.resume(id),
    discard: (id) => chat.discard(id),
    rated(message) {
      if (!message.helpful) message.offer ||= "not_solved"; // as the server does
      update();
    },
    callPerson,
  };
  /** @type {{replyMessage: any, wordsOf: any} | null} how replies are drawn, once the first one is near */
  let drawing = null;
  let loading = null;
  /** @type {Map<string, {item: HTMLElement, status?: HTMLElement}>} */
  const drawn = new Map();
  const notice = noticeOf(config);
  const log = el("div", { class: "log", role: "log", "aria-live": "off", "aria-label": t("conversation"), tabindex: 0 }, notice);
  const progress = el("div", { class: "progress", hidden: true }, el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")), el("span", {}));
  const state = el("p", { class: "banner", role: "status", hidden: true });
  const input = el("textarea", { rows: 1, "aria-label": t("composer_label"), placeholder: t("composer_placeholder"), enterkeyhint: "send", onInput: typed, onKeydown: onKey });
  const count = el("p", { class: "count", role: "status", hidden: true });
  const button = el("button", { class: "primary send", "aria-label": t("send"), title: t("send") }, icon("send"));
  const onSubmit = (event) => {
    event.preventDefault();
    send(input.value);
  };
  const composer = el("form", { class: "composer", onSubmit }, input, button);
  const person = el("button", { type: "button", class: "person", onClick: callPerson }, icon("person"), t("talk_person"));
  const foot = el("div", { class: "foot" }, person, count, composer);
  const main = el("main", { class: "conversation" }, el("h1", { class: "hidden" }, t("conversation")), log, state, foot);
  input.value = kept().draft;
  typed();

  function send(words, choice = null) {
    const text = words.trim();
    if (!text || text.length > config.message_characters) return;
    ready();
    chat.send(text, choice);
    if (choice === null && words === input.value) {
      input.value = "";
      typed();
    }
    input.focus();
    atEnd(true);
  }

  function callPerson() {
    if (!config.assistant_on && !chat.begun) return act.openForm("contact");
    chat.tell("handover");
    input.focus();
    atEnd(true);
  }

  function typed() {
    const over = input.value.length - config.message_characters;
    count.hidden = over <= 0;
    count.textContent = over > 0 ? t("too_long", { count: over }) : "";
    button.disabled = over > 0 || !input.value.trim();
    if (input.value !== kept().draft) keep({ draft: input.value });
  }

  function onKey(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send(input.value);
  }

  /** Show what the chat holds: what is drawn already stays as it is. */
  function update() {
    const wasAtEnd = isAtEnd() || !progress.hidden; // whoever waits for an answer wants to see it
    const keys = new Set();
    const before = drawn.size;
    for (const message of chat.messages) {
      if (message.notice) continue;
      const key = keyOf(message);
      if (!drawn.has(key)) {
        if (message.role !== "visitor" && !drawing) {
          ready().then(update, () => {});
          continue;
        }
        add(key, message.role === "visitor" ? visitorMessage(message.text) : { item: drawing.replyMessage(message, doing) });
      }
      keys.add(key);
    }
    for (const outgoing of chat.outgoing) {
      if (outgoing.doing && outgoing.doing !== "handover") continue; // told where it was asked
      keys.add(outgoing.id);
      if (!drawn.has(outgoing.id)) add(outgoing.id, outgoing.doing ? calling() : visitorMessage(outgoing.text));
    }
    const last = chat.messages.findLast(({ role }) => role === "visitor");
    const delivered = last?.outcome === "delivered" && keyOf(last);
    for (const [key, { item, status }] of drawn) {
      if (!keys.has(key)) {
        item.remove();
        drawn.delete(key);
      } else if (status) showStatus(status, chat.outgoing.find(({ id }) => id === key), doing, key === delivered);
    }
    log.append(...[...keys].map((key) => drawn.get(key).item).filter((item, n) => log.children[n + 1] !== item), progress);
    showProgress();
    showState();
    if (drawn.size !== before || !progress.hidden) atEnd(wasAtEnd);
    if (chat.ticket || chat.messages.some(({ offer }) => offer)) showPerson(wasAtEnd);
  }

  /** What belongs to a person who is offered, called, or here. */
  function showPerson(wasAtEnd) {
    const view = { chat, config, act: doing, foot, input, button: person, itemOf: (message) => drawn.get(keyOf(message))?.item };
    more("person", config.language).then(({ show }) => {
      const height = log.scrollHeight;
      show(view);
      if (log.scrollHeight !== height) atEnd(wasAtEnd);
    }, () => {});
  }

  function keyOf(message) {
    return message.client_message_id || `m${message.id}`;
  }

  function ready() {
    loading ??= Promise.all([lazy("reply"), lazy("nodes"), looks("reply")]).then(([{ replyMessage }, { draw, wordsOf }]) => {
      doing.draw = draw;
      drawing = { replyMessage, wordsOf };
    });
    loading.catch(() => (loading = null));
    return loading;
  }

  function add(key, made) {
    drawn.set(key, made);
  }

  function showProgress() {
    const running = chat.outgoing.find((item) => item.state === "sending" && item.step);
    progress.hidden = !running;
    if (running) progress.lastChild.textContent = t(`step_${running.step}`);
  }

  function showState() {
    const words = !navigator.onLine ? t("offline") : chat.ended ? t("ended") : chat.loadFailed ? t("load_failed") : "";
    composer.hidden = !config.assistant_on && !chat.held;
    state.hidden = !words;
    if (state.textContent !== words) state.textContent = words;
  }

  function isAtEnd() {
    return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  }

  /** Bring the newest into sight: a long reply from its beginning. */
  function atEnd(isWanted) {
    if (!isWanted) return;
    const items = log.querySelectorAll(".message");
    const last = /** @type {HTMLElement | undefined} */ (items[items.length - 1]);
    const isLong = last && last.classList.contains("assistant") && last.offsetHeight > log.clientHeight - 120;
    if (isLong) log.scrollTop = last.offsetTop - log.offsetTop - 8;
    else log.scrollTop = log.scrollHeight;
  }

  /** A new message from the other side, read out once. */
  async function arrived(message) {
    if (message.role === "visitor") return;
    await ready();
    const who = message.role === "agent" ? message.agent || t("agent") : t("assistant");
    if (message.role === "agent" && !log.contains(document.activeElement)) atEnd(true); // nobody reads or writes further up
    announce(`${who}: ${message.notice ? message.text : drawing.wordsOf(message.nodes)}`);
  }

  return {
    main,
    update,
    arrived,
    send,
    shown() {
      update();
      atEnd(true);
      (composer.hidden ? person : input).focus();
    },
  };
}
