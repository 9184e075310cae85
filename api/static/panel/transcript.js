// The conversation as a text file, made here: nothing is sent for it.

import { el } from "./dom.js";
import { wordsOf } from "./nodes.js";
import { day, t, when } from "./words.js";

/** @param {any} config @param {import("./chat.js").Message[]} messages */
export function transcript(config, messages) {
  const names = { visitor: t("you"), assistant: `${t("assistant")} (${t("ai")})`, agent: t("agent") };
  const parts = messages.map((message) => {
    const words = message.nodes.length ? wordsOf(message.nodes).trim() : message.text;
    const choices = message.choices.map(({ title }) => `- ${title}`);
    const sources = message.sources.map(({ number, title }) => t("source", { number, title }));
    return [`${names[message.role]}, ${when(message.at)}`, words, ...choices, ...sources].join("\n");
  });
  return [`${t("assistant_name")}, ${day(new Date().toISOString())}`, ...parts].join("\n\n") + "\n";
}

export function download(config, messages) {
  const file = new Blob([transcript(config, messages)], { type: "text/plain;charset=utf-8" });
  const href = URL.createObjectURL(file);
  const link = el("a", { href, download: `${config.product.replace(/[^\p{L}\p{N}]+/gu, "-")}-${new Date().toISOString().slice(0, 10)}.txt` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
