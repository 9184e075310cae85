// The contact form and the bug report: what is typed is kept until it was sent, and sent once, whatever the network does.

import { announce, el, icon, safeHref } from "./dom.js";
import { Problem, json, zone } from "./server.js";
import { unique } from "./chat.js";
import { keep, kept } from "./store.js";
import { t } from "./words.js";

const STORIES = { contact: ["goal", "happened"], bug_report: ["goal", "happened", "expected"] };
const WIDEST = { name: 200, email: 254, story: 4000 };
const EMAIL = /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]+$/;
const PAUSE_MS = 500;
const AGAIN_MS = 4000;
const SHOWN = 3;

/**
 * @param {"contact" | "bug_report"} kind
 * @param {import("./chat.js").Chat} chat
 * @param {{openArticle: (id: string) => void, talk: () => void, askHost: () => Promise<any>}} act
 */
export function formView(kind, config, chat, act) {
  const draft = { id: unique(), secret: secret(), values: {}, ...kept().forms[kind] };
  const title = el("h1", { tabindex: -1 }, t(kind));
  const rows = [...STORIES[kind].map((name) => story(name)), line("email", "email"), line("name", "name")];
  const articles = el("section", { class: "maybe", hidden: true, "aria-live": "polite" });
  const along = kind === "contact" ? surroundings() : evidence();
  const problem = el("p", { class: "wrong", role: "alert" });
  const button = el("button", { class: "primary" }, t("form_send"));
  const form = el("form", { class: "fields", novalidate: true, onSubmit, onInput: typed }, ...rows.map(({ row }) => row));
  form.insertBefore(articles, rows[STORIES[kind].length].row);
  form.append(along.box, problem, button);
  const main = el("main", { class: "form" }, title, el("p", { class: "quiet" }, t(`${kind}_more`)), form, ...otherWay());
  let timer;

  function story(name) {
    return row(name, el("textarea", { rows: name === "goal" ? 2 : 3, maxlength: WIDEST.story }), t(`${kind}_${name}`));
  }

  function line(name, autocomplete) {
    const made = row(name, el("input", { type: name === "email" ? "email" : "text", autocomplete, maxlength: WIDEST[name] }), t(`form_${name}`));
    made.control.value ||= chat.person?.[name] || "";
    return made;
  }

  function row(name, control, label) {
    const id = `form-${name}`;
    const wrong = el("p", { class: "wrong", id: `${id}-wrong` });
    control.id = id;
    control.name = name;
    control.setAttribute("aria-describedby", wrong.id);
    control.value = draft.values[name] || "";
    return { name, control, wrong, row: el("div", { class: "row" }, el("label", { for: id }, label), control, wrong) };
  }

  const valueOf = (name) => rows.find((one) => one.name === name)?.control.value.trim() || "";

  function typed(event) {
    if (!event.target.name) return;
    draft.values = Object.fromEntries(rows.map(({ name, control }) => [name, control.value]));
    keep({ forms: { ...kept().forms, [kind]: draft } });
    if (event.target.getAttribute("aria-invalid") === "true") check();
    if (!STORIES[kind].includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  }

  /** Articles that may answer what is being written. */
  async function look() {
    const words = [valueOf("goal"), valueOf("happened")].join(" ").trim().slice(0, 200);
    if (words.length < 8) return void (articles.hidden = true);
    const found = await json(`/api/search?q=${encodeURIComponent(words)}`).then((answer) => answer.articles, () => []);
    const items = found.slice(0, SHOWN).map(({ article_id, title: words }) => el("li", {}, el("button", { type: "button", onClick: () => act.openArticle(article_id) }, icon("article"), el("span", {}, words), icon("next"))));
    articles.hidden = !items.length;
    articles.replaceChildren(el("p", {}, t("form_maybe")), el("ul", {}, ...items));
  }

  /** Errors beside their fields; the first wrong one, if any. */
  function check() {
    const email = valueOf("email");
    const errors = { goal: !valueOf("goal") && !valueOf("happened") ? "error_empty" : "", email: email && !EMAIL.test(email) ? "error_email" : "" };
    for (const { name, control, wrong } of rows) {
      wrong.textContent = errors[name] ? t(errors[name]) : "";
      control.setAttribute("aria-invalid", String(Boolean(errors[name])));
    }
    return rows.find(({ name }) => errors[name]);
  }

  async function onSubmit(event) {
    event.preventDefault();
    const wrong = check();
    if (wrong) return wrong.control.focus();
    button.disabled = true;
    try {
      const sent = await untilSent();
      if (sent) done(sent);
    } finally {
      button.disabled = false;
      button.textContent = t("form_send");
    }
  }

  /** The server's answer; without a network it waits for one as long as this view is shown. */
  async function untilSent() {
    problem.textContent = "";
    while (form.isConnected) {
      button.textContent = t("sending");
      try {
        return await json(`/api/forms/${kind}`, { body: body() });
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.status && error.status < 500) return void (problem.textContent = error.status === 429 ? t("form_busy") : `${t("failed")} (${error.message})`);
        button.textContent = t("waiting");
        await new Promise((again) => (setTimeout(again, AGAIN_MS), addEventListener("online", again, { once: true })));
      }
    }
    return null;
  }

  function body() {
    const { details, errors } = along.chosen();
    const { account, role } = chat.person || {};
    const told = Object.fromEntries(Object.entries({ account, role, zone: zone(), ...details, name: valueOf("name"), email: valueOf("email") }).filter(([, value]) => value));
    const stories = Object.fromEntries(STORIES[kind].map((name) => [name, valueOf(name)]));
    return { client_id: draft.id, secret: draft.secret, locale: config.language, ...stories, errors, details: told };
  }

  function done(sent) {
    const { [kind]: _, ...forms } = kept().forms;
    keep({ forms });
    chat.goTo({ id: sent.conversation_id, secret: draft.secret });
    act.talk();
    announce(t("form_sent", { number: sent.ticket.number }));
  }

  /** Browser and page, filled in and shown; left out when the visitor wants that. */
  function surroundings() {
    const list = el("dl", {});
    const tick = el("input", { type: "checkbox", id: "form-along", checked: true });
    let told = {};
    act.askHost().then((host) => {
      told = deviceOf(host);
      list.replaceChildren(...shownAs(told));
    });
    const box = el("details", { class: "along", open: true }, el("summary", {}, t("form_along")), list, ticked(tick, t("form_along_tick")));
    return { box, chosen: () => ({ details: tick.checked ? told : {}, errors: [] }) };
  }

  /** What helps to find a fault: asked of the page only after the tick, and shown before it is sent. */
  function evidence() {
    let host = {};
    const tick = el("input", { type: "checkbox", id: "form-evidence", onChange: async () => {
      preview.hidden = !tick.checked;
      host = tick.checked ? (await act.askHost()) || {} : {};
      draw();
    } });
    const query = el("input", { type: "checkbox", id: "form-query", onChange: () => draw() });
    const withQuery = ticked(query, t("bug_query"));
    const list = el("dl", {});
    const preview = el("div", { class: "preview", hidden: true, tabindex: 0, role: "region", "aria-label": t("bug_preview") }, el("p", {}, el("strong", {}, t("bug_preview"))), list, withQuery);
    const chosen = () => {
      if (!tick.checked) return { details: {}, errors: [] };
      const details = deviceOf(host);
      if (query.checked && host.query) details.page = `${details.page}${host.query}`.slice(0, 2000);
      return { details, errors: (host.errors || []).slice(-20).map((error) => String(error).slice(0, 500)) };
    };
    const draw = () => {
      const { details, errors } = chosen();
      withQuery.hidden = !host.query;
      const lines = errors.map((error) => el("li", {}, error));
      list.replaceChildren(...shownAs(details), el("dt", { class: "whole" }, t("along_errors")), el("dd", { class: "whole" }, lines.length ? el("ul", {}, ...lines) : t("along_none")));
    };
    return { box: el("div", { class: "along" }, ticked(tick, t("bug_consent")), preview), chosen };
  }

  function deviceOf(host) {
    const { browser, os, device } = config.environment;
    return { browser, os, device: [device, host?.viewport].filter(Boolean).join(", "), app_version: host?.version, page: host?.page };
  }

  function otherWay() {
    const { contact } = config;
    if (!contact || kind !== "contact") return [];
    const href = safeHref(contact.href);
    return [el("p", { class: "quiet otherwise" }, t("form_otherwise"), " ", href ? el("a", { href, target: "_blank", rel: "noopener" }, contact.text) : contact.text)];
  }

  return { main, shown: () => title.focus({ preventScroll: true }) };
}

function shownAs(details) {
  return ["page", "browser", "os", "device", "app_version"].filter((name) => details[name]).flatMap((name) => [el("dt", {}, t(`along_${name}`)), el("dd", {}, String(details[name]))]);
}

function ticked(box, words) {
  return el("label", { class: "tick" }, box, el("span", {}, words));
}

/** The key to the conversation, chosen here, so that it is known even when the answer is lost. */
function secret() {
  const random = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...random)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}
