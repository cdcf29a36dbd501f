// Paper: what a notice's QR symbol names, and locators typed by hand. A locator finds, it does not
// prove; the proof is the whole root, which the reader compares with the print.

import { decodeHex, encodeHex } from "./bytes.js";
import { digest, make } from "./words.js";

const DIGITS = 12;
const MODULUS = 97;
const GAPS = /[ \t\r\n\u00a0\u3000-]/g;

/** Reads `size.root.key id[.member]`, as it stands behind a link's `#`; null where it is no paper's. */
export function readPaper(text) {
  const found = /^(?:[^#]*#)?([1-9][0-9]{0,9})\.([0-9a-f]{64})\.([0-9a-f]{8})(?:\.([a-z0-9-]{1,64}))?$/.exec(text.trim());
  if (!found) return null;
  const [, size, root, keyId, member] = found;
  return { size: Number(size), root: decodeHex(root), keyId: decodeHex(keyId), member: member ?? "", reason: "paper", isAnchor: true };
}

/**
 * Reads a locator (ISO/IEC 7064, MOD 97-10): `{size}`, or `{fault}`, which is `length` or `digit`.
 * The same rules as api/paper/locator.py.
 */
export function readLocator(text) {
  const digits = text.replace(GAPS, "");
  if (!/^[0-9]+$/.test(digits) || digits.length !== DIGITS) return { fault: "length" };
  const size = Number(digits.slice(0, -2));
  const check = 98 - ((size * 100) % MODULUS);
  return size > 0 && Number(digits.slice(-2)) === check ? { size } : { fault: "digit" };
}

/** Returns what a notice's page claims: the root that its link names, and the one that it shows. */
export function claimsOf(data, hash) {
  if (!data.isNotice) return [];
  const claims = [];
  const paper = readPaper(hash);
  if (paper) claims.push(paper);
  if (data.located) claims.push({ size: data.located.size, root: decodeHex(data.located.root), reason: "shown", isAnchor: false });
  return claims;
}

/** Makes the inputs of a notice's page work; on other pages there are none. */
export function openNotice(lang) {
  const say = (zh, en) => (lang === "zh" ? zh : en);
  // A symbol scanned while the page is open changes what is behind the # alone.
  if (document.getElementById("paper")) window.addEventListener("hashchange", () => window.location.reload());
  wire("locator", (text) => {
    const { size, fault } = readLocator(text);
    if (fault === "length") return say("定位码是 12 位数字，照单上抄。", "A locator has 12 digits: copy it from the paper.");
    if (!size) return say("有一位抄错了，或者两位颠倒了：再对一遍单上的。", "A digit is wrong, or two are exchanged: compare with the paper.");
    window.location.assign(`/notice?code=${text.replace(GAPS, "")}`);
    return "";
  });
  wire("older", (text) => {
    const paper = readPaper(text);
    if (!paper) return say("这不是公示单上的码：里面应有 # 和根哈希。", "This is no notice's code: it has a # and the root in it.");
    const link = text.trim().split("#").at(-1);
    window.location.assign(`/notice#${link}`);
    return "";
  });
}

function wire(name, take) {
  const input = document.getElementById(name);
  const said = document.getElementById(`${name}-said`);
  if (!input) return;
  const go = () => {
    said.textContent = take(input.value);
  };
  document.getElementById(`${name}-go`).addEventListener("click", go);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      go();
    }
  });
}

/** Shows what was scanned, for the eye to compare with the print. */
export function showNotice(lang, page, state) {
  const place = document.getElementById("paper");
  const paper = page.claims.find((each) => each.isAnchor);
  if (!place || !paper) return;
  const say = (zh, en) => (lang === "zh" ? zh : en);
  const holds = {
    verified: say("这张单的根哈希是账本的，见证也齐了。", "This paper's root is the ledger's, and witnesses have seen it."),
    waiting: say("这张单的根哈希是账本的；见证还没有齐，过几天再看。", "This paper's root is the ledger's; witnesses are still missing, look again in some days."),
    offline: say("现在没法核对这张单，它没有因此变错。", "This paper cannot be checked now; that does not make it wrong."),
    mismatch: say("这张单和账本对不上，见页首。", "This paper does not fit the ledger: see the top of the page."),
  }[state];
  const about = !paper.member ? [] : [make("p", {}, make("a", { class: "act", href: `/record/${paper.member}` }, say(`成员 ${paper.member} 的记录`, `Record of member ${paper.member}`)))];
  place.replaceChildren(
    make("h2", {}, say("扫到的单", "The scanned paper")),
    make("p", { id: "paper-says" }, holds ?? ""),
    make("p", {}, say(`账本第 ${paper.size} 条为止。下面 16 组应和纸上印的组组相同：`, `The first ${paper.size} entries. These 16 groups must be those printed:`)),
    make("p", { class: "hash groups", "data-root": encodeHex(paper.root) }, digest(paper.root)),
    ...about,
  );
}
