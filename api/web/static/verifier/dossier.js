// Checks a whole bundle (formats.md section 8) as ledger/verify/bundle.py does: manifest, receipts under
// one checkpoint, whole streams, signers' keys, disclosed texts, sealed states, joined timestamps.

import { FormatError, ProofError, decodeBase64, decodeHex, decodeText, encodeHex, encodeText, joinBytes, parseDecimal, sameBytes } from "./bytes.js";
import { hasExactly, isObject, parseCanonical } from "./canonical.js";
import { parseEntry, readKeys, verifySignatures } from "./entry.js";
import { leafHash, verifyConsistency, verifyInclusion } from "./merkle.js";
import { openCheckpoint, parseVkey } from "./note.js";
import { judgeQuorum, parsePolicy } from "./policy.js";
import { parseReceipt, verifyReceipt, verifyStateLeaf } from "./receipt.js";
import { sha256 } from "../vendor/noble.js";

const [MANIFEST, CHECKPOINT, VKEY, POLICY, OPENINGS] = ["manifest.json", "checkpoint", "log.vkey", "witness.policy", "disclosed.json"];
const [RECEIPTS, STATES, STAMPS] = ["receipts/", "states/", "timestamps/"];
const FORMAT = "mingzhang.bundle.v1";
const MEMBERS = ["about", "files", "format", "kind", "log", "root", "size", "streams"];
const HEX64 = /^[0-9a-f]{64}$/;
const NAME = /^[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)*$/;
const STREAM = /^[a-z]{1,16}\/[a-z0-9-]{1,64}$/;
const ALWAYS_WHOLE = ["actor", "rulebook", "dispute"];
const COMMITTED = ["commitment", "documents", "reason", "late_reason", "sheet", "filer", "filled", "goes_on", "leave", "opened"];

/**
 * Checks the files of a bundle, Map(name → bytes), with the reader's own `given` `{vkey, policy}` (texts),
 * or else with those in it. Throws FormatError where key or `given.policy` are none.
 *
 * Returns what `checkBundle` of bundle.js does: `items` are the receipts and all else that does not hold,
 * each by the name of its file. `dossier` is `{manifest, signed, quorum, disclosed, states, stamps}`,
 * `stamps` the tokens that were not looked at.
 */
export async function checkDossier(files, given = {}, nowMs = Date.now()) {
  const dossier = { manifest: null, signed: null, quorum: null, disclosed: 0, states: [], stamps: 0 };
  const found = { state: "mismatch", vkey: null, keyFrom: "", policy: null, items: [], unread: [], dossier };
  const faults = new Map();
  const attempt = async (name, check) => {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof ProofError)) throw error;
      if (!faults.has(name)) faults.set(name, error.message);
    }
  };
  const typed = given.vkey?.trim() ?? "";
  const own = files.get(VKEY) ?? new Uint8Array();
  found.keyFrom = typed ? "given" : "files";
  if (!typed && !own.length) return { ...found, state: "offline" };
  found.vkey = parseVkey(typed || decodeText(own).trim());
  if (given.policy?.trim()) found.policy = parsePolicy(encodeText(`${given.policy.trim()}\n`));
  await attempt(MANIFEST, () => {
    if (!files.has(MANIFEST)) throw new FormatError("it is missing: this is no whole bundle");
    dossier.manifest = parseManifest(files.get(MANIFEST));
    compare(dossier.manifest, files, faults);
  });
  await attempt(VKEY, () => {
    if (own.length && decodeText(own).trim() !== found.vkey.text) fail("it is another key than the one you gave");
  });
  await attempt(CHECKPOINT, () => openSigned(files, found));
  if (!found.policy && files.has(POLICY)) {
    await attempt(POLICY, () => {
      found.policy = parsePolicy(files.get(POLICY));
    });
  }
  if (dossier.signed) {
    await attempt(CHECKPOINT, async () => {
      dossier.quorum = await judgeQuorum(found.policy, dossier.signed.note, nowMs / 1000);
    });
  }
  await checkEntries(files, found, faults, attempt);
  for (const [name, message] of faults) {
    const item = found.items.find((each) => each.name === name);
    if (item) item.error = message;
    else found.items.push({ name, kind: "file", error: message });
  }
  if (!faults.size) found.state = dossier.quorum?.met ? "verified" : "waiting";
  return found;
}

async function openSigned(files, { dossier, vkey }) {
  dossier.signed = await openCheckpoint(files.get(CHECKPOINT) ?? new Uint8Array(), vkey);
  const { manifest, signed } = dossier;
  if (manifest && !(manifest.log === signed.origin && manifest.size === signed.size && manifest.root === encodeHex(signed.root))) {
    fail("the manifest names another checkpoint than the bundle has");
  }
}

/** Checks all receipts, then what only several of them show, and what stands on them. */
async function checkEntries(files, found, faults, attempt) {
  const { dossier, items, vkey } = found;
  const [present, keys, others, revoked] = [[], new Map(), new Set(), new Map()];
  for (const name of [...files.keys()].filter((each) => each.startsWith(RECEIPTS)).sort()) {
    const item = { name, kind: "receipt", error: "", actors: [], unknown: [] };
    items.push(item);
    await attempt(name, () => {
      Object.assign(item, readOne(name, files.get(name), files.get(CHECKPOINT), dossier.signed));
      for (const [keyid, key] of readKeys([item])) if (!keys.has(keyid)) keys.set(keyid, key);
      // This page cannot check keys of another suite, and says so.
      for (const each of registered(item.entry.statement)) if (each.suite !== "ed25519") others.add(encodeHex(sha256(decodeBase64(each.public_key))));
      const { type, body } = item.entry.statement;
      if (type === "key.revoked" && !revoked.has(body.keyid)) revoked.set(body.keyid, item.index);
      present.push(item);
    });
  }
  if (dossier.signed) chains(present, dossier.manifest, faults);
  for (const item of present) await attempt(item.name, () => signers(item, keys, revoked, others));
  await openTexts(files, present, dossier, attempt);
  for (const [name, data] of files) {
    if (name.startsWith(STAMPS) && name.endsWith(".tsr")) dossier.stamps += 1;
    if (name.startsWith(STATES)) await attempt(name, () => sealedState(data, files, present, vkey, dossier));
    if (name.startsWith(STAMPS)) await attempt(name, () => joined(name, files, dossier.signed, vkey));
  }
}

function fail(reason) {
  throw new ProofError(reason);
}

/** Reads a manifest exactly as ledger/verify/manifest.py does; throws FormatError. */
export function parseManifest(data) {
  const value = parseCanonical(data);
  const need = (holds, what) => {
    if (!holds) throw new FormatError(what);
  };
  need(hasExactly(value, MEMBERS) && value.format === FORMAT, `a manifest has exactly the members ${MEMBERS.join(", ")}, and its format is ${FORMAT}`);
  need([value.about, value.log].every((each) => typeof each === "string") && ["member", "hearing", "paper"].includes(value.kind), "about and log are text, kind is member, hearing or paper");
  need(Number.isSafeInteger(value.size) && value.size >= 1 && isHex(value.root), "size is a log size from 1, and root is 64 hex digits");
  need(Array.isArray(value.streams) && Array.isArray(value.files), "streams and files are lists");
  need(value.streams.every((each) => typeof each === "string" && STREAM.test(each)), "a stream is a kind, / and an id");
  for (const each of value.files) {
    need(hasExactly(each, ["bytes", "name", "sha256"]), "a listed file has exactly the members bytes, name, sha256");
    need(typeof each.name === "string" && NAME.test(each.name), "a file's name is of a-z, 0-9, . _ - and / only");
    need(Number.isSafeInteger(each.bytes) && each.bytes >= 0 && isHex(each.sha256), "bytes count from 0, sha256 is 64 hex digits");
  }
  const names = value.files.map((each) => each.name);
  need(ascends(names) && ascends(value.streams) && !names.includes(MANIFEST), "files and streams are listed once each, in order, the manifest apart");
  return value;
}

function isHex(value) {
  return typeof value === "string" && HEX64.test(value);
}

function ascends(list) {
  return list.every((each, at) => at === 0 || list[at - 1] < each);
}

function compare(manifest, files, faults) {
  for (const { name, bytes, sha256: digest } of manifest.files) {
    const data = files.get(name);
    if (!data) faults.set(name, "the manifest lists it and it is missing");
    else if (data.length !== bytes || encodeHex(sha256(data)) !== digest) faults.set(name, "it was altered: its SHA-256 is not the manifest's");
  }
  const known = new Set([MANIFEST, ...manifest.files.map((each) => each.name)]);
  for (const name of files.keys()) if (!known.has(name)) faults.set(name, "the manifest does not list it: it was added later");
}

/** Reads a receipt under the bundle's one checkpoint, which was checked already: `{index, entry}`. */
function readOne(name, data, note, signed) {
  const receipt = parseReceipt(data);
  if (!note || !sameBytes(receipt.checkpoint, note)) fail("its checkpoint is not the bundle's: all receipts share one");
  if (name !== receiptName(receipt.index)) throw new FormatError(`it is the receipt of entry ${receipt.index}, under another's name`);
  if (!signed) fail("its checkpoint does not hold, so it proves nothing");
  verifyInclusion(leafHash(receipt.entry), receipt.index, signed.size, receipt.proof, signed.root);
  const entry = parseEntry(receipt.entry);
  if (entry.statement.log !== signed.origin) fail(`the statement is meant for the log ${entry.statement.log}, this is ${signed.origin}`);
  return { index: receipt.index, entry };
}

function receiptName(index) {
  return `${RECEIPTS}${String(index).padStart(12, "0")}.tlog-proof`;
}

function chains(present, manifest, faults) {
  const streams = new Map();
  for (const item of present) {
    const { stream } = item.entry;
    if (!streams.has(stream)) streams.set(stream, []);
    streams.get(stream).push(item);
  }
  const whole = new Set([...streams.keys()].filter((each) => ALWAYS_WHOLE.includes(each.split("/")[0])));
  for (const each of manifest?.streams ?? []) whole.add(each);
  if (manifest?.kind === "member") whole.add(`member/${manifest.about}`);
  if (manifest?.kind === "hearing") {
    const about = present.filter(({ entry }) => [entry.statement.id, entry.stream.replace(/^dispute\//, "")].includes(manifest.about));
    for (const each of about) whole.add(each.entry.stream);
    if (!about.length) whole.add(`dispute/${manifest.about}`);
  }
  const fault = (name, reason) => faults.has(name) || faults.set(name, reason);
  for (const stream of whole) if (!streams.has(stream)) fault(RECEIPTS, `no entry of ${stream} is there, all of them must be`);
  for (const [stream, items] of streams) {
    items.sort((left, right) => left.entry.seq - right.entry.seq);
    items.forEach((item, at) => {
      const last = at ? items[at - 1].entry.seq : 0;
      const { seq, prev } = item.entry;
      const wanted = at ? encodeHex(leafHash(items[at - 1].entry.data)) : "0".repeat(64);
      if (seq <= last) fault(item.name, `two entries are number ${seq} of ${stream}`);
      else if (seq === last + 1) prev === wanted || fault(item.name, `number ${seq} of ${stream} does not continue the one before it`);
      else if (whole.has(stream)) fault(item.name, `number ${last + 1} of ${stream} before this one is left out or bad`);
    });
  }
}

async function signers(item, keys, revoked, others) {
  const { statement } = item.entry;
  Object.assign(item, await verifySignatures(item.entry, item.index, keys));
  const missing = item.unknown.find((each) => !others.has(each));
  if (missing) fail(`the registration of the key ${missing.slice(0, 16)}…, which signs it, is not in the bundle`);
  if (statement.signatures.some((each) => (revoked.get(each.keyid) ?? item.index) < item.index)) fail("a key that signs it was revoked before this entry");
  if (!item.actors.includes(statement.actor) && !item.unknown.length) fail(`${statement.actor}, who makes the statement, has not signed it`);
}

function registered({ type, body }) {
  if (type === "key.registered") return [body];
  return type === "ledger.founded" && Array.isArray(body.keys) ? body.keys : [];
}

async function openTexts(files, present, dossier, attempt) {
  if (!files.has(OPENINGS)) return;
  await attempt(OPENINGS, async () => {
    const openings = parseCanonical(files.get(OPENINGS));
    if (!Array.isArray(openings)) throw new FormatError("it is no list of openings");
    const committed = new Set();
    for (const { entry } of present) {
      collect(entry.statement.body, committed);
      committed.add(entry.statement.body.target);
    }
    for (const each of openings) {
      const name = isObject(each) && typeof each.file === "string" ? each.file : OPENINGS;
      await attempt(name, () => {
        if (!hasExactly(each, ["commitment", "file", "kind", "salt"]) || !Object.values(each).every((value) => typeof value === "string")) throw new FormatError("an opening has exactly the members commitment, file, kind, salt");
        const data = files.get(each.file);
        if (!data) fail("the text or file is missing");
        if (!HEX64.test(each.salt)) throw new FormatError("a salt is 64 lower-case hex digits");
        if (encodeHex(sha256(joinBytes(decodeHex(each.salt), data))) !== each.commitment) fail(`the commitment ${each.commitment.slice(0, 16)}… is not to these bytes with this salt`);
        if (!committed.has(each.commitment)) fail("no entry of the bundle commits to it");
        dossier.disclosed += 1;
      });
    }
  });
}

function collect(body, committed) {
  if (typeof body !== "object" || body === null) return;
  for (const [name, value] of Object.entries(body)) {
    if (COMMITTED.includes(name)) [value].flat().forEach((each) => typeof each === "string" && committed.add(each));
    collect(value, committed);
  }
}

async function sealedState(data, files, present, vkey, dossier) {
  const value = parseCanonical(data);
  if (!hasExactly(value, ["hashes", "index", "leaf", "receipt", "tree", "v"]) || value.v !== 1) throw new FormatError("not the proof of a leaf of a sealed state");
  const texts = (list) => Array.isArray(list) && list.every((each) => typeof each === "string");
  if (!texts(value.hashes) || !texts(value.receipt) || value.hashes.length > 64 || !Number.isSafeInteger(value.index) || value.index < 0) throw new FormatError("hashes and the receipt's lines are lists of text, the index counts from 0");
  const receipt = encodeText(value.receipt.join("\n"));
  const { index, entry } = await verifyReceipt(receipt, vkey);
  const kept = files.get(receiptName(index));
  if (!kept || !sameBytes(kept, receipt)) fail("its receipt is not the bundle's of the entry that seals it");
  const { type, body } = entry.statement;
  if (type !== "state.sealed" || body.tree !== value.tree || !isHex(body.root)) fail("the entry does not seal this tree");
  const leaf = verifyStateLeaf(body, decodeBase64(value.leaf), value.index, value.hashes.map((each) => decodeBase64(each, 32)));
  if (value.tree === "members") {
    const stream = present.filter((each) => each.entry.stream === `member/${leaf.member}`);
    const head = stream.find((each) => each.entry.seq === leaf.seq);
    if (!head) fail(`number ${leaf.seq} of member/${leaf.member} was recorded before the seal: entries are left out`);
    if (encodeHex(leafHash(head.entry.data)) !== leaf.head) fail(`number ${leaf.seq} of member/${leaf.member} is not the one sealed`);
  }
  dossier.states.push({ body, leaf });
}

/** Checks that a stamped checkpoint is a prefix of the bundle's; the tokens themselves are not read here. */
async function joined(name, files, signed, vkey) {
  const place = /^timestamps\/([1-9][0-9]{0,18})\/([a-z0-9.-]+)$/.exec(name);
  if (!place) throw new FormatError("a token lies in timestamps/<size>/");
  if (place[2] !== "consistency") {
    if (place[2] !== "checkpoint" && !place[2].endsWith(".tsr")) throw new FormatError("it is neither checkpoint, consistency nor a token");
    return;
  }
  const noted = files.get(`${STAMPS}${place[1]}/checkpoint`);
  if (!noted) fail("its checkpoint is missing");
  const old = await openCheckpoint(noted, vkey);
  const text = decodeText(files.get(name));
  const blank = text.indexOf("\n\n");
  const lines = text.slice(0, Math.max(blank, 0)).split("\n");
  if (blank < 0 || !lines[0].startsWith("old ") || lines.length > 64) throw new FormatError("it is no consistency proof");
  if (!signed || !sameBytes(encodeText(text.slice(blank + 2)), files.get(CHECKPOINT))) fail("it does not lead to the bundle's checkpoint");
  const size = parseDecimal(lines[0].slice(4), "the older size");
  if (size !== old.size || String(size) !== place[1]) fail("its checkpoint is of another size");
  verifyConsistency(size, signed.size, lines.slice(1).map((each) => decodeBase64(each, 32)), old.root, signed.root);
}
