// ZIP archives of stored files (APPNOTE 6.3), read as strictly as ledger/archive.py reads them.

import { FormatError, decodeText, sameBytes } from "./bytes.js";

const NAMES_MAX = 20000;
const DIRECTORY_BYTES_MAX = 4 * 1024 * 1024;
const COMMENT_MAX = 65535;
const [END_MARK, CENTRAL_MARK, LOCAL_MARK] = [0x06054b50, 0x02014b50, 0x04034b50];
const [END_SIZE, CENTRAL_SIZE, LOCAL_SIZE] = [22, 46, 30];

/** Tells whether bytes begin as an archive does. */
export function isZip(data) {
  return sameBytes(data.subarray(0, 4), new Uint8Array([0x50, 0x4b, 3, 4]));
}

/** Returns the files of an archive, Map(name → bytes); throws FormatError for one that is not safe to open. */
export function readZip(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const end = findEnd(data, view);
  const count = view.getUint16(end + 10, true);
  const [size, start] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
  const bad = (reason) => {
    throw new FormatError(reason);
  };
  if (count === 0xffff || view.getUint16(end + 8, true) === 0xffff || size === 0xffffffff || start === 0xffffffff) {
    bad("the archive is of the Zip64 kind, which nothing of a sane size needs");
  }
  if (count > NAMES_MAX || size > DIRECTORY_BYTES_MAX) bad(`the archive holds ${count} names, at most ${NAMES_MAX} are read`);
  const comment = view.getUint16(end + 20, true);
  if (view.getUint32(end + 4, true) || view.getUint16(end + 8, true) !== count || end + END_SIZE + comment !== data.length) {
    bad("the archive's end is damaged");
  }
  if (start + size !== end) bad("the archive's directory does not end where the archive's end begins");
  const [files, seen, extents] = [new Map(), new Set(), []];
  let at = start;
  for (let n = 0; n < count; n += 1) {
    if (end - at < CENTRAL_SIZE) bad("the archive's directory ends too early");
    const [nameSize, extraSize, noteSize] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const [packed, inflated] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
    const raw = data.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameSize);
    const next = at + CENTRAL_SIZE + nameSize + extraSize + noteSize;
    if (view.getUint32(at, true) !== CENTRAL_MARK || next > end || view.getUint16(at + 34, true)) bad("the archive's directory is damaged");
    const name = readName(raw);
    if (seen.has(name.toLowerCase())) bad(`the archive holds ${JSON.stringify(name.slice(0, 60))} twice`);
    seen.add(name.toLowerCase());
    if (view.getUint16(at + 8, true) & 0x2041) bad("the archive is encrypted: it cannot be looked at");
    if ((view.getUint32(at + 38, true) >>> 16 & 0o170000) === 0o120000) bad(`${JSON.stringify(name.slice(0, 60))} in the archive is a link`);
    if (view.getUint16(at + 10, true) !== 0 || packed !== inflated) {
      bad(`${JSON.stringify(name.slice(0, 60))} is compressed, and a bundle's files are stored as they are`);
    }
    const local = view.getUint32(at + 42, true);
    if (local + LOCAL_SIZE > data.length) bad("an entry of the archive begins beyond its end");
    const first = local + LOCAL_SIZE;
    const [localName, localExtra] = [view.getUint16(local + 26, true), view.getUint16(local + 28, true)];
    const told = view.getUint32(local + 18, true);
    if (
      view.getUint32(local, true) !== LOCAL_MARK ||
      view.getUint16(local + 8, true) !== 0 ||
      !sameBytes(data.subarray(first, first + localName), raw) ||
      (told !== 0 && told !== packed)
    ) {
      bad("an entry of the archive is not the one that its directory names");
    }
    const stop = first + localName + localExtra + packed;
    extents.push([local, stop]);
    files.set(name, data.subarray(stop - inflated, stop));
    at = next;
  }
  if (at !== end) bad("the archive's directory holds more than it counts");
  extents.sort((left, right) => left[0] - right[0]);
  if (extents.length && extents[0][0]) bad("something lies before the archive's first entry");
  if (extents.some(([, stop], n) => stop > (extents[n + 1]?.[0] ?? start))) bad("entries of the archive overlap");
  return files;
}

/** Finds the last mark of an archive's end, as `rfind` does in Python. */
function findEnd(data, view) {
  for (let at = data.length - 4; at >= Math.max(0, data.length - END_SIZE - COMMENT_MAX); at -= 1) {
    if (view.getUint32(at, true) !== END_MARK) continue;
    if (data.length - at >= END_SIZE) return at;
    break;
  }
  throw new FormatError("not a whole ZIP archive: its end is missing");
}

function readName(raw) {
  const name = decodeText(raw);
  const steps = name.replace(/\/$/, "").split("/");
  if (/[\\:]|\p{C}|\p{Z}/u.test(name.replaceAll(" ", "")) || steps.some((each) => ["", ".", ".."].includes(each))) {
    throw new FormatError(`${JSON.stringify(name.slice(0, 60))} is no path inside the archive`);
  }
  return name;
}
