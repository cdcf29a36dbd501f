// Signed notes (C2SP signed-note), checkpoints (tlog-checkpoint) and cosignatures (tlog-cosignature).
// The same rules as ledger/log/note.py and ledger/log/checkpoint.py.

import {
  FormatError,
  ProofError,
  decodeBase64,
  decodeText,
  encodeHex,
  encodeText,
  joinBytes,
  parseDecimal,
  sameBytes,
} from "./bytes.js";
import { verifySignature } from "./ed25519.js";
import { sha256 } from "../vendor/noble.js";

const TYPE_LOG = 0x01;
export const TYPE_WITNESS = 0x04;
const NOTE_SIZE_MAX = 65536;
const SIGNATURES_MAX = 100;

/** Reads `name+hex8(key id)+base64(type ‖ public key)`; throws FormatError, also at a wrong id. */
export function parseVkey(text, type = TYPE_LOG) {
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text);
  if (!parts || text.endsWith("\n")) {
    throw new FormatError("a verifier key is written name+8 hex digits+base64, in one line");
  }
  const [, name, ident, encoded] = parts;
  const typed = decodeBase64(encoded);
  if (typed.length !== 33 || typed[0] !== type) {
    throw new FormatError(`the verifier key is not of type 0${type} (Ed25519, 32 bytes)`);
  }
  const keyId = sha256(joinBytes(encodeText(`${name}\n`), typed)).subarray(0, 4);
  if (encodeHex(keyId) !== ident) {
    throw new FormatError(`the verifier key's id is ${encodeHex(keyId)}, not ${ident}: a typo?`);
  }
  return { name, keyId, type, publicKey: typed.subarray(1), text };
}

/** Reads a signed note: `{text, signatures: [{name, keyId, signature}]}`; throws FormatError. */
export function parseNote(data) {
  if (data.length > NOTE_SIZE_MAX) {
    throw new FormatError(`a note of ${data.length} bytes, at most ${NOTE_SIZE_MAX} are read`);
  }
  const whole = decodeText(data);
  if (!whole.endsWith("\n")) throw new FormatError("the note does not end in a newline");
  const blank = whole.lastIndexOf("\n\n");
  if (blank < 0 || blank + 2 === whole.length) {
    throw new FormatError("the note has no blank line with signatures after it");
  }
  const text = whole.slice(0, blank + 1);
  if (text === "\n") throw new FormatError("a note's text is not empty and ends in a newline");
  if (/[\x00-\x09\x0b-\x1f\x7f]/.test(text)) {
    throw new FormatError("a note's text holds a control character (a CR, perhaps)");
  }
  const lines = whole.slice(blank + 2, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) {
    throw new FormatError(`the note has ${lines.length} signatures, at most ${SIGNATURES_MAX} are read`);
  }
  return { text, signatures: lines.map(parseSignature) };
}

function parseSignature(line) {
  const parts = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
  if (!parts) throw new FormatError(`not a signature line: ${JSON.stringify(line.slice(0, 60))}`);
  const raw = decodeBase64(parts[2]);
  if (raw.length < 5) throw new FormatError("a signature line holds a 4-byte key id and a signature");
  return { name: parts[1], keyId: raw.subarray(0, 4), signature: raw.subarray(4) };
}

/** Reads a checkpoint's three lines: `{origin, size, root}`; throws FormatError. */
function parseCheckpointBody(text) {
  const lines = text.split("\n");
  if (lines.length !== 4 || lines[3]) {
    const kind = lines.length > 4 ? "an extension line" : "too few lines";
    throw new FormatError(`a checkpoint has three lines, origin, size and root; this has ${kind}`);
  }
  const [origin, size, root] = lines;
  if (!origin) throw new FormatError("the checkpoint names no origin");
  return { origin, size: parseDecimal(size, "the checkpoint's size"), root: decodeBase64(root, 32) };
}

/** Reads a checkpoint and its note, nothing verified; throws FormatError. */
export function parseCheckpoint(data) {
  const note = parseNote(data);
  return { ...parseCheckpointBody(note.text), note, data };
}

/**
 * Reads a checkpoint that the log's key must have signed; throws FormatError or ProofError.
 *
 * A bad signature by the key rejects it also beside a good one.
 */
export async function openCheckpoint(data, vkey) {
  const note = parseNote(data);
  if ((await countGood(note, vkey)) === 0) {
    throw new ProofError(`no known key signed this note: ${vkey.name}`);
  }
  const opened = { ...parseCheckpointBody(note.text), note, data };
  if (opened.origin !== vkey.name) {
    throw new ProofError(`the checkpoint is of ${opened.origin}, the key of ${vkey.name}`);
  }
  return opened;
}

/**
 * Returns the time, in seconds since 1970, at which a witness cosigned a note, null if it did not.
 *
 * Throws ProofError at a bad cosignature in the witness's name.
 */
export async function cosignedAt(note, witness) {
  let newest = null;
  for (const each of note.signatures) {
    if (each.name !== witness.name || !sameBytes(each.keyId, witness.keyId)) continue;
    if (each.signature.length !== 72) throw new ProofError(`a cosignature in the name of ${witness.name} is bad`);
    const time = new DataView(each.signature.buffer, each.signature.byteOffset, 8).getBigUint64(0);
    const message = encodeText(`cosignature/v1\ntime ${time}\n${note.text}`);
    if (time > 2n ** 53n || !(await verifySignature(witness.publicKey, message, each.signature.subarray(8)))) {
      throw new ProofError(`a cosignature in the name of ${witness.name} is bad`);
    }
    newest = Math.max(newest ?? 0, Number(time));
  }
  return newest;
}

async function countGood(note, key) {
  let good = 0;
  for (const each of note.signatures) {
    if (each.name !== key.name || !sameBytes(each.keyId, key.keyId)) continue;
    if (!(await verifySignature(key.publicKey, encodeText(note.text), each.signature))) {
      throw new ProofError(`a signature in the name of ${key.name} is bad`);
    }
    good += 1;
  }
  return good;
}
