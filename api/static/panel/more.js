// What is needed only after the first message, or never: a module, with the words and the looks that belong to all of them.

import { el, lazy } from "./dom.js";
import { json } from "./server.js";
import { learn } from "./words.js";

let words, spoken;
const sheets = {};

/** A style sheet that comes later; without it everything still works. */
export function looks(name) {
  return (sheets[name] ??= new Promise((done) => {
    const href = new URL(`${name}.css`, import.meta.url).href;
    document.head.append(el("link", { rel: "stylesheet", href, onLoad: done, onError: done }));
  }));
}

/** @param {string} name @param {string} language */
export async function more(name, language) {
  if (spoken !== language) {
    spoken = language;
    words = json(`/widget/words?locale=${language}`);
    words.catch(() => (spoken = ""));
  }
  const [module, learned] = await Promise.all([lazy(name), words, looks("more")]);
  learn(learned);
  return module;
}
