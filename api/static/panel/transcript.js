// The conversation as a text file, made here: nothing is sent for it.

import { el } from "./dom.js";
import { day, t, when } from "./words.js";

/** @param {any} config @param {import("./chat.js").Chat} chat @param {typeof import("./nodes.js").wordsOf} wordsOf */
export function transcript(config, { messages, ticket }, wordsOf) {
  const nameOf = ({ role, agent }) => (role === "agent" ? [agent, t("agent")].filter(Boolean).join(", ") : role === "visitor" ? t("you") : `${t("assistant")} (${t("ai")})`);
  const title = [t("assistant_name"), day(new Date().toISOString()), ticket && t("ticket", { number: ticket.number })].filter(Boolean);
  const parts = messages.map((message) => {
    const words = message.nodes.length ? wordsOf(message.nodes).trim() : message.text;
    const choices = message.choices.map(({ title }) => `- ${title}`);
    const sources = message.sources.map(({ number, title }) => t("source", { number, title }));
    return [`${nameOf(message)}, ${when(message.at)}`, words, ...choices, ...sources].join("\n");
  });
  return [title.join(", "), ...parts].join("\n\n") + "\n";
}

export function download(config, chat, wordsOf) {
  const file = new Blob([transcript(config, chat, wordsOf)], { type: "text/plain;charset=utf-8" });
  const href = URL.createObjectURL(file);
  const link = el("a", { href, download: `${config.product.replace(/[^\p{L}\p{N}]+/gu, "-")}-${new Date().toISOString().slice(0, 10)}.txt` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
