// Ed25519 (RFC 8032), as strict as libsodium: S < L, canonical encodings, no small-order A or R, no
// cofactor (formats.md section 1). By WebCrypto where it has Ed25519, by @noble/ed25519 where not.

import { decodeHex, encodeHex, joinBytes, sameBytes } from "./bytes.js";
import { Point, sha512 } from "../vendor/noble.js";

// Encodings of y, without the sign bit, of the eight points of small order.
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

let native;

/** Tells whether a 64-byte signature is `publicKey`'s over `message`. */
export async function verifySignature(publicKey, message, signature) {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const r = signature.subarray(0, 32);
  // Engines differ in these, so they are looked at before any of them is asked.
  if (!isStrictPoint(publicKey) || !isStrictPoint(r)) return false;
  if (toInteger(signature.subarray(32)) >= L) return false;
  native ??= nativeWorks();
  return (await native) ? byWebCrypto(publicKey, message, signature) : byLibrary(publicKey, message, signature);
}

/** Says which code verifies here: `WebCrypto` or `@noble/ed25519`. */
export async function engine() {
  native ??= nativeWorks();
  return (await native) ? "WebCrypto" : "@noble/ed25519";
}

function isStrictPoint(encoded) {
  const unsigned = Uint8Array.from(encoded);
  unsigned[31] &= 0x7f;
  return toInteger(unsigned) < P && !SMALL_ORDER.has(encodeHex(unsigned));
}

function toInteger(bytes) {
  return BigInt("0x" + encodeHex(Uint8Array.from(bytes).reverse()));
}

/** WebCrypto counts only if it knows a good signature from a bad one (RFC 8032, section 7.1, test 1). */
async function nativeWorks() {
  const key = decodeHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const good = decodeHex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  );
  try {
    const nothing = new Uint8Array();
    return (await byWebCrypto(key, nothing, good)) && !(await byWebCrypto(key, Uint8Array.of(1), good));
  } catch {
    return false;
  }
}

async function byWebCrypto(publicKey, message, signature) {
  const { subtle } = globalThis.crypto;
  try {
    const key = await subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return await subtle.verify("Ed25519", key, signature, message);
  } catch (error) {
    // Bytes that are no point of the curve; anything else means that there is no Ed25519 here.
    if (error?.name === "DataError") return false;
    throw error;
  }
}

function byLibrary(publicKey, message, signature) {
  const r = signature.subarray(0, 32);
  try {
    const a = Point.fromBytes(publicKey);
    const s = toInteger(signature.subarray(32));
    const k = toInteger(sha512(joinBytes(r, publicKey, message))) % L;
    // R must be the encoding of S·B − k·A to the byte; the library's own verify allows a cofactor.
    const expected = Point.BASE.multiply(s, false).add(a.negate().multiply(k, false));
    return sameBytes(expected.toBytes(), r);
  } catch {
    return false;
  }
}
