// Statements (DSSE envelopes) and entries, read as ledger/entry.py reads them, and their signatures.

import { FormatError, ProofError, decodeBase64, decodeText, encodeHex, encodeText, joinBytes } from "./bytes.js";
import { hasExactly, isObject, parseCanonical, parseJson } from "./canonical.js";
import { verifySignature } from "./ed25519.js";
import { leafHash } from "./merkle.js";
import { sha256 } from "../vendor/noble.js";

const PAYLOAD_TYPE = "application/vnd.mingzhang.statement.v1+json";
const NO_HASH = "0".repeat(64);
const ENTRY_SIZE_MAX = 65535;
const SIGNATURES_MAX = 16;

const HEX64 = /^[0-9a-f]{64}$/;
const ID = /^[a-z0-9-]{1,64}$/;
const STREAM = /^(?:ledger|member|rulebook|dispute|unit|actor|period|fund)\/[a-z0-9-]{1,64}$/;
const TYPE = /^[a-z][a-z_]{0,31}\.[a-z][a-z_]{0,31}$/;
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SECONDS = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/;
const MICROS = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$/;
const MEMBERS = ["type", "id", "log", "stream", "actor", "signed_at", "body"];

const isText = (value, shape) => typeof value === "string" && shape.test(value) && !value.endsWith("\n");

function need(held, message) {
  if (!held) throw new FormatError(message);
}

/** Reads an entry's leaf bytes: `{stream, seq, prev, recordedAt, statement, data}`; throws FormatError. */
export function parseEntry(data) {
  need(data.length <= ENTRY_SIZE_MAX, `an entry of ${data.length} bytes; at most ${ENTRY_SIZE_MAX} are allowed`);
  const text = decodeText(data);
  const entry = parseJson(text);
  const names = ["envelope", "prev", "recorded_at", "seq", "stream", "v"];
  need(hasExactly(entry, names), `an entry has exactly the members ${names.join(", ")}, in this order`);
  need(entry.v === 1, "the entry's version `v` is not 1");
  need(Number.isSafeInteger(entry.seq) && entry.seq >= 1, "the entry's `seq` is not an integer from 1");
  need(isText(entry.prev, HEX64), "the entry's `prev` is not 64 lower-case hex digits");
  need(isText(entry.recorded_at, MICROS) && isReal(entry.recorded_at), "the entry's `recorded_at` is no instant");
  const statement = parseEnvelope(entry.envelope);
  need(statement.stream === entry.stream, "the entry's stream is not its statement's");
  // The same text from the parts shows that nothing is repeated, spaced or escaped otherwise.
  const again =
    `{"envelope":${writeEnvelope(entry.envelope)},"prev":"${entry.prev}","recorded_at":"${entry.recorded_at}",` +
    `"seq":${entry.seq},"stream":"${entry.stream}","v":1}`;
  need(again === text, "the entry is not canonical JSON (RFC 8785)");
  const { stream, seq, prev } = entry;
  return { stream, seq, prev, recordedAt: entry.recorded_at, statement, data };
}

function writeEnvelope({ payload, payloadType, signatures }) {
  return JSON.stringify({ payload, payloadType, signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig })) });
}

function parseEnvelope(envelope) {
  const names = ["payload", "payloadType", "signatures"];
  need(hasExactly(envelope, names), `an envelope has exactly the members ${names.join(", ")}, in order`);
  need(envelope.payloadType === PAYLOAD_TYPE, `the envelope's payloadType is not ${PAYLOAD_TYPE}`);
  need(
    typeof envelope.payload === "string" && Array.isArray(envelope.signatures),
    "`payload` must be base64 text and `signatures` a list",
  );
  const count = envelope.signatures.length;
  need(count >= 1 && count <= SIGNATURES_MAX, `${count} signatures; 1 to ${SIGNATURES_MAX} are allowed`);
  let before = "";
  const signatures = envelope.signatures.map((each) => {
    need(hasExactly(each, ["keyid", "sig"]), "a signature has exactly the members keyid, sig, in this order");
    need(isText(each.keyid, HEX64) && typeof each.sig === "string", "a keyid is not 64 lower-case hex digits");
    need(each.keyid > before, "signatures must be of distinct keys and sorted by keyid");
    before = each.keyid;
    return { keyid: each.keyid, sig: decodeBase64(each.sig, 64) };
  });
  const payload = decodeBase64(envelope.payload);
  const value = parseCanonical(payload);
  need(isObject(value), "a statement is a JSON object");
  const wanted = "after" in value ? [...MEMBERS, "after"] : MEMBERS;
  need(hasExactly(value, [...wanted].sort()), "the statement's members are wrong");
  need(
    MEMBERS.every((name) => (name === "body" ? isObject(value.body) : typeof value[name] === "string")),
    "every member of a statement but `body`, an object, is text",
  );
  need(isText(value.type, TYPE), "no statement type");
  need(isText(value.id, UUID7), "the statement's id is not a lower-case UUIDv7");
  need(isText(value.stream, STREAM), "no stream");
  need(isText(value.actor, ID), "no actor id");
  need([...value.log].length >= 1 && [...value.log].length <= 255, "`log` must be the origin of a log");
  need(!("after" in value) || isText(value.after, HEX64), "`after` is not 64 lower-case hex digits");
  need(isText(value.signed_at, SECONDS) && isReal(value.signed_at), "`signed_at` is no instant");
  return { ...value, signedAt: value.signed_at, payload, signatures };
}

/** Tells whether an instant of the right shape is a real date and time. */
function isReal(text) {
  const millis = Date.parse(text);
  // Dates that are none, such as 30 February, roll over or are refused.
  return !text.startsWith("0000") && !Number.isNaN(millis) && new Date(millis).toISOString().slice(0, 19) === text.slice(0, 19);
}

/** Returns DSSE's pre-authentication encoding of a payload, the bytes that are signed. */
function pae(payload) {
  return joinBytes(encodeText(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload);
}

/**
 * Returns the keys that registration entries give: Map(keyid → {actor, index, publicKey}).
 *
 * `found` are `{index, entry}` of `ledger.founded` and `key.registered`, proven to be in the log.
 */
export function readKeys(found) {
  const keys = new Map();
  for (const { index, entry } of found) {
    const { type, body, stream } = entry.statement;
    const listed =
      type === "ledger.founded" ? body.keys : type === "key.registered" ? [{ ...body, actor: stream.slice(6) }] : [];
    for (const each of Array.isArray(listed) ? listed : []) {
      if (each.suite !== "ed25519") continue;
      const publicKey = decodeBase64(each.public_key, 32);
      keys.set(encodeHex(sha256(publicKey)), { actor: each.actor, index, publicKey });
    }
  }
  return keys;
}

/**
 * Checks an entry's signatures with registered keys and returns who signed and which keys are unknown:
 * `{actors, unknown}`. Throws ProofError at a bad signature, or by a key that was registered later.
 */
export async function verifySignatures(entry, index, keys) {
  const [actors, unknown] = [[], []];
  const message = pae(entry.statement.payload);
  // Only these two are signed by keys that they themselves register.
  const registers = ["ledger.founded", "key.registered"].includes(entry.statement.type);
  for (const { keyid, sig } of entry.statement.signatures) {
    const key = keys.get(keyid);
    if (!key) {
      unknown.push(keyid);
      continue;
    }
    if (key.index > index || (key.index === index && !registers)) {
      throw new ProofError(`the key of ${key.actor} was registered only after this entry`);
    }
    if (!(await verifySignature(key.publicKey, message, sig))) {
      throw new ProofError(`the signature of ${key.actor} is bad`);
    }
    if (!actors.includes(key.actor)) actors.push(key.actor);
  }
  return { actors, unknown };
}

/** Throws ProofError unless `entry` follows `before` in one stream, or is its first where that is null. */
export function verifyChain(before, entry) {
  const [seq, prev] = before ? [before.seq + 1, encodeHex(leafHash(before.data))] : [1, NO_HASH];
  if (entry.seq !== seq) throw new ProofError(`number ${entry.seq} of ${entry.stream} stands where ${seq} belongs`);
  if (entry.prev !== prev) throw new ProofError(`number ${seq} of ${entry.stream} does not continue the one before it`);
}
