// The panel: three views over one conversation, and the host page at the other end of the bridge.

import { connect } from "./bridge.js";
import { Chat } from "./chat.js";
import { conversationView } from "./conversation.js";
import { announce, el, icon, iconButton, lazy } from "./dom.js";
import { homeView } from "./home.js";
import { looks, more } from "./more.js";
import * as server from "./server.js";
import { keep, kept } from "./store.js";
import { speak, t } from "./words.js";

const page = /** @type {HTMLElement} */ (document.getElementById("panel"));
let config = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("config")).textContent || "{}");
let home, conversation, current, isOpen, isFull = false, unseen = 0, isHeld = false, hostTold;
/** @type {(() => void)[]} the ways back, the last one first */
let trail = [];

const chat = new Chat({
  locale: () => config.language,
  onChange() {
    conversation?.update();
    if (isHeld === chat.held) return;
    isHeld = chat.held;
    if (page.dataset.view === "talk") page.firstChild?.replaceWith(header("talk"));
  },
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
  report: (value) => hostTold?.(value),
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
  openForm: showForm,
  goTo(other) {
    chat.goTo({ id: other.id, secret: other.secret });
    talk();
  },
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
  const [{ articleView }, { draw }] = await Promise.all([lazy("article"), lazy("nodes"), looks("reply")]);
  const from = current;
  const kind = page.dataset.view;
  const view = articleView(config, asked, anchor, { ...acts, draw, onShown: (slug) => bridge.event("article", { slug }) });
  trail.push(() => show(from, kind));
  show(view, "article");
}

async function showForm(kind) {
  const from = current, before = page.dataset.view;
  try {
    const { formView } = await more("forms", config.language);
    const view = formView(kind, config, chat, { ...acts, askHost });
    trail.push(() => show(from, before));
    show(view, "form");
  } catch {
    announce(t("loads_not"));
    from.main.prepend(el("p", { class: "banner" }, t("loads_not")));
  }
}

/** What the host page knows of itself and of what went wrong on it; nothing where there is none. */
function askHost() {
  return new Promise((done) => {
    hostTold = done;
    bridge.post("report");
    setTimeout(done, bridge.alone ? 0 : 1500);
  });
}

function show(view, kind) {
  current = view;
  page.dataset.view = kind;
  page.replaceChildren(header(kind), view.main);
  if (isOpen) view.shown();
}

function header(kind) {
  const back = kind !== "home" && iconButton("back", t("back"), () => (trail.pop() || goHome)());
  const name = el("p", { class: "name" }, el("span", {}, kind === "talk" ? config.product : t("panel_title")), kind === "talk" && el("small", {}, ...(isHeld ? [t("agent")] : [t("assistant"), el("abbr", { class: "ai" }, t("ai"))])));
  const close = !bridge.alone && iconButton("close", t("close"), () => bridge.post("close"));
  return el("header", { class: "top" }, back, kind === "talk" && el("span", { class: "face" }, icon(isHeld ? "person" : "spark")), name, kind === "talk" && menu(), close);
}

/** What one can do with the whole conversation. */
function menu() {
  const closed = (act) => () => {
    box.open = false;
    act();
  };
  const items = el("div", { class: "menu" },
    el("button", { type: "button", onClick: closed(async () => (await lazy("transcript")).download(config, chat, (await lazy("nodes")).wordsOf)) }, icon("download"), t("download")),
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
  else if (view === "contact" || view === "bug_report") showForm(view);
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
