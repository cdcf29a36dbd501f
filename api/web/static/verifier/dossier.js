// Checks what a bundle is beside its receipts (formats.md section 8), as ledger/verify/bundle.py does:
// manifest, whole streams, signers' keys, disclosed texts, sealed states, joined timestamps.

import { FormatError, ProofError, decodeBase64, decodeHex, decodeText, encodeHex, encodeText, joinBytes, parseDecimal, sameBytes } from "./bytes.js";
import { hasExactly, isObject, parseCanonical } from "./canonical.js";
import { leafHash, sha256, verifyConsistency } from "./merkle.js";
import { openCheckpoint } from "./note.js";
import { parseReceipt, verifyReceipt, verifyStateLeaf } from "./receipt.js";

const MANIFEST = "manifest.json";
const FORMAT = "mingzhang.bundle.v1";
const MEMBERS = ["about", "files", "format", "kind", "log", "root", "size", "streams"];
const HEX64 = /^[0-9a-f]{64}$/;
const NAME = /^[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)*$/;
const STREAM = /^[a-z]{1,16}\/[a-z0-9-]{1,64}$/;
const ALWAYS_WHOLE = ["actor", "rulebook", "dispute"];
const COMMITTED = ["commitment", "documents", "reason", "late_reason", "sheet", "filer", "filled", "goes_on", "leave", "opened", "target"];

/** Tells whether files are those of a bundle. */
export function isBundle(files) {
  return files.has(MANIFEST);
}

/**
 * Checks the files of a bundle, of which `receipts` `{name, index, entry, unknown, error, data}` were
 * checked one by one against `vkey`. Returns `{manifest, faults}`, faults a Map(name → reason).
 */
export async function checkDossier(files, receipts, vkey) {
  const faults = new Map();
  const found = { manifest: null, faults, disclosed: 0, states: [] };
  const attempt = async (name, check) => {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof ProofError)) throw error;
      if (!faults.has(name)) faults.set(name, error.message);
    }
  };
  await attempt(MANIFEST, () => {
    found.manifest = parseManifest(files.get(MANIFEST));
    compare(found.manifest, files, faults);
  });
  const note = files.get("checkpoint") ?? new Uint8Array();
  let signed = null;
  await attempt("checkpoint", async () => {
    signed = await openCheckpoint(note, vkey);
    const said = found.manifest;
    if (said && !(said.log === signed.origin && said.size === signed.size && said.root === encodeHex(signed.root))) {
      throw new ProofError("the manifest names another checkpoint than the bundle has");
    }
  });
  const own = files.get("log.vkey");
  if (own && decodeText(own).trim() !== vkey.text) faults.set("log.vkey", "it is another key than the one you gave");
  const byIndex = new Map();
  for (const item of receipts) {
    if (!item.error) await attempt(item.name, () => placed(item, note));
    if (!item.error && !faults.has(item.name)) byIndex.set(item.index, item);
  }
  const present = [...byIndex.values()].sort((left, right) => left.index - right.index);
  if (signed) chains(present, found.manifest, faults);
  for (const item of present) await attempt(item.name, () => signers(item, present));
  await openTexts(files, present, found, attempt);
  for (const [name, data] of files) {
    if (name.startsWith("states/")) await attempt(name, () => sealedState(data, files, present, vkey, found));
    if (name.startsWith("timestamps/")) await attempt(name, () => joined(name, files, signed, vkey));
  }
  return found;
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

function placed(item, note) {
  if (!sameBytes(parseReceipt(item.data).checkpoint, note)) throw new ProofError("its checkpoint is not the bundle's: all receipts share one");
  const name = `receipts/${String(item.index).padStart(12, "0")}.tlog-proof`;
  if (item.name !== name) throw new FormatError(`it is the receipt of entry ${item.index}, under another's name`);
}

function chains(present, manifest, faults) {
  const streams = new Map();
  for (const item of present) {
    const { stream } = item.entry;
    streams.set(stream, [...(streams.get(stream) ?? []), item]);
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
  for (const stream of whole) if (!streams.has(stream)) fault("receipts/", `no entry of ${stream} is there, all of them must be`);
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

function signers(item, present) {
  const { statement } = item.entry;
  // Keys of another suite are registered here too; this page cannot check them, and says so.
  const others = new Set(present.flatMap(({ entry }) => registered(entry.statement)).filter((each) => each.suite !== "ed25519").map((each) => encodeHex(sha256(decodeBase64(each.public_key)))));
  const missing = item.unknown.find((each) => !others.has(each));
  if (missing) throw new ProofError(`the registration of the key ${missing.slice(0, 16)}…, which signs it, is not in the bundle`);
  const revoked = present.filter(({ index, entry }) => index < item.index && entry.statement.type === "key.revoked").map((each) => each.entry.statement.body.keyid);
  if (statement.signatures.some((each) => revoked.includes(each.keyid))) throw new ProofError("a key that signs it was revoked before this entry");
  if (!item.actors.includes(statement.actor) && !item.unknown.length) throw new ProofError(`${statement.actor}, who makes the statement, has not signed it`);
}

function registered({ type, body }) {
  return type === "ledger.founded" ? body.keys : type === "key.registered" ? [body] : [];
}

async function openTexts(files, present, found, attempt) {
  if (!files.has("disclosed.json")) return;
  await attempt("disclosed.json", async () => {
    const openings = parseCanonical(files.get("disclosed.json"));
    if (!Array.isArray(openings)) throw new FormatError("it is no list of openings");
    const committed = new Set();
    for (const { entry } of present) collect(entry.statement.body, committed);
    for (const each of openings) {
      const name = isObject(each) && typeof each.file === "string" ? each.file : "disclosed.json";
      await attempt(name, () => {
        if (!hasExactly(each, ["commitment", "file", "kind", "salt"]) || !Object.values(each).every((value) => typeof value === "string")) throw new FormatError("an opening has exactly the members commitment, file, kind, salt");
        const data = files.get(each.file);
        if (!data) throw new ProofError("the text or file is missing");
        if (!HEX64.test(each.salt)) throw new FormatError("a salt is 64 hex digits");
        if (encodeHex(sha256(joinBytes(decodeHex(each.salt), data))) !== each.commitment) throw new ProofError(`the commitment ${each.commitment.slice(0, 16)}… is not to these bytes with this salt`);
        if (!committed.has(each.commitment)) throw new ProofError("no entry of the bundle commits to it");
        found.disclosed += 1;
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

async function sealedState(data, files, present, vkey, found) {
  const value = parseCanonical(data);
  if (!hasExactly(value, ["hashes", "index", "leaf", "receipt", "tree", "v"]) || value.v !== 1) throw new FormatError("not the proof of a leaf of a sealed state");
  const texts = (list) => Array.isArray(list) && list.every((each) => typeof each === "string");
  if (!texts(value.hashes) || !texts(value.receipt) || value.hashes.length > 64 || !Number.isSafeInteger(value.index) || value.index < 0) throw new FormatError("hashes and the receipt's lines are lists of text, the index counts from 0");
  const receipt = encodeText(value.receipt.join("\n"));
  const { index, entry } = await verifyReceipt(receipt, vkey);
  const kept = files.get(`receipts/${String(index).padStart(12, "0")}.tlog-proof`);
  if (!kept || !sameBytes(kept, receipt)) throw new ProofError("its receipt is not the bundle's of the entry that seals it");
  const { type, body } = entry.statement;
  if (type !== "state.sealed" || body.tree !== value.tree) throw new ProofError("the entry does not seal this tree");
  const leaf = verifyStateLeaf(body, decodeBase64(value.leaf), value.index, value.hashes.map((each) => decodeBase64(each, 32)));
  if (value.tree === "members") {
    const stream = present.filter((each) => each.entry.stream === `member/${leaf.member}`);
    const head = stream.find((each) => each.entry.seq === leaf.seq);
    if (!head) throw new ProofError(`number ${leaf.seq} of member/${leaf.member} was recorded before the seal: entries are left out`);
    if (encodeHex(leafHash(head.entry.data)) !== leaf.head) throw new ProofError(`number ${leaf.seq} of member/${leaf.member} is not the one sealed`);
  }
  found.states.push({ body, leaf });
}

/** Checks that a stamped checkpoint is a prefix of the bundle's; the tokens themselves are not read here. */
async function joined(name, files, signed, vkey) {
  const place = /^timestamps\/([1-9][0-9]{0,18})\/([a-z0-9.-]+)$/.exec(name);
  if (!place) throw new FormatError("a token lies in timestamps/<size>/");
  if (place[2] !== "consistency") {
    if (place[2] !== "checkpoint" && !place[2].endsWith(".tsr")) throw new FormatError("it is neither checkpoint, consistency nor a token");
    return;
  }
  const noted = files.get(`timestamps/${place[1]}/checkpoint`);
  if (!noted) throw new ProofError("its checkpoint is missing");
  const old = await openCheckpoint(noted, vkey);
  const text = decodeText(files.get(name));
  const blank = text.indexOf("\n\n");
  const lines = text.slice(0, Math.max(blank, 0)).split("\n");
  if (blank < 0 || !lines[0].startsWith("old ") || lines.length > 64) throw new FormatError("it is no consistency proof");
  if (!signed || !sameBytes(encodeText(text.slice(blank + 2)), files.get("checkpoint"))) throw new ProofError("it does not lead to the bundle's checkpoint");
  const size = parseDecimal(lines[0].slice(4), "the older size");
  if (size !== old.size || String(size) !== place[1]) throw new ProofError("its checkpoint is of another size");
  verifyConsistency(size, signed.size, lines.slice(1).map((each) => decodeBase64(each, 32)), old.root, signed.root);
}
