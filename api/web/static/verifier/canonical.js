// RFC 8785 canonical JSON within this project's restrictions, as ledger/canonical.py has it.

import { FormatError, decodeText } from "./bytes.js";

const DEPTH_MAX = 16;

/** Returns the value whose canonical bytes are exactly `data`; throws FormatError. */
export function parseCanonical(data) {
  const text = decodeText(data);
  const value = parseJson(text);
  check(value, 0);
  // Duplicate names, spaces, order, escapes, `1.0` and `-0` all show as a difference here.
  if (writeSorted(value) !== text) {
    throw new FormatError("not canonical JSON (RFC 8785): order, spacing, escapes or names repeat");
  }
  return value;
}

/** Returns what JSON text says; throws FormatError. */
export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new FormatError("not JSON");
  }
}

/** Tells whether a value is a JSON object with exactly these member names, in this order. */
export function hasExactly(value, names) {
  return isObject(value) && Object.keys(value).join("\n") === names.join("\n");
}

/** Tells whether a value is a JSON object. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function check(value, depth) {
  if (typeof value === "string") {
    if (/[\x00-\x1f\x7f-\x9f]/.test(value)) throw new FormatError("a string holds a control character");
    if (/\p{Surrogate}/u.test(value)) throw new FormatError("a string is not Unicode text");
    if (value.normalize("NFC") !== value) throw new FormatError("a string is not in Unicode NFC");
  } else if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new FormatError(`${value} is no integer within ±(2^53 - 1)`);
  } else if (typeof value === "object" && value !== null) {
    if (depth >= DEPTH_MAX) throw new FormatError(`nested deeper than ${DEPTH_MAX}`);
    for (const [name, member] of Object.entries(value)) {
      if (!Array.isArray(value) && (!/^[a-z][a-z0-9_]*$/.test(name) || name.endsWith("\n"))) {
        throw new FormatError(`member name ${JSON.stringify(name.slice(0, 40))} does not match [a-z][a-z0-9_]*`);
      }
      check(member, depth + 1);
    }
  } else if (typeof value !== "boolean") {
    throw new FormatError("a null is not allowed here");
  }
}

/** Returns the canonical text of a value that keeps the restrictions; names are ASCII, so their order is RFC 8785's. */
export function writeCanonical(value) {
  check(value, 0);
  return writeSorted(value);
}

function writeSorted(value) {
  if (Array.isArray(value)) return `[${value.map(writeSorted).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${writeSorted(value[name])}`).join(",")}}`;
}
