// Evidence of a mismatch, as one file that `mingzhang verify evidence` and verify.html read.
//
// Canonical JSON: `kind`, `reason`, `at` (the device's local time), `detail`, `vkey` (the pinned key),
// and what there is of `kept` and `seen` (checkpoints verbatim, base64), `root` and `proof` (the seen
// tree's own root at the older size, with its consistency proof), `entry` and `index`.

import { FormatError, decodeBase64, encodeBase64, sameBytes } from "./bytes.js";
import { isObject, parseCanonical, writeCanonical } from "./canonical.js";
import { leafHash, verifyConsistency, verifyInclusion } from "./merkle.js";
import { openCheckpoint, parseVkey } from "./note.js";

const KIND = "mingzhang.evidence.v1";
const TEXTS = ["at", "detail", "kind", "reason", "vkey"];
const BYTES = ["entry", "kept", "root", "seen"];

/** Writes evidence; the parts that are undefined are left out. */
export function writeEvidence({ reason, detail, vkey, kept, seen, root, proof, entry, index }, now) {
  const value = { at: localTime(now), detail, kind: KIND, reason, vkey };
  for (const [name, bytes] of Object.entries({ kept, seen, root, entry })) {
    if (bytes) value[name] = encodeBase64(bytes);
  }
  if (proof) value.proof = proof.map(encodeBase64);
  if (index !== undefined) value.index = index;
  return writeCanonical(value);
}

/** Tells whether bytes look like evidence. */
export function isEvidence(data) {
  return data.length > 1 && data[0] === 0x7b && new TextDecoder().decode(data).includes(`"kind":"${KIND}"`);
}

/** Reads evidence; throws FormatError. */
export function parseEvidence(data) {
  const value = parseCanonical(data);
  if (!isObject(value) || value.kind !== KIND) throw new FormatError("not a file of evidence");
  const known = [...TEXTS, ...BYTES, "index", "proof"];
  const odd = Object.keys(value).filter((name) => !known.includes(name));
  if (odd.length) throw new FormatError(`evidence has no member ${odd[0].slice(0, 40)}`);
  if (TEXTS.some((name) => typeof value[name] !== "string")) throw new FormatError("evidence lacks a member");
  const found = { ...value };
  for (const name of BYTES) {
    if (name in value) found[name] = decodeBase64(value[name], name === "root" ? 32 : undefined);
  }
  if ("proof" in value) {
    if (!Array.isArray(value.proof) || value.proof.length > 64) throw new FormatError("`proof` is no list of at most 64 hashes");
    found.proof = value.proof.map((each) => decodeBase64(each, 32));
  }
  if ("index" in value && !(Number.isSafeInteger(value.index) && value.index >= 0)) {
    throw new FormatError("`index` is no integer from 0");
  }
  return found;
}

/**
 * Says what evidence shows by itself, with the log's key that its reader trusts:
 * `{proven, sizes}`; `proven` is `fork` (the log's key signed two histories) or null.
 *
 * Throws FormatError or ProofError where a checkpoint in it does not hold.
 */
export async function judgeEvidence(evidence, vkeyText) {
  const vkey = parseVkey(vkeyText);
  const { kept, seen, root, proof, entry, index } = evidence;
  if (!kept || !seen) {
    if (seen && entry && proof && index !== undefined) {
      const checkpoint = await openCheckpoint(seen, vkey);
      verifyInclusion(leafHash(entry), index, checkpoint.size, proof, checkpoint.root);
    }
    return { proven: null, sizes: [] };
  }
  const both = [await openCheckpoint(kept, vkey), await openCheckpoint(seen, vkey)];
  const [older, newer] = both.sort((left, right) => left.size - right.size);
  const sizes = [older.size, newer.size];
  if (older.size === newer.size) return { proven: sameBytes(older.root, newer.root) ? null : "fork", sizes };
  if (!root || !proof) return { proven: null, sizes };
  verifyConsistency(older.size, newer.size, proof, root, newer.root);
  return { proven: sameBytes(root, older.root) ? null : "fork", sizes };
}

/** Returns an instant as the device's clock shows it, with its offset from UTC. */
function localTime(now) {
  const offset = -new Date(now).getTimezoneOffset();
  const two = (number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
  const shifted = new Date(now + offset * 60000).toISOString().slice(0, 19);
  return `${shifted}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}

