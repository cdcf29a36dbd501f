// Trust policies (C2SP tlog-policy): which witnesses count, and when they are enough.

import { FormatError, decodeText, encodeHex } from "./bytes.js";
import { TYPE_WITNESS, cosignedAt, parseVkey } from "./note.js";

const POLICY_SIZE_MAX = 65536;
const FRESH_S = 7 * 24 * 3600;

/**
 * Reads a policy: `{logs, witnesses: Map(name → vkey), groups, quorum, contact, text}`; throws FormatError.
 *
 * `contact` is what a comment line `# contact: …` says, so that whom to call is pinned with the rest.
 */
export function parsePolicy(data) {
  if (data.length > POLICY_SIZE_MAX) throw new FormatError("the policy is larger than 64 KiB");
  const text = decodeText(data);
  if (/[\x00-\x08\x0b-\x1f\x7f]/.test(text)) throw new FormatError("the policy holds a control character");
  if (text && !text.endsWith("\n")) throw new FormatError("the policy does not end in a newline");
  const policy = { logs: [], witnesses: new Map(), groups: new Map(), quorum: null, contact: "", text };
  const keys = new Set();
  text.split("\n").forEach((line, at) => {
    const words = line.split(/[ \t]+/).filter(Boolean);
    try {
      if (!words.length) return;
      if (words[0].startsWith("#")) {
        policy.contact ||= /^[ \t]*#[ \t]*contact:[ \t]*(.+?)[ \t]*$/.exec(line)?.[1] ?? "";
        return;
      }
      readLine(policy, keys, words);
    } catch (error) {
      throw new FormatError(`line ${at + 1} of the policy: ${error.message}`);
    }
  });
  if (policy.quorum === null) throw new FormatError("the policy has no quorum line");
  return policy;
}

function readLine(policy, keys, [kind, ...words]) {
  const isDefined = (name) => policy.witnesses.has(name) || policy.groups.has(name);
  const needNew = (name) => {
    if (name === "none" || isDefined(name)) throw new FormatError(`the name ${name} is taken`);
  };
  const needKey = (vkey) => {
    const key = `${kind} ${encodeHex(vkey.publicKey)}`;
    if (keys.has(key)) throw new FormatError("the same public key is listed twice");
    keys.add(key);
    return vkey;
  };
  if (kind === "log" && (words.length === 1 || words.length === 2)) {
    policy.logs.push(needKey(parseVkey(words[0])));
  } else if (kind === "witness" && (words.length === 2 || words.length === 3)) {
    needNew(words[0]);
    policy.witnesses.set(words[0], needKey(parseVkey(words[1], TYPE_WITNESS)));
  } else if (kind === "group" && words.length >= 3) {
    const [name, rule, ...members] = words;
    needNew(name);
    for (const each of members) {
      if (!isDefined(each)) throw new FormatError(`${each} is not defined above`);
      for (const group of policy.groups.values()) {
        if (group.members.includes(each)) throw new FormatError(`${each} is in two groups`);
      }
    }
    if (new Set(members).size !== members.length) throw new FormatError("a member is listed twice");
    const known = { all: members.length, any: 1 }[rule];
    const least = known ?? (/^[1-9][0-9]{0,3}$/.test(rule) ? Number(rule) : 0);
    if (least < 1 || least > members.length) throw new FormatError(`no group of ${members.length} needs ${rule}`);
    policy.groups.set(name, { least, members });
  } else if (kind === "quorum" && words.length === 1) {
    if (policy.quorum !== null) throw new FormatError("a second quorum line");
    if (words[0] !== "none" && !isDefined(words[0])) throw new FormatError(`${words[0]} is not defined above`);
    policy.quorum = words[0];
  } else {
    throw new FormatError(`not a line of a policy: ${kind.slice(0, 40)}`);
  }
}

/**
 * Returns what the policy says of a note at the device's time `nowS` (seconds since 1970):
 * `{configured, met, fresh, at, count, of, ahead, witnesses: [{name, at}]}`.
 *
 * `at` is the newest time since when enough witnesses stood by it, null where they never did; `fresh`
 * whether that is less than 7 days ago; `ahead` by how many seconds cosignatures are in the future.
 * Throws ProofError at a bad cosignature by a listed witness.
 */
export async function judgeQuorum(policy, note, nowS) {
  const witnesses = [];
  for (const [name, vkey] of policy?.witnesses ?? []) {
    witnesses.push({ name, key: vkey.name, at: await cosignedAt(note, vkey) });
  }
  const times = new Map(witnesses.map((each) => [each.name, each.at]));
  const configured = Boolean(policy) && policy.quorum !== "none";
  const at = configured ? metSince(policy, policy.quorum, times) : null;
  const given = witnesses.filter((each) => each.at !== null);
  return {
    configured,
    met: at !== null,
    fresh: at !== null && nowS - at < FRESH_S,
    at,
    count: given.length,
    of: witnesses.length,
    ahead: Math.max(0, ...given.map((each) => each.at - nowS)),
    witnesses,
  };
}

/** Returns the newest time t such that the members who cosigned at t or later are enough, or null. */
function metSince(policy, name, times) {
  const group = policy.groups.get(name);
  if (!group) return times.get(name) ?? null;
  const found = group.members.map((each) => metSince(policy, each, times)).filter((each) => each !== null);
  return found.sort((left, right) => right - left)[group.least - 1] ?? null;
}
