// The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1): hashes and proofs.
//
// The same functions as ledger/log/merkle.py. Sizes and indexes go up to 2^53 - 1, so they are
// halved by division: JavaScript's bit operators end at 32 bits. SHA-256 is the pure one everywhere:
// a proof is many short hashes, for each of which WebCrypto would need a turn of the event loop.

import { ProofError, joinBytes, sameBytes } from "./bytes.js";
import { sha256 } from "../vendor/noble.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

const half = (number) => Math.floor(number / 2);
const isOdd = (number) => number % 2 === 1;

/** Returns SHA-256(00 ‖ data). */
export function leafHash(data) {
  return sha256(joinBytes(LEAF, data));
}

/** Returns SHA-256(01 ‖ left ‖ right). */
export function nodeHash(left, right) {
  return sha256(joinBytes(NODE, left, right));
}

/** Returns the root over leaf hashes. */
export function rootOf(leaves) {
  let level = leaves;
  while (level.length > 1) {
    const above = [];
    for (let at = 0; at < level.length; at += 2) {
      above.push(at + 1 < level.length ? nodeHash(level[at], level[at + 1]) : level[at]);
    }
    level = above;
  }
  return level[0] ?? sha256(new Uint8Array());
}

/** Returns the complete subtrees [level, index] that a tree consists of, largest first. */
export function peakNodes(size) {
  const nodes = [];
  let start = 0;
  for (let level = 52; level >= 0; level -= 1) {
    const width = 2 ** level;
    if (start + width <= size) {
      nodes.push([level, start / width]);
      start += width;
    }
  }
  return nodes;
}

/** Returns the audit path of a leaf, leaf to root; `get(level, index)` gives complete nodes. */
export async function inclusionProof(index, size, get) {
  return path(0, index, size, get);
}

/** Returns the proof that the tree of `older` leaves is a prefix of that of `newer`. */
export async function consistencyProof(older, newer, get) {
  if (older === newer) return [];
  // The largest complete subtree at the old tree's edge is where both trees still agree.
  let level = 0;
  while (older % 2 ** (level + 1) === 0) level += 1;
  const at = older / 2 ** level - 1;
  const proof = await path(level, at, newer, get);
  return at === 0 ? proof : [await get(level, at), ...proof];
}

async function path(level, at, size, get) {
  const hashes = [];
  let last = Math.floor((size - 1) / 2 ** level);
  while (last > 0) {
    const sibling = isOdd(at) ? at - 1 : at + 1;
    if (sibling < last || (sibling === last && size % 2 ** level === 0)) {
      hashes.push(await get(level, sibling));
    } else if (sibling === last) {
      hashes.push(await partial(level, sibling, size, get));
    }
    at = half(at);
    last = half(last);
    level += 1;
  }
  return hashes;
}

/** Returns the hash of the incomplete node that ends at `size`. */
async function partial(level, at, size, get) {
  const start = at * 2 ** level;
  const peaks = [];
  for (const [high, index] of peakNodes(size - start)) {
    peaks.push(await get(high, index + start / 2 ** high));
  }
  return peaks.reduceRight((right, left) => nodeHash(left, right));
}

/** Checks an audit path (RFC 9162 section 2.1.3.2); throws ProofError. */
export function verifyInclusion(leaf, index, size, proof, root) {
  if (!(index >= 0 && index < size)) throw new ProofError(`a tree of size ${size} has no leaf ${index}`);
  if (leaf.length !== 32) throw new ProofError(`a leaf hash has 32 bytes, this one ${leaf.length}`);
  let [at, last, node] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) throw new ProofError("the inclusion proof is longer than the tree is high");
    if (isOdd(at) || at === last) {
      node = nodeHash(sibling, node);
      while (!isOdd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      node = nodeHash(node, sibling);
    }
    at = half(at);
    last = half(last);
  }
  if (last !== 0) throw new ProofError("the inclusion proof is shorter than the tree is high");
  if (!sameBytes(node, root)) {
    throw new ProofError(`the inclusion proof of leaf ${index} does not lead to the root`);
  }
}

/** Checks a consistency proof (RFC 9162 section 2.1.4.2); throws ProofError. One from 0 says nothing. */
export function verifyConsistency(older, newer, proof, olderRoot, newerRoot) {
  const [first, second] = consistencyRoots(older, newer, proof, olderRoot);
  if (older === newer ? !sameBytes(olderRoot, newerRoot) : !sameBytes(first, olderRoot) || !sameBytes(second, newerRoot)) {
    throw new ProofError(`the trees of sizes ${older} and ${newer} have no common history`);
  }
}

/** Returns the roots at both sizes that a consistency proof leads to, compared with nothing. */
function consistencyRoots(older, newer, proof, olderRoot) {
  if (!(older > 0 && older <= newer)) {
    throw new ProofError(`no consistency proof leads from size ${older} to ${newer}`);
  }
  if (older === newer) {
    if (proof.length) throw new ProofError("a consistency proof between equal sizes is empty");
    return [olderRoot, olderRoot];
  }
  let [at, last] = [older - 1, newer - 1];
  while (isOdd(at)) {
    at = half(at);
    last = half(last);
  }
  // An old tree that is one complete subtree is its own first hash.
  const hashes = at === 0 ? [olderRoot, ...proof] : proof;
  if (!hashes.length) throw new ProofError("the consistency proof is empty");
  let [first, second] = [hashes[0], hashes[0]];
  for (const sibling of hashes.slice(1)) {
    if (last === 0) throw new ProofError("the consistency proof is too long");
    if (isOdd(at) || at === last) {
      first = nodeHash(sibling, first);
      second = nodeHash(sibling, second);
      while (!isOdd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      second = nodeHash(second, sibling);
    }
    at = half(at);
    last = half(last);
  }
  if (last !== 0) throw new ProofError("the consistency proof is too short");
  return [first, second];
}
