// Checks a member's record: the log's newest checkpoint, its history since the last visit, its
// witnesses, and every entry shown. Five states, of which exactly one is answered (verification.md 2).
//
// No network fault gives `mismatch`, no forgery gives `offline`: what cannot be read, or is not the
// format, is the network's; what is read, has the format and contradicts a signature is a mismatch.

import { FormatError, ProofError, encodeHex, encodeText, sameBytes } from "./bytes.js";
import { parseEntry, readKeys, verifyChain, verifySignatures } from "./entry.js";
import { leafHash, nodeHash, peakNodes, verifyConsistency, verifyInclusion } from "./merkle.js";
import { openCheckpoint, parseCheckpoint, parseVkey } from "./note.js";
import { judgeQuorum, parsePolicy } from "./policy.js";
import { NetworkError, Tree } from "./tiles.js";
import { sha256 } from "../vendor/noble.js";

const ADOPTED = "witnesses.adopted";

/** What was read contradicts what was signed; `reason` is its stable name, `parts` the evidence. */
class Mismatch extends Error {
  constructor(reason, detail, parts = {}) {
    super(detail);
    this.reason = reason;
    this.parts = parts;
  }
}

/** Nothing is known, though there was an answer; `reason` is its stable name. */
class Unknown extends NetworkError {
  constructor(reason, detail) {
    super(detail);
    this.reason = reason;
  }
}

/**
 * Checks a record. `page` is `{vkey, member, complete, newest, entries: [{index, data}], keys: [{index,
 * data}], policy: [{index, data}], claims}`: whether the stream's first and its newest entries are on it; `kept` what Memory.read gives, `nowMs` the device's clock.
 *
 * Each of `claims`, `{size, root, keyId, reason}`, says which root the tree has at a size: a paper's is as
 * good an anchor as a head that was kept (`isAnchor`), one of the page itself is none. `reason` names a
 * mismatch; without `keyId` the claim is about no key.
 *
 * Returns `{state, reason, detail, checkpoint, kept, quorum, rows, added, policyChanged, adoption, evidence,
 * keep}`: `rows` maps an entry's index to `{entry, error, actors, unknown}`, `keep` is what to remember,
 * `adoption` is `{index, actors, at, taken}` where an entry says that the policy served now was adopted.
 */
export async function checkRecord(page, kept, source, nowMs) {
  const verdict = { state: "offline", reason: "", detail: "", rows: new Map(), added: null, quorum: null, policyChanged: false, adoption: null };
  try {
    await examine(verdict, page, kept, source, nowMs);
  } catch (error) {
    if (error instanceof Mismatch) {
      Object.assign(verdict, { state: "mismatch", reason: error.reason, detail: error.message });
      const vkey = kept.vkey ?? page.vkey;
      verdict.evidence = { reason: error.reason, detail: error.message, vkey, kept: kept.note, ...error.parts };
    } else if (error instanceof NetworkError) {
      Object.assign(verdict, { state: "offline", reason: error.reason ?? "network", detail: error.message });
    } else {
      throw error;
    }
  }
  return verdict;
}

async function examine(verdict, page, kept, source, nowMs) {
  const vkey = parseVkey(kept.vkey ?? page.vkey);
  const [seen, { policy, served }] = await Promise.all([
    readCheckpoint(vkey, source, kept),
    readPolicy(verdict, kept, source),
  ]);
  verdict.checkpoint = seen;
  if (page.vkey !== vkey.text) {
    throw new Mismatch("origin", `this page names another log's key, ${page.vkey.slice(0, 120)}`, { seen: seen.data });
  }
  try {
    verdict.quorum = await judgeQuorum(policy, seen.note, nowMs / 1000);
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    throw new Mismatch("signature", error.message, { seen: seen.data });
  }
  const before = kept.note ? parseCheckpoint(kept.note) : null;
  verdict.kept = before;
  const isStale = Boolean(before) && seen.size < before.size;
  if (before) await compareHistory(before, seen, source, isStale);

  for (const claim of page.claims ?? []) await compareClaim(claim, vkey, seen, source);

  const tree = new Retrying(source, seen);
  const keys = await provenKeys(page, tree);
  const adoption = served && (await readAdoption(page, served, tree, keys, vkey.name));
  if (adoption && adoption.index > (kept.policyIndex ?? -1)) {
    // Who has pinned a policy follows another one only where the pinned witnesses have seen the entry.
    adoption.taken = kept.policy === undefined || !verdict.quorum.configured || verdict.quorum.fresh;
    verdict.adoption = adoption;
  }
  let previous = null;
  for (const { index, data } of page.entries) {
    const row = await checkEntry(page, index, data, previous, keys, tree, vkey.name);
    verdict.rows.set(index, row);
    previous = row;
  }
  const bad = page.entries.find(({ index }) => verdict.rows.get(index).error);
  if (bad) {
    const row = verdict.rows.get(bad.index);
    throw new Mismatch("entry", `entry ${bad.index}: ${row.error}`, { seen: seen.data, entry: bad.data, index: bad.index, proof: row.proof });
  }
  if (isStale) throw new Unknown("stale", `the log shows size ${seen.size}, this device has seen ${before.size}`);
  const stream = kept.streams[page.member];
  const newest = page.entries.at(-1);
  const seq = newest ? verdict.rows.get(newest.index).entry.seq : 0;
  if (stream) compareStream(stream, seq, page, verdict, seen);
  verdict.added = stream && page.newest ? seq - stream.seq : null;

  const isAnchored = Boolean(before) || (page.claims ?? []).some((each) => each.isAnchor);
  verdict.state = !isAnchored ? "first" : verdict.quorum.fresh ? "verified" : "waiting";
  verdict.keep = {
    vkey: vkey.text,
    policy: (verdict.adoption?.taken ? served : policy)?.text,
    policyIndex: verdict.adoption?.taken ? adoption.index : kept.policyIndex,
    note: seen.data,
    at: nowMs,
    streams: newest && page.newest ? { [page.member]: { seq, leaf: encodeHex(leafHash(newest.data)) } } : {},
  };
}

async function readCheckpoint(vkey, source, kept) {
  const data = await source.checkpoint();
  let seen;
  try {
    seen = parseCheckpoint(data);
  } catch (error) {
    // A login page, a cut answer: nobody has signed this, so it is nobody's lie.
    throw new Unknown("garbled", error.message);
  }
  if (seen.origin !== vkey.name) {
    throw new Mismatch("origin", `the checkpoint is of the log ${seen.origin}, not of ${vkey.name}`, { seen: data });
  }
  try {
    return await openCheckpoint(data, vkey);
  } catch (error) {
    throw new Mismatch("signature", error.message, { seen: data, kept: kept.note });
  }
}

/** Returns `{policy, served}`: the pinned one, or the served one while none is pinned; null where none is. */
async function readPolicy(verdict, kept, source) {
  let served = null;
  try {
    served = parsePolicy(await source.read("/policy", "no-store"));
  } catch (error) {
    if (kept.policy === undefined && error.status !== 404) {
      throw error instanceof FormatError ? new Unknown("garbled", error.message) : error;
    }
  }
  if (kept.policy === undefined) return { policy: served, served };
  verdict.policyChanged = served !== null && served.text !== kept.policy;
  return { policy: parsePolicy(encodeText(kept.policy)), served };
}

/** Returns the entry by which the served policy was adopted, null where there is none; throws Mismatch. */
async function readAdoption(page, served, tree, keys, origin) {
  const found = page.policy.at(-1);
  if (!found || found.index >= tree.checkpoint.size) return null;
  const { index, data } = found;
  try {
    const proof = await tree.includes(leafHash(data), index);
    const entry = parseEntry(data);
    const { type, body, log } = entry.statement;
    if (type !== ADOPTED || entry.stream !== "ledger/root" || log !== origin) {
      throw Object.assign(new ProofError("it is no entry about this log's witnesses"), { proof });
    }
    const { actors, unknown } = await verifySignatures(entry, index, keys);
    if (unknown.length || encodeHex(sha256(encodeText(served.text))) !== body.policy) return null;
    return { index, actors, at: entry.recordedAt, taken: false };
  } catch (error) {
    if (!(error instanceof ProofError || error instanceof FormatError)) throw error;
    throw new Mismatch("entry", `entry ${index}, which adopts a policy of witnesses: ${error.message}`, {
      seen: tree.checkpoint.data,
      entry: data,
      index,
      proof: error.proof,
    });
  }
}

/** Proves that one of two signed checkpoints continues the other; throws Mismatch. */
async function compareHistory(before, seen, source, isStale) {
  const [older, newer] = before.size <= seen.size ? [before, seen] : [seen, before];
  const parts = { kept: before.data, seen: seen.data };
  if (older.size === newer.size) {
    if (sameBytes(older.root, newer.root)) return;
    throw new Mismatch("history", `two trees of size ${older.size} are signed`, parts);
  }
  if (older.size === 0) return;
  const { proof, root } = await rootAt(older.size, newer, source).catch((error) => {
    if (isStale && error instanceof NetworkError) {
      throw new Unknown("stale", `the log shows size ${seen.size}, this device has seen ${before.size}: ${error.message}`);
    }
    if (!(error instanceof ProofError)) throw error;
    throw new Mismatch("tiles", `the tiles are not those of the signed tree: ${error.message}`, parts);
  });
  if (!sameBytes(root, older.root)) {
    throw new Mismatch("history", `the tree of size ${newer.size} has another past at size ${older.size}`, { ...parts, proof, root });
  }
}

/** Returns the root that a signed tree had at a smaller size, and the proof of it; throws ProofError. */
async function rootAt(size, signed, source) {
  return new Retrying(source, signed).run(async (tree) => {
    const proof = await tree.consistency(size);
    const peaks = [];
    for (const [level, at] of peakNodes(size)) peaks.push(await tree.node(level, at));
    const root = peaks.reduceRight((right, left) => nodeHash(left, right));
    verifyConsistency(size, signed.size, proof, root, signed.root);
    return { proof, root };
  });
}

/** Compares a root that paper or page names with the log's own at that size; throws Mismatch. */
async function compareClaim({ size, root, keyId, reason }, vkey, seen, source) {
  const parts = { seen: seen.data };
  if (keyId && !sameBytes(keyId, vkey.keyId)) {
    throw new Mismatch(reason, `the paper names the key ${encodeHex(keyId)}, the log's is ${encodeHex(vkey.keyId)}`, parts);
  }
  if (size > seen.size) throw new Unknown("stale", `the log shows size ${seen.size}, the paper is of ${size}`);
  let own = seen.root;
  if (size < seen.size) {
    ({ root: own } = await rootAt(size, seen, source).catch((error) => {
      if (!(error instanceof ProofError)) throw error;
      throw new Mismatch("tiles", `the tiles are not those of the signed tree: ${error.message}`, parts);
    }));
  }
  if (sameBytes(own, root)) return;
  throw new Mismatch(reason, `at size ${size} the root is said to be ${encodeHex(root)}, the log's is ${encodeHex(own)}`, parts);
}

/** Runs checks on a signed tree's tiles, a second time past every cache where they fail. */
class Retrying {
  constructor(source, checkpoint) {
    this.checkpoint = checkpoint;
    this.source = source;
    this.tree = new Tree(source, checkpoint.size);
    this.isAfresh = false;
  }

  /** Returns what `check(tree)` returns; throws ProofError, or Unknown where tiles are cut or missing. */
  async run(check) {
    try {
      return await check(this.tree);
    } catch (error) {
      if (!(error instanceof ProofError || error instanceof FormatError)) throw error;
      if (this.isAfresh && error instanceof ProofError) throw error;
    }
    this.isAfresh = true;
    this.tree = new Tree(this.source.afresh(), this.checkpoint.size);
    try {
      return await check(this.tree);
    } catch (error) {
      if (error instanceof FormatError) throw new Unknown("garbled", error.message);
      throw error;
    }
  }

  /** Checks that a leaf is in the tree and returns its proof; throws ProofError with the `proof`. */
  async includes(leaf, index) {
    return this.run(async (tree) => {
      const proof = await tree.inclusion(index);
      try {
        verifyInclusion(leaf, index, this.checkpoint.size, proof, this.checkpoint.root);
      } catch (error) {
        error.proof = proof;
        throw error;
      }
      return proof;
    });
  }
}

async function provenKeys(page, tree) {
  const found = [];
  for (const { index, data } of page.keys) {
    if (index >= tree.checkpoint.size) continue;
    try {
      await tree.includes(leafHash(data), index);
      found.push({ index, entry: parseEntry(data) });
    } catch (error) {
      if (!(error instanceof ProofError || error instanceof FormatError)) throw error;
      throw new Mismatch("entry", `entry ${index}, a key's registration: ${error.message}`, {
        seen: tree.checkpoint.data,
        entry: data,
        index,
        proof: error.proof,
      });
    }
  }
  return readKeys(found);
}

/** Checks one entry; a fault is in `error`, so that one bad entry never hides the others. */
async function checkEntry(page, index, data, previous, keys, tree, origin) {
  const row = { entry: null, error: "", actors: [], unknown: [], proof: undefined };
  if (index >= tree.checkpoint.size) {
    throw new Unknown("stale", `entry ${index} is newer than the log's checkpoint of size ${tree.checkpoint.size}`);
  }
  try {
    row.proof = await tree.includes(leafHash(data), index);
    const entry = parseEntry(data);
    row.entry = entry;
    if (entry.statement.log !== origin) throw new ProofError(`meant for the log ${entry.statement.log}`);
    if (entry.stream !== `member/${page.member}`) throw new ProofError(`of ${entry.stream}, not of this member`);
    // What follows a bad entry cannot continue it, and is not to blame for that.
    if (previous ? !previous.error : page.complete) verifyChain(previous?.entry ?? null, entry);
    Object.assign(row, await verifySignatures(entry, index, keys));
  } catch (error) {
    if (!(error instanceof ProofError || error instanceof FormatError)) throw error;
    row.error = error.message;
    row.proof ??= error.proof;
  }
  return row;
}

/** Throws Mismatch where entries that this device has seen in a stream are gone or others now. */
function compareStream(stream, seq, page, verdict, seen) {
  if (page.newest && seq < stream.seq) {
    throw new Mismatch("omitted", `the page ends at number ${seq}, this device has seen ${stream.seq}`, { seen: seen.data });
  }
  for (const { index, data } of page.entries) {
    if (verdict.rows.get(index).entry.seq === stream.seq && encodeHex(leafHash(data)) !== stream.leaf) {
      throw new Mismatch("omitted", `number ${stream.seq} is another entry than this device has seen`, {
        seen: seen.data,
        entry: data,
        index,
        proof: verdict.rows.get(index).proof,
      });
    }
  }
}
