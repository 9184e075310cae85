// The conversation as it is: messages the server has, and messages on their way to it.
//
// Every message has an id of its own from the start, so sending it again is harmless; and whatever is
// shown comes from one place, "messages after the last one I have", so nothing is lost or shown twice.

import { lazy } from "./dom.js";
import * as server from "./server.js";
import { forget, keep, kept, watch } from "./store.js";

const ATTEMPTS = 3;
const PAUSE_MS = 1200;
const PAGE = 200;
const OTHERS = 5;

/**
 * @typedef {{id: number, role: string, text: string, nodes: any[], at: string, notice: boolean, outcome: string | null, language: string | null,
 *   sources: {number: number, title: string}[], choices: {article_id: string, title: string}[], client_message_id: string | null, helpful: boolean | null,
 *   offer: string | null, handover: {number: number, queue: string, questions: {fields: string[], text: string}[]} | null, agent: string | null, resolves: number | null}} Message
 * @typedef {{number: number, state: string, queue: string, rating: number | null, wanted: string[]}} Ticket
 * @typedef {"sending" | "waiting" | "busy" | "failed"} Sending
 * @typedef {{id: string, text: string, choice: string | null, doing?: "handover" | "details" | "solved", body?: any, state: Sending, step: string, note: string}} Outgoing
 */

export const unique = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`.padEnd(20, "0");
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Chat {
  /** @param {{locale: () => string, onChange: () => void, onMessage: (message: Message) => void}} host */
  constructor(host) {
    this.host = host;
    /** @type {Message[]} */
    this.messages = [];
    /** @type {Outgoing[]} */
    this.outgoing = kept().unsent.map((unsent) => ({ ...unsent, state: "sending", step: "", note: "" }));
    /** @type {Ticket | null} the last ticket of this conversation */
    this.ticket = null;
    this.ended = false;
    this.loadFailed = false;
    this.person = null;
    this.claiming = null;
    this.working = null;
    this.syncing = null;
    this.fresh = false;
    watch(() => this.sync());
    addEventListener("online", () => this.resume());
    addEventListener("offline", () => this.host.onChange());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.begun && this.sync());
  }

  /** Whether there is a conversation to go on with. */
  get begun() {
    return Boolean(kept().conversation);
  }

  /** Whether a person has this conversation. */
  get held() {
    return Boolean(this.ticket && this.ticket.state !== "closed");
  }

  /** Read what is there, and go on sending what was on its way when the page was left. */
  async start() {
    if (this.begun) await this.sync();
    this.resume();
  }

  /** @param {string} text @param {string | null} [choice] the article that the visitor picked */
  send(text, choice = null) {
    this._queue({ text, choice });
  }

  /** Call a person, tell them what they asked for, or say whether it is solved: on its way like a message, and harmless when sent twice. */
  tell(doing, body = {}) {
    if (doing === "handover" && (this.held || this.outgoing.some((item) => item.doing === doing))) return;
    this._queue({ text: "", choice: null, doing, body });
  }

  _queue(what) {
    this.outgoing.push({ ...what, id: unique(), state: "sending", step: "", note: "" });
    this.ended = false;
    this._keepOutgoing();
    this.host.onChange();
    this._work();
  }

  /** Try again what was waiting or given up. */
  resume(id) {
    for (const item of this.outgoing) if (!id || item.id === id) Object.assign(item, { state: "sending", note: "" });
    this.host.onChange();
    this._work();
  }

  discard(id) {
    this.outgoing = this.outgoing.filter((item) => item.id !== id);
    this._keepOutgoing();
    this.host.onChange();
  }

  /** Fetch what is new, after what is being fetched already. True when the server answered. */
  sync() {
    const mine = (this.syncing ?? Promise.resolve()).then(() => this._sync());
    this.syncing = mine;
    return mine;
  }

  /** Forget this conversation here; the next message starts a new one. */
  reset() {
    this.person = null;
    this.restart();
    forget();
  }

  restart() {
    this.goTo(null);
  }

  /** Leave this conversation for another, or for none; one with a ticket can be found again. */
  goTo(conversation) {
    const { conversation: left, others } = kept();
    const known = others.filter(({ id }) => id !== left?.id && id !== conversation?.id);
    if (left && this.ticket) known.unshift({ ...left, number: this.ticket.number });
    this.messages = [];
    this.outgoing = [];
    this.ticket = null;
    this.ended = this.fresh = false;
    keep({ conversation, unsent: [], others: known.slice(0, OTHERS) });
    this.host.onChange();
    return this.sync();
  }

  rate(message, helpful, reason = "") {
    message.helpful = helpful;
    return this._own(`/api/conversations/{id}/messages/${message.id}/feedback`, { body: { helpful, reason } });
  }

  /** The article of a source, with the quoted part marked. */
  source(message, number) {
    return this._own(`/widget/conversations/{id}/messages/${message.id}/sources/${number}`);
  }

  identify(person) {
    this.person = person;
    if (person && this.begun) this._claim();
  }

  async _sync() {
    const conversation = kept().conversation;
    if (!conversation) return true;
    try {
      for (;;) {
        const after = this.messages.at(-1)?.id ?? 0;
        const { messages, ticket } = await this._own(`/widget/conversations/{id}/messages?after=${after}`);
        if (kept().conversation?.id !== conversation.id) return true;
        const isFirst = !this.messages.length && !this.fresh;
        this.messages.push(...messages);
        this.ticket = ticket;
        if (!isFirst) messages.forEach((message) => this.host.onMessage(message));
        if (messages.length < PAGE) break;
      }
      this.loadFailed = false;
    } catch (error) {
      if (kept().conversation?.id !== conversation.id) return true;
      if (this._isGone(error)) this._end();
      else this.loadFailed = !this.messages.length;
    }
    this.host.onChange();
    if (this.held) lazy("live").then(({ follow }) => follow(this), () => {});
    return !this.loadFailed;
  }

  /** Send one message after the other. */
  _work() {
    this.working ??= this._sendAll().finally(() => (this.working = null));
  }

  async _sendAll() {
    for (;;) {
      const item = this.outgoing.find(({ state }) => state !== "failed");
      if (!item || item.state === "waiting") return;
      if (await this._sendOne(item)) this.discard(item.id);
    }
  }

  /** True once the server has answered; otherwise the item says how it stands. */
  async _sendOne(item) {
    for (let attempt = 1; this.outgoing.includes(item); attempt += 1) {
      try {
        if ((await this._post(item)) && (await this.sync()) && this._answered(item)) return true;
        attempt -= 1; // a twin of it is being answered
        await pause(PAUSE_MS);
      } catch (error) {
        if (!(error instanceof server.Problem)) throw error;
        if (error.status && ["details", "solved"].includes(item.doing) && [404, 409].includes(error.status)) return this.sync(); // the ticket moved on
        if (this._isGone(error)) this._end();
        else if (error.status === 429) {
          await this._waitForTurn(item, error.retryAfter);
          attempt -= 1;
        } else if (!navigator.onLine) {
          this._set(item, "waiting");
          return false;
        } else if ((error.status && error.status < 500) || attempt >= ATTEMPTS) {
          this._set(item, "failed", error.status && error.status < 500 ? error.message : "");
          return false;
        } else await pause(PAUSE_MS * attempt);
      }
    }
    return false;
  }

  async _post(item) {
    await this._begin();
    const conversation = kept().conversation;
    if (item.doing) {
      if (item.doing === "handover" && this.claiming) await this.claiming;
      await this._own(`/api/conversations/{id}/${item.doing}`, { method: item.doing === "details" ? "PUT" : "POST", body: item.body });
      return true;
    }
    const body = { text: item.text, client_message_id: item.id, ...(item.choice ? { choice: item.choice } : {}) };
    const last = await server.post(`/api/conversations/${conversation.id}/messages`, body, conversation.secret, (name, data) => {
      if (name === "step") this._set(item, "sending", "", data.step);
      item.delivered = data.outcome === "delivered" || data.outcome === "merged";
    });
    if (!last) throw new server.Problem(0, "the stream was cut");
    return last === "reply";
  }

  async _begin() {
    if (this.begun) return;
    const { id, secret } = await server.json("/api/conversations", { body: { locale: this.host.locale(), zone: server.zone() } });
    this.fresh = true;
    keep({ conversation: { id, secret } });
    if (this.person) this._claim();
  }

  async _waitForTurn(item, seconds) {
    for (let left = Math.max(1, seconds); left > 0 && this.outgoing.includes(item); left -= 1) {
      this._set(item, "busy", String(left));
      await pause(1000);
    }
    this._set(item, "sending");
  }

  _answered(item) {
    if (item.doing || item.delivered) return true;
    const at = this.messages.findIndex((message) => message.client_message_id === item.id);
    return at >= 0 && this.messages.slice(at).some(({ role }) => role !== "visitor");
  }

  _set(item, state, note = "", step = item.step) {
    Object.assign(item, { state, note, step });
    this.host.onChange();
  }

  _end() {
    this.messages = [];
    this.ticket = null;
    this.ended = true;
    keep({ conversation: null });
  }

  _isGone(error) {
    return error instanceof server.Problem && [401, 404].includes(error.status) && this.begun;
  }

  _claim() {
    this.claiming = this._own("/widget/conversations/{id}/visitor", { method: "PUT", body: this.person }).catch(() => {});
  }

  _own(path, how = {}) {
    const { id, secret } = kept().conversation;
    return server.json(path.replace("{id}", id), { ...how, secret });
  }

  _keepOutgoing() {
    keep({ unsent: this.outgoing.map(({ id, text, choice, doing, body }) => ({ id, text, choice, doing, body })) });
  }
}
