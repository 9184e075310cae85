/** Types of Firstline's widget, for pages written in TypeScript: `/// <reference path="…/widget.d.ts" />`. */

/** What the page says about its visitor; agents see it marked as unverified. */
interface FirstlinePerson {
  name?: string;
  email?: string;
  account?: string;
  role?: string;
}

/** What a page may change at any time. */
interface FirstlineOptions {
  /** A language tag such as "de-AT"; without one the page's `lang`, then the browser's language. */
  locale?: string;
  theme?: "auto" | "light" | "dark";
  side?: "left" | "right";
  /** Pixels between the button and the window's edges, 0 to 64. */
  offset?: number;
  /** Whether the round button is shown. */
  launcher?: boolean;
  /** The version of your app, told with a bug report. */
  version?: string;
}

/** Events and what their listeners get. */
interface FirstlineEvents {
  ready: undefined;
  open: undefined;
  close: undefined;
  /** How many messages have not been seen. */
  unread: number;
  /** A message was sent or received. */
  message: { role: "visitor" | "assistant" | "agent"; outcome: string | null };
  article: { slug: string };
  error: { reason: string };
}

interface FirstlineCommands {
  (command: "open" | "close" | "toggle" | "hide" | "show" | "reset" | "destroy"): void;
  /** Open the conversation; with a text, ask it. */
  (command: "ask", text?: string): void;
  (command: "search", text?: string): void;
  /** Open the contact form or the bug report. */
  (command: "contact" | "report"): void;
  /** Open an article by its slug, the last part of its address in the help centre. */
  (command: "article", slug: string): void;
  (command: "identify", person: FirstlinePerson | null): void;
  (command: "update", options: FirstlineOptions): void;
  (command: "setLocale", locale: string): void;
  (command: "setTheme", theme: "auto" | "light" | "dark"): void;
  /** Listen; the result ends the listening. */
  <Name extends keyof FirstlineEvents>(command: "on" | "once", event: Name, listener: (detail: FirstlineEvents[Name]) => void): () => void;
  <Name extends keyof FirstlineEvents>(command: "off", event: Name, listener: (detail: FirstlineEvents[Name]) => void): void;
  /** Whether the loader has run. Before, calls wait in `q`. */
  loaded?: true;
  q?: unknown[][];
}

/**
 * Callable before the loader has come, with this line on the page:
 *
 *     window.Firstline ||= (...call) => { (Firstline.q ||= []).push(call); return () => Firstline("off", ...call.slice(1)); };
 */
declare const Firstline: FirstlineCommands;

interface Window {
  Firstline: FirstlineCommands;
}
