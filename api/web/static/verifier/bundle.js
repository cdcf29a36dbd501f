// Checks files that stand alone: receipts, evidence, and whatever a bundle carries beside them.

import { FormatError, ProofError, decodeText, sameBytes } from "./bytes.js";
import { readKeys, verifyChain, verifySignatures } from "./entry.js";
import { isEvidence, judgeEvidence, parseEvidence } from "./evidence.js";
import { openCheckpoint, parseCheckpoint, parseVkey } from "./note.js";
import { judgeQuorum, parsePolicy } from "./policy.js";
import { isReceipt, verifyReceipt } from "./receipt.js";

/**
 * Checks a set of files, Map(name → bytes): receipts, checkpoints, evidence, and among them perhaps
 * the log's key (`*.vkey`) and a policy (`*policy*`), which `given` `{vkey, policy}` (texts) override.
 *
 * Returns `{state, vkey, keyFrom, policy, items, unread}`. `state` is `verified`, `waiting` (no quorum),
 * `mismatch`, or `offline` (no key or nothing to check). An item is `{name, kind, error, index, entry,
 * checkpoint, quorum, actors, unknown, evidence, judgement}`; one bad item never hides the others.
 */
export async function checkBundle(files, given = {}, nowMs = Date.now()) {
  const found = { state: "offline", vkey: null, keyFrom: "", policy: null, items: [], unread: [] };
  const texts = new Map();
  for (const [name, data] of files) {
    const kind = kindOf(name, data);
    if (kind === "vkey" || kind === "policy") texts.set(kind, data);
    else if (kind) found.items.push({ name, kind, data, error: "", actors: [], unknown: [] });
    else found.unread.push(name);
  }
  const evidence = found.items.find((each) => each.kind === "evidence");
  const vkeyText = given.vkey?.trim() || (texts.has("vkey") ? decodeText(texts.get("vkey")).trim() : "");
  found.keyFrom = given.vkey?.trim() ? "given" : vkeyText ? "files" : "";
  const policyData = given.policy?.trim() ? new TextEncoder().encode(`${given.policy.trim()}\n`) : texts.get("policy");
  if (policyData) found.policy = parsePolicy(policyData);
  const fromPolicy = found.policy?.logs.length === 1 ? found.policy.logs[0].text : "";
  const fromEvidence = evidence ? tryEvidenceKey(evidence.data) : "";
  const key = vkeyText || fromPolicy || fromEvidence;
  if (!key) return found;
  found.keyFrom ||= "files";
  found.vkey = parseVkey(key);
  for (const item of found.items) await checkItem(item, found, nowMs);
  await checkTogether(found.items);
  found.state = stateOf(found);
  return found;
}

/** Says what kind of file this is, by its content before its name; null where it is none of ours. */
function kindOf(name, data) {
  if (isReceipt(data)) return "receipt";
  if (isEvidence(data)) return "evidence";
  if (/\.tlog-proof$/.test(name)) return "receipt";
  if (/\.vkey$/.test(name)) return "vkey";
  if (/policy/.test(name)) return "policy";
  try {
    parseCheckpoint(data);
    return "checkpoint";
  } catch {
    return null;
  }
}

function tryEvidenceKey(data) {
  try {
    return parseEvidence(data).vkey;
  } catch {
    return "";
  }
}

async function checkItem(item, { vkey, policy }, nowMs) {
  try {
    if (item.kind === "receipt") {
      Object.assign(item, await verifyReceipt(item.data, vkey));
    } else if (item.kind === "checkpoint") {
      item.checkpoint = await openCheckpoint(item.data, vkey);
    } else {
      item.evidence = parseEvidence(item.data);
      item.judgement = await judgeEvidence(item.evidence, vkey.text);
    }
    if (item.checkpoint) item.quorum = await judgeQuorum(policy, item.checkpoint.note, nowMs / 1000);
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof ProofError)) throw error;
    item.error = error.message;
  }
}

/** What only several files show: signatures by keys registered in others, chains, two histories. */
async function checkTogether(items) {
  const receipts = items.filter((each) => each.kind === "receipt" && each.entry);
  const keys = readKeys(receipts);
  const roots = new Map();
  for (const item of items.filter((each) => each.checkpoint)) {
    const { size, root } = item.checkpoint;
    const known = roots.get(size) ?? root;
    roots.set(size, known);
    if (!sameBytes(known, root)) item.error = `two trees of size ${size} are signed: the log's history was forked`;
  }
  const places = new Map(receipts.map((each) => [`${each.entry.stream} ${each.entry.seq}`, each.entry]));
  for (const item of receipts) {
    try {
      Object.assign(item, await verifySignatures(item.entry, item.index, keys));
      const before = places.get(`${item.entry.stream} ${item.entry.seq - 1}`);
      if (before || item.entry.seq === 1) verifyChain(before ?? null, item.entry);
      item.chained = Boolean(before);
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof ProofError)) throw error;
      item.error ||= error.message;
    }
  }
}

function stateOf({ items }) {
  const judged = items.filter((each) => each.kind !== "evidence");
  if (items.some((each) => each.error || each.judgement?.proven)) return "mismatch";
  if (!judged.length) return "offline";
  // An old file keeps what its witnesses saw then: how fresh that is matters for a live log only.
  return judged.every((each) => each.quorum.met) ? "verified" : "waiting";
}

