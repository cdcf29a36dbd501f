// Bytes and their texts, read as strictly as the Python side reads them (ledger/signing.py).

/** Bytes are not exactly the format that they claim to be. */
export class FormatError extends Error {}

/** A signature, hash, proof or chain does not hold. */
export class ProofError extends Error {}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Returns the UTF-8 bytes of a text. */
export function encodeText(text) {
  return new TextEncoder().encode(text);
}

/** Returns the text that UTF-8 bytes are; throws FormatError. */
export function decodeText(bytes) {
  try {
    // A byte order mark is kept, so that no format takes it for nothing.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FormatError("the bytes are not UTF-8");
  }
}

/** Returns standard base64 with padding. */
export function encodeBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (bytes[at] << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const left = bytes.length - at;
    text += DIGITS[group >> 18] + DIGITS[(group >> 12) & 63];
    text += left > 1 ? DIGITS[(group >> 6) & 63] : "=";
    text += left > 2 ? DIGITS[group & 63] : "=";
  }
  return text;
}

/** Decodes standard base64, padded and canonical, of `size` bytes if given; throws FormatError. */
export function decodeBase64(text, size) {
  if (typeof text !== "string") throw new FormatError("base64 is text");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) || text.endsWith("\n")) {
    throw new FormatError("not base64 of the standard alphabet with padding");
  }
  const binary = atob(text);
  const bytes = Uint8Array.from(binary, (each) => each.charCodeAt(0));
  if (encodeBase64(bytes) !== text) {
    throw new FormatError("base64 is not canonical: unused bits are set");
  }
  if (size !== undefined && bytes.length !== size) {
    throw new FormatError(`base64 of ${bytes.length} bytes where ${size} are needed`);
  }
  return bytes;
}

/** Returns lower-case hex. */
export function encodeHex(bytes) {
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
}

/** Returns the bytes of lower-case hex that is known to be well formed. */
export function decodeHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (each) => parseInt(each, 16));
}

/** Tells whether two byte strings are the same. */
export function sameBytes(left, right) {
  return left.length === right.length && left.every((each, at) => each === right[at]);
}

/** Returns byte strings one behind the other. */
export function joinBytes(...parts) {
  const joined = new Uint8Array(parts.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of parts) {
    joined.set(each, at);
    at += each.length;
  }
  return joined;
}

/** Returns a decimal from 0 up to 2^53 - 1 without sign or leading zeros; throws FormatError. */
export function parseDecimal(text, what) {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text) || text.endsWith("\n") || !Number.isSafeInteger(Number(text))) {
    throw new FormatError(`${what} ${JSON.stringify(text.slice(0, 30))} is no decimal without leading zeros`);
  }
  return Number(text);
}
