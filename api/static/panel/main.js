// The panel: three views over one conversation, and the host page at the other end of the bridge.

import { connect } from "./bridge.js";
import { Chat } from "./chat.js";
import { conversationView } from "./conversation.js";
import { el, icon, iconButton, lazy } from "./dom.js";
import { homeView } from "./home.js";
import * as server from "./server.js";
import { keep, kept } from "./store.js";
import { speak, t } from "./words.js";

const page = /** @type {HTMLElement} */ (document.getElementById("panel"));
let config = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("config")).textContent || "{}");
let home, conversation, current, isOpen, isFull = false, unseen = 0;
/** @type {(() => void)[]} the ways back, the last one first */
let trail = [];

const chat = new Chat({
  locale: () => config.language,
  onChange: () => conversation?.update(),
  onMessage(message) {
    conversation?.arrived(message);
    bridge.event("message", { role: message.role, outcome: message.outcome });
    if (message.role !== "visitor" && !isOpen) bridge.post("unread", (unseen += 1));
  },
});

const bridge = connect(config.origins, {
  open: (value) => open(value || {}),
  closed: () => (isOpen = false),
  identify: (person) => chat.identify(person && typeof person === "object" ? person : null),
  dress: (value) => dress(value || {}),
  reset() {
    chat.reset();
    conversation = conversationView(config, chat, acts);
    goHome();
  },
});
isOpen = bridge.alone;

const acts = {
  openArticle: (name, anchor = "") => showArticle(server.json(`/widget/articles/${encodeURIComponent(name)}`), anchor),
  openSource: (message, number) => showArticle(chat.source(message, number), ""),
  ask(text) {
    talk();
    conversation.send(text);
  },
  talk,
  begun: () => chat.begun || chat.outgoing.length > 0,
};

function build() {
  speak(config);
  document.title = t("panel_title");
  home = homeView(config, acts);
  conversation = conversationView(config, chat, acts);
  conversation.update();
}

function goHome() {
  trail = [];
  show(home, "home");
}

function talk() {
  trail = [goHome];
  show(conversation, "talk");
}

async function showArticle(asked, anchor) {
  asked.catch(() => {}); // told by the view
  const { articleView } = await lazy("article");
  const from = current;
  const kind = page.dataset.view;
  const view = articleView(config, asked, anchor, { ...acts, onShown: (slug) => bridge.event("article", { slug }) });
  trail.push(() => show(from, kind));
  show(view, "article");
}

function show(view, kind) {
  current = view;
  page.dataset.view = kind;
  page.replaceChildren(header(kind), view.main);
  if (isOpen) view.shown();
}

function header(kind) {
  const back = kind !== "home" && iconButton("back", t("back"), () => (trail.pop() || goHome)());
  const name = el("p", { class: "name" }, el("span", {}, kind === "talk" ? config.product : t("panel_title")), kind === "talk" && el("small", {}, t("assistant"), el("abbr", { class: "ai" }, t("ai"))));
  const close = !bridge.alone && iconButton("close", t("close"), () => bridge.post("close"));
  return el("header", { class: "top" }, back, kind === "talk" && el("span", { class: "face" }, icon("spark")), name, kind === "talk" && menu(), close);
}

/** What one can do with the whole conversation. */
function menu() {
  const closed = (act) => () => {
    box.open = false;
    act();
  };
  const items = el("div", { class: "menu" },
    el("button", { type: "button", onClick: closed(async () => (await lazy("transcript")).download(config, chat.messages)) }, icon("download"), t("download")),
    el("button", { type: "button", onClick: closed(restart) }, icon("restart"), t("new_conversation")),
  );
  const box = el("details", { onKeydown: (event) => {
    if (event.key !== "Escape" || !box.open) return;
    event.stopPropagation();
    box.open = false;
    box.querySelector("summary").focus();
  } }, el("summary", { class: "tool", "aria-label": t("more"), title: t("more") }, icon("more")), items);
  document.addEventListener("click", (event) => !box.contains(/** @type {Node} */ (event.target)) && (box.open = false));
  return box;
}

function restart() {
  chat.restart();
  talk();
}

/** @param {{view?: string, text?: string, full?: boolean}} wanted */
function open({ view, text, full }) {
  isOpen = true;
  isFull = full === true;
  bridge.post("unread", (unseen = 0));
  if (isFull && !history.state?.open) history.pushState({ open: true }, ""); // the back button closes a full-screen panel
  const words = typeof text === "string" ? text.slice(0, config.message_characters) : "";
  if (view === "ask") words ? acts.ask(words) : talk();
  else if (view === "article" && words) acts.openArticle(words);
  else if (view === "search") {
    goHome();
    home.search(words);
  } else current.shown();
  if (chat.begun) chat.sync();
}

function dress({ locale, theme }) {
  if (["auto", "light", "dark"].includes(theme)) document.documentElement.dataset.theme = theme;
  if (typeof locale !== "string" || locale.slice(0, 2).toLowerCase() === config.language || !/^[\w-]{2,16}$/.test(locale)) return;
  server.json(`/widget/config?locale=${locale}`).then((found) => {
    if (found.language === config.language) return;
    config = found;
    build();
    page.dataset.view === "talk" ? talk() : goHome();
  }, () => {});
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) bridge.post("close");
  if (event.key === "Tab" && isFull) wrap(event);
});
addEventListener("popstate", () => isFull && isOpen && bridge.post("close"));

/** A full-screen panel keeps the focus: after the last element comes the first. */
function wrap(event) {
  const reachable = [...page.querySelectorAll("a[href],button:not(:disabled),input,textarea,summary,[tabindex='0']")].filter((one) => one.checkVisibility());
  const ends = event.shiftKey ? [reachable[0], reachable.at(-1)] : [reachable.at(-1), reachable[0]];
  if (document.activeElement !== ends[0]) return;
  event.preventDefault();
  ends[1].focus();
}

build();
if (kept().draft || chat.outgoing.length) talk();
else goHome();
if (!kept().at && kept().draft) keep({ draft: "" });
chat.start();
