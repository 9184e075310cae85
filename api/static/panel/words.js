// The words of the panel in the visitor's language.

let words = {};
let language = "en";

/** The visitor's own way to write dates, when it is of the same language. */
const region = () => (navigator.languages || []).find((tag) => tag.slice(0, 2).toLowerCase() === language) || language;

/** @param {{words: Record<string, string>, language: string}} config */
export function speak(config) {
  ({ words, language } = config);
  document.documentElement.lang = language;
}

/** Words that came later. */
export function learn(more) {
  words = { ...words, ...more };
}

/** A sentence with its values. A missing one shows its name: tests look for that. */
export function t(name, values = {}) {
  return (words[name] ?? `⟦${name}⟧`).replace(/\{(\w+)\}/g, (all, key) => (key in values ? String(values[key]) : all));
}

/** A moment as a time, with the date when it was not today. */
export function when(iso) {
  const at = new Date(iso);
  const today = at.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(region(), today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" }).format(at);
}

/** A date in words. */
export function day(iso) {
  return new Intl.DateTimeFormat(region(), { dateStyle: "long" }).format(new Date(iso));
}
