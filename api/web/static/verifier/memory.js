// What a browser remembers of a log: the pinned key and policy, the newest head it verified, how far
// it has seen each stream, and every mismatch. Nothing that conflicts is ever deleted here.

import { decodeBase64, encodeBase64 } from "./bytes.js";
import { parseCheckpoint } from "./note.js";

const KEY = "mingzhang.log.v1";
const ALARMS_MAX = 20;

/** Opens the memory in `storage` (localStorage); one that is refused or missing remembers nothing. */
export class Memory {
  constructor(open) {
    try {
      this.storage = open();
      this.storage.setItem(`${KEY}.probe`, "1");
      this.storage.removeItem(`${KEY}.probe`);
    } catch {
      this.storage = null;
    }
  }

  /** Tells whether anything can be remembered. */
  get works() {
    return this.storage !== null;
  }

  /** Returns `{vkey, policy, policyIndex, note, at, streams, alarms}`; each is absent or empty where nothing is kept. */
  read() {
    const empty = { streams: {}, alarms: [] };
    try {
      const found = JSON.parse(this.storage?.getItem(KEY) ?? "{}");
      return { ...empty, ...found, note: found.note ? decodeBase64(found.note) : undefined };
    } catch {
      return empty;
    }
  }

  /**
   * Keeps a verified head, unless a larger one is kept already, and what was seen with it.
   *
   * The policy is kept that came first, until one that a later entry of the log, `policyIndex`, adopted.
   */
  keep({ vkey, policy, policyIndex, note, at, streams }) {
    const kept = this.read();
    const isAdopted = policyIndex !== undefined && policyIndex > (kept.policyIndex ?? -1);
    const isNewer = !kept.note || parseCheckpoint(note).size >= parseCheckpoint(kept.note).size;
    this.#write({
      ...kept,
      vkey: kept.vkey ?? vkey,
      policy: isAdopted ? policy : kept.policy ?? policy,
      policyIndex: isAdopted ? policyIndex : kept.policyIndex,
      note: isNewer ? note : kept.note,
      at,
      streams: { ...kept.streams, ...streams },
    });
  }

  /** Keeps a mismatch for good; the same one is kept once. */
  alarm(alarm) {
    const kept = this.read();
    const isKnown = kept.alarms.some((each) => each.reason === alarm.reason && each.detail === alarm.detail);
    if (isKnown || kept.alarms.length >= ALARMS_MAX) return;
    this.#write({ ...kept, alarms: [...kept.alarms, alarm] });
  }

  #write(value) {
    try {
      const note = value.note ? encodeBase64(value.note) : undefined;
      this.storage?.setItem(KEY, JSON.stringify({ ...value, note }));
    } catch {
      // A full storage keeps what it has; the page's verdict does not depend on it.
    }
  }
}
