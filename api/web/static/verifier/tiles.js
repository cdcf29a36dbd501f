// Tiles (C2SP tlog-tiles): proofs from a log's hash tiles, of which whole ones only are fetched, so
// that requests say nothing about what is checked.

import { FormatError } from "./bytes.js";
import { consistencyProof, inclusionProof, rootOf } from "./merkle.js";

const WIDTH = 256;
const HASH_SIZE = 32;
const TIMEOUT_MS = 8000;

/** The log could not be read, so nothing is known about it. */
export class NetworkError extends Error {}

/** Returns a tile's path below the log's prefix, such as `tile/0/x001/x234/067.p/5`. */
export function tilePath(level, n, width = WIDTH) {
  const groups = [String(n % 1000).padStart(3, "0")];
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift("x" + String(rest % 1000).padStart(3, "0"));
  }
  return `tile/${level}/${groups.join("/")}${width === WIDTH ? "" : `.p/${width}`}`;
}

/** Returns how wide tile `n` of `level` is in a tree of `size`; 0 if it is not there. */
function tileWidth(level, n, size) {
  return Math.max(0, Math.min(WIDTH, Math.floor(size / WIDTH ** level) - n * WIDTH));
}

/** Reads a log below `prefix`; `cache` is fetch's: `reload` passes every cache by. */
export class Source {
  constructor(prefix, cache = "default") {
    this.prefix = prefix;
    this.cache = cache;
  }

  /** Returns the same log, read past every cache. */
  afresh() {
    return new Source(this.prefix, "reload");
  }

  /** Returns the bytes of the newest checkpoint; throws NetworkError. */
  async checkpoint() {
    return this.read(`${this.prefix}/checkpoint`, "no-store");
  }

  /** Returns the bytes of a tile; throws NetworkError or, where they are not that wide, FormatError. */
  async tile(level, n, width) {
    const path = tilePath(level, n, width);
    const data = await this.read(`${this.prefix}/${path}`, this.cache);
    if (data.length !== width * HASH_SIZE) {
      throw new FormatError(`${path} has ${data.length} bytes, not ${width} hashes`);
    }
    return data;
  }

  /** Returns the bytes at a path; throws NetworkError with `status`, where there was an answer. */
  async read(path, cache = this.cache) {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
    try {
      const answer = await fetch(path, { cache, credentials: "omit", redirect: "error", signal: limit.signal });
      if (!answer.ok) throw Object.assign(new NetworkError(`${path}: ${answer.status}`), { status: answer.status });
      return new Uint8Array(await answer.arrayBuffer());
    } catch (error) {
      if (error instanceof NetworkError) throw error;
      throw new NetworkError(`${path}: ${limit.signal.aborted ? "no answer in time" : "no connection"}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Computes proofs in a tree of `size` from the tiles of a source; each tile is fetched once. */
export class Tree {
  constructor(source, size) {
    this.source = source;
    this.size = size;
    this.tiles = new Map();
  }

  /** Returns the audit path of a leaf. */
  async inclusion(index) {
    return inclusionProof(index, this.size, (level, at) => this.node(level, at));
  }

  /** Returns the proof that the tree of `older` leaves is a prefix of this one. */
  async consistency(older) {
    return consistencyProof(older, this.size, (level, at) => this.node(level, at));
  }

  /** Returns the hash of a complete node. */
  async node(level, at) {
    const row = Math.floor(level / 8);
    const span = 2 ** (level % 8);
    const first = at * span;
    const n = Math.floor(first / WIDTH);
    const hashes = await this.tile(row, n);
    return rootOf(hashes.slice(first - n * WIDTH, first - n * WIDTH + span));
  }

  tile(level, n) {
    const name = `${level}/${n}`;
    if (!this.tiles.has(name)) {
      const width = tileWidth(level, n, this.size);
      this.tiles.set(name, this.source.tile(level, n, width).then(splitHashes));
    }
    return this.tiles.get(name);
  }
}

function splitHashes(data) {
  return Array.from({ length: data.length / HASH_SIZE }, (_, at) => data.subarray(at * HASH_SIZE, (at + 1) * HASH_SIZE));
}
