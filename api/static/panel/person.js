// A person in the conversation: offered, called, told what is missing, and asked at the end whether it was solved.
//
// `show` may be called at any time: what is drawn already and still true stays, with whatever is being typed in it.

import { ICONS, announce, el, hidden, icon } from "./dom.js";
import { showStatus } from "./message.js";
import { keep, kept } from "./store.js";
import { t } from "./words.js";

Object.assign(ICONS, {
  done: "M5 12.5l4.5 4.5L19 7.5",
  star: "M12 4l2.4 5.2 5.6.6-4.2 3.8 1.2 5.6L12 16.3 7 19.2l1.2-5.6L4 9.8l5.6-.6z",
});

/** How each field that a ticket may lack is asked for; `as` is its name for the server. */
const FIELDS = {
  goal: { as: "goal", tag: "textarea", rows: 2, maxlength: 4000 },
  symptom: { as: "symptom", tag: "textarea", rows: 2, maxlength: 4000 },
  environment: { as: "environment", tag: "input", maxlength: 300 },
  contact: { as: "email", tag: "input", type: "email", autocomplete: "email", maxlength: 254 },
  account: { as: "account", tag: "input", maxlength: 200, autocomplete: "organization" },
  role: { as: "role", tag: "input", maxlength: 200, autocomplete: "organization-title" },
};
const EMAIL = /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]+$/;

/**
 * @typedef {{chat: import("./chat.js").Chat, config: any, act: any, foot: HTMLElement, input: HTMLTextAreaElement, button: HTMLElement,
 *   itemOf: (message: any) => HTMLElement | undefined}} View
 * @param {View} view
 */
export function show(view) {
  const { chat, itemOf } = view;
  const offered = chat.messages.findLast(({ offer }) => offer);
  const resolving = chat.messages.findLast(({ resolves }) => resolves);
  const handed = chat.messages.findLast(({ handover }) => handover);
  for (const message of chat.messages) {
    const item = itemOf(message);
    if (!item) continue;
    if (message.offer) offer(item, view, message === offered && !chat.held && !(handed && handed.id > message.id));
    if (message.handover) card(item, message, view);
    if (message.role === "agent") face(item, message);
    if (message.resolves) solved(item, view, message === resolving && chat.ticket?.number === message.resolves);
  }
  standing(view);
}

/** The part of an item with this name, made when it is not there. */
function part(item, name, make) {
  const found = item.querySelector(`:scope > .${name}, :scope > .bubble > .${name}`);
  return found ?? make();
}

function offer(item, view, isOn) {
  const box = part(item, "offer", () => {
    const made = el("div", { class: "offer" }, el("button", { type: "button", class: "primary", onClick: view.act.callPerson }, icon("person"), t("talk_person")));
    item.querySelector(".bubble").after(made);
    return made;
  });
  box.hidden = !isOn || view.chat.outgoing.some(({ doing }) => doing === "handover");
}

function face(item, message) {
  part(item, "who", () => item).querySelector(".initials") ?? item.querySelector(".who").prepend(el("span", { class: "initials", "aria-hidden": "true" }, initials(message.agent || t("agent"))));
}

function initials(name) {
  return name.split(/\s+/).map((word) => [...word][0] ?? "").join("").slice(0, 2).toUpperCase();
}

/** Who answers here now, above the field in which one writes. */
function standing({ chat, foot, button, input }) {
  const line = part(foot, "standing", () => {
    const made = el("p", { class: "standing" });
    foot.prepend(made);
    return made;
  });
  button.hidden = chat.held;
  line.hidden = !chat.held;
  const words = chat.held ? t("standing", { number: chat.ticket.number }) : "";
  if (line.textContent !== words) line.replaceChildren(icon("person"), words);
  input.placeholder = t(chat.held ? "composer_person" : "composer_placeholder");
  input.setAttribute("aria-label", t(chat.held ? "composer_person_label" : "composer_label"));
}

// ── the handover card ───────────────────────────────────────────────────────

function card(item, message, view) {
  const { chat } = view;
  const mine = chat.ticket?.number === message.handover.number;
  item.classList.add("handover");
  const bubble = item.querySelector(".bubble");
  part(item, "ticket", () => {
    const made = el("div", { class: "ticket" }, el("span", { class: "face" }, icon("person")), el("div", {}, el("strong", {}, t("ticket", { number: message.handover.number })), el("span", {}, mine ? chat.ticket.queue : "")));
    bubble.prepend(made);
    bubble.querySelector(".text").after(el("p", { class: "quiet later" }, t("step_reply")));
    return made;
  });
  const told = chat.outgoing.find(({ doing }) => doing === "details");
  const box = bubble.querySelector(":scope > .wanted");
  if (box?.dataset.sent) return afterTelling(box, told, view.act);
  const isWanted = mine && chat.held && chat.ticket.wanted.length > 0;
  if (!isWanted || told) box?.remove();
  else if (!box) bubble.append(wanted(view));
  else if (view.chat.messages.at(-1).role === "agent" && isUntouched(box)) box.open = false; // the answer is what counts now
}

/** The short form of what is missing, all of it optional; folded once something was told. */
function wanted(view) {
  const { chat, config } = view;
  const number = chat.ticket.number;
  const known = { environment: [config.environment.device, config.environment.browser, config.environment.os].filter(Boolean).join(", "), email: chat.person?.email, account: chat.person?.account, role: chat.person?.role };
  const rows = chat.ticket.wanted.filter((name) => name in FIELDS).map((name) => field(name, known));
  const box = el("details", { class: "wanted", open: kept().told !== number }, el("summary", {}, t("wanted")));
  const onSubmit = (event) => {
    event.preventDefault();
    const wrong = rows.find((row) => !row.check());
    if (wrong) return wrong.control.focus();
    const body = Object.fromEntries(rows.map((row) => [row.as, row.control.value.trim()]).filter(([, value]) => value));
    if (!Object.keys(body).length) return void (box.open = false);
    keep({ told: number });
    box.dataset.sent = "1";
    chat.tell("details", body);
    view.input.focus();
  };
  box.append(el("form", { class: "fields", novalidate: true, onSubmit }, el("p", { class: "quiet" }, t("wanted_more")), ...rows.map(({ row }) => row), el("button", { class: "primary" }, t("wanted_send"))));
  return box;
}

function isUntouched(box) {
  return !box.contains(document.activeElement) && [...box.querySelectorAll("input, textarea")].every((one) => one.value === one.defaultValue);
}

function afterTelling(box, outgoing, act) {
  if (outgoing) {
    let status = box.querySelector(".status");
    if (!status) box.append((status = el("div", { class: "status" })));
    box.querySelector("form").hidden = true;
    return showStatus(status, outgoing, act);
  }
  if (box.tagName === "P") return;
  const thanks = el("p", { class: "wanted thanks", "data-sent": "1" }, icon("done"), t("wanted_thanks"));
  box.replaceWith(thanks);
  announce(t("wanted_thanks"));
}

function field(name, known) {
  const { as, tag, ...attributes } = FIELDS[name];
  const id = `told-${name}`;
  const control = /** @type {HTMLInputElement} */ (el(tag, { id, ...attributes, "aria-describedby": `${id}-wrong` }));
  control.value = control.defaultValue = known[as] || "";
  const wrong = el("p", { class: "wrong", id: `${id}-wrong` });
  const check = () => {
    const isWrong = as === "email" && control.value.trim() !== "" && !EMAIL.test(control.value.trim());
    wrong.textContent = isWrong ? t("error_email") : "";
    control.setAttribute("aria-invalid", String(isWrong));
    return !isWrong;
  };
  return { as, control, check, row: el("div", { class: "row" }, el("label", { for: id }, t(`field_${name}`)), control, wrong) };
}

// ── solved? ─────────────────────────────────────────────────────────────────

function solved(item, view, isAsked) {
  const { chat } = view;
  const sending = chat.outgoing.find(({ doing }) => doing === "solved");
  const state = !isAsked ? "none" : sending ? `sending ${sending.state}` : chat.ticket.state === "resolved" ? "ask" : chat.ticket.state !== "closed" ? "open" : chat.ticket.rating ? "rated" : "rate";
  const box = part(item, "solved", () => {
    const made = el("div", { class: "solved" });
    item.append(made);
    return made;
  });
  if (sending) return waiting(box, sending, view.act);
  if (box.dataset.state === state) return;
  const before = box.dataset.state;
  box.dataset.state = state;
  box.replaceChildren(...DRAW[state](view));
  if (before === undefined || before === "none") return;
  if (state === "open") announce(t("solved_no_thanks"));
  if (state === "rated") announce(t("rated_thanks"));
  if (state === "rate") box.querySelector("input")?.focus();
}

/** An answer on its way: what was chosen stays in sight below what is asked. */
function waiting(box, sending, act) {
  box.dataset.state = "sending";
  let status = box.querySelector(".status");
  if (!status) box.append((status = el("div", { class: "status" })));
  showStatus(status, sending, act);
}

const DRAW = {
  none: () => [],
  ask({ chat, input }) {
    const answer = (is) => () => {
      chat.tell("solved", { solved: is });
      if (!is) input.focus();
    };
    const yes = el("button", { type: "button", class: "chip", onClick: answer(true) }, t("solved_yes"));
    const no = el("button", { type: "button", class: "chip", onClick: answer(false) }, t("solved_no"));
    return [el("div", { role: "group", "aria-label": t("solved_ask") }, el("p", {}, t("solved_ask")), el("div", { class: "chips" }, yes, no))];
  },
  open: () => [el("p", {}, t("solved_no_thanks"))],
  rate: ({ chat, input }) => [stars(chat, input)],
  rated: () => [el("p", {}, icon("done"), t("rated_thanks"))],
};

/** One to five stars, as radio buttons, with words if one likes. */
function stars(chat, input) {
  const choices = [1, 2, 3, 4, 5].map((count) => el("label", {}, el("input", { type: "radio", name: "stars", value: count }), icon("star"), hidden(t("stars", { count }))));
  const words = /** @type {HTMLTextAreaElement} */ (el("textarea", { rows: 2, maxlength: 1000, "aria-label": t("rate_words"), placeholder: t("rate_words") }));
  const send = el("button", { class: "primary", disabled: true }, t("rate_send"));
  const onSubmit = (event) => {
    event.preventDefault();
    const chosen = /** @type {HTMLInputElement | null} */ (form.querySelector("input:checked"));
    if (!chosen) return;
    chat.tell("solved", { solved: true, rating: Number(chosen.value), text: words.value.trim() });
    input.focus();
  };
  const form = el("form", { class: "reasons", onSubmit, onChange: () => send.removeAttribute("disabled") }, el("fieldset", {}, el("legend", {}, t("rate_ask")), el("div", { class: "stars" }, ...choices)), words, send);
  return form;
}
