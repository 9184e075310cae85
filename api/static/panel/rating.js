// A thumb on a reply, and after a thumb down the reason.

import { announce, el, icon } from "./dom.js";
import { t } from "./words.js";

const REASONS = ["reason_question", "reason_wrong", "reason_unclear", "reason_missing"];

/**
 * @param {import("./chat.js").Message} message
 * @param {(helpful: boolean, reason?: string) => Promise<any>} rate
 * @param {{rated: (message: any) => void}} act
 */
export function rating(message, rate, act) {
  const up = thumb("up", "helpful", true);
  const down = thumb("down", "not_helpful", false);
  const after = el("div", { class: "after" });
  const box = el("div", { class: "rating", role: "group", "aria-label": t("rate") }, up, down);

  function thumb(picture, label, helpful) {
    return el("button", { type: "button", class: "thumb", "aria-pressed": String(message.helpful === helpful), "aria-label": t(label), title: t(label), onClick: () => chosen(helpful) }, icon(picture));
  }

  async function chosen(helpful) {
    press(helpful);
    after.replaceChildren(helpful ? "" : reasons());
    await told(rate(helpful), helpful);
    if (!helpful) after.querySelector("button")?.focus();
  }

  function press(helpful) {
    up.setAttribute("aria-pressed", String(helpful === true));
    down.setAttribute("aria-pressed", String(helpful === false));
  }

  async function told(sent, isLast) {
    try {
      await sent;
      if (isLast) thank();
    } catch {
      press(null);
      after.replaceChildren(el("p", { role: "alert" }, t("failed")));
    }
  }

  function thank() {
    after.replaceChildren(el("p", {}, t("rated")));
    act.rated(message);
    announce(t("rated"));
  }

  /** The four usual reasons, more in words, and a button that sends both. */
  function reasons() {
    let picked = "";
    const chips = REASONS.map((name) =>
      el("button", { type: "button", class: "chip", "aria-pressed": "false", onClick: (event) => {
        picked = picked === name ? "" : name;
        chips.forEach((chip, n) => chip.setAttribute("aria-pressed", String(REASONS[n] === picked)));
        event.stopPropagation();
      } }, t(name)),
    );
    const more = el("textarea", { rows: 2, maxlength: 900, "aria-label": t("reason_more"), placeholder: t("reason_more") });
    const send = (event) => {
      event.preventDefault();
      const reason = [picked.replace("reason_", ""), /** @type {HTMLTextAreaElement} */ (more).value.trim()].filter(Boolean).join(": ");
      told(rate(false, reason), true).then(() => down.focus());
    };
    return el("form", { class: "reasons", onSubmit: send }, el("p", {}, t("reason_title")), el("div", { class: "chips" }, ...chips), more, el("button", { class: "primary" }, t("reason_send")));
  }

  return { box, after };
}
