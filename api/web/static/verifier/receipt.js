// Receipts (C2SP tlog-proof@v1), as ledger/log/receipt.py reads them, and proofs of sealed states.

import { FormatError, ProofError, decodeBase64, decodeHex, encodeText, parseDecimal, sameBytes } from "./bytes.js";
import { hasExactly, isObject, parseCanonical } from "./canonical.js";
import { parseEntry } from "./entry.js";
import { leafHash, verifyInclusion } from "./merkle.js";
import { openCheckpoint } from "./note.js";

const HEADER = encodeText("c2sp.org/tlog-proof@v1\n");
const PROOF_MAX = 63;
const RECEIPT_SIZE_MAX = 256 * 1024;

/** Tells whether bytes begin as a receipt does. */
export function isReceipt(data) {
  return sameBytes(data.subarray(0, HEADER.length), HEADER);
}

/** Reads a receipt, nothing verified: `{entry, index, proof, checkpoint}`; throws FormatError. */
export function parseReceipt(data) {
  if (data.length > RECEIPT_SIZE_MAX) {
    throw new FormatError(`a receipt of ${data.length} bytes, at most ${RECEIPT_SIZE_MAX} are read`);
  }
  if (!isReceipt(data)) throw new FormatError("not a receipt: it does not begin with c2sp.org/tlog-proof@v1");
  let blank = HEADER.length;
  while (blank < data.length && !(data[blank] === 10 && data[blank + 1] === 10)) blank += 1;
  if (blank >= data.length) throw new FormatError("the receipt has no blank line with a checkpoint after it");
  const head = data.subarray(HEADER.length, blank);
  if (head.some((each) => each > 0x7f)) throw new FormatError("the receipt's proof is not ASCII");
  const lines = String.fromCharCode(...head).split("\n");
  if (lines.length < 2 || !lines[0].startsWith("extra ") || !lines[1].startsWith("index ")) {
    throw new FormatError("a receipt has a line `extra`, then a line `index`");
  }
  const index = parseDecimal(lines[1].slice(6), "the receipt's index");
  if (lines.length - 2 > PROOF_MAX) {
    throw new FormatError(`the receipt's proof has ${lines.length - 2} hashes, ${PROOF_MAX} at most`);
  }
  const proof = lines.slice(2).map((line) => decodeBase64(line, 32));
  return { entry: decodeBase64(lines[0].slice(6)), index, proof, checkpoint: data.subarray(blank + 2) };
}

/**
 * Checks a receipt against the log's key and reads the entry in it: `{checkpoint, index, entry}`.
 *
 * Throws FormatError or ProofError. Signatures of people are not looked at here.
 */
export async function verifyReceipt(data, vkey) {
  const receipt = parseReceipt(data);
  const checkpoint = await openCheckpoint(receipt.checkpoint, vkey);
  verifyInclusion(leafHash(receipt.entry), receipt.index, checkpoint.size, receipt.proof, checkpoint.root);
  const entry = parseEntry(receipt.entry);
  if (entry.statement.log !== checkpoint.origin) {
    throw new ProofError(`the statement is meant for the log ${entry.statement.log}, this is ${checkpoint.origin}`);
  }
  return { checkpoint, index: receipt.index, entry };
}

const HEX64 = /^[0-9a-f]{64}$/;
const ID = /^[a-z0-9-]{1,64}$/;
const TEXTS = { head: HEX64, member: ID, period: ID, unit: ID };
const LEAST = { seq: 1, rank: 1, position: 0 };
const STATES = {
  members: { needs: ["head", "member", "period", "seq", "unit"], may: ["merit", "service"] },
  ranking: { needs: ["member", "period", "position", "rank", "score", "unit"], may: [] },
};

/**
 * Checks that `leaf` (its bytes) is number `index` of the tree that a `state.sealed` body commits to
 * (formats.md section 7), and returns what it says. Throws FormatError or ProofError.
 */
export function verifyStateLeaf(body, leaf, index, proof) {
  const kind = STATES[body.tree];
  if (!kind) throw new FormatError(`no state tree is called ${String(body.tree).slice(0, 40)}`);
  const value = parseCanonical(leaf);
  const names = isObject(value) ? [...kind.needs, ...kind.may.filter((name) => name in value)].sort() : [];
  if (!hasExactly(value, names)) throw new FormatError(`a leaf of the tree ${body.tree} has other members`);
  for (const name of names) {
    const good = name in TEXTS ? isText(value[name], TEXTS[name]) : isFigure(value[name], LEAST[name]);
    if (!good) throw new FormatError(`the leaf's ${name} is not of its form`);
  }
  verifyInclusion(leafHash(leaf), index, body.count, proof, decodeHex(body.root));
  if (value.period !== body.period) throw new ProofError(`the leaf is of the period ${value.period}, not ${body.period}`);
  // Positions count from 0 as leaves do: so the proof of the leaf is a proof of the place.
  if (body.tree === "ranking" && value.position !== index) {
    throw new ProofError(`the leaf says position ${value.position} and stands at ${index}`);
  }
  return value;
}

function isText(value, form) {
  return typeof value === "string" && form.test(value);
}

function isFigure(value, least = Number.MIN_SAFE_INTEGER) {
  return Number.isSafeInteger(value) && value >= least;
}
