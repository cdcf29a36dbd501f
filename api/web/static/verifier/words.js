// What the pages say, in Chinese and English. A log proves what was recorded, not that it happened:
// so 自记录后未改, never 真实.

import { encodeHex } from "./bytes.js";

const STATES = {
  zh: { verified: "已核对", waiting: "等待见证", offline: "暂时没法核对", first: "本机首次核对", mismatch: "对不上" },
  en: {
    verified: "Verified",
    waiting: "Waiting for witnesses",
    offline: "Cannot check now",
    first: "First check on this device",
    mismatch: "Mismatch",
  },
};

const GLYPHS = { verified: "✓", mismatch: "✕" };

/** The language of the page: `zh` or `en`. */
export function pageLanguage() {
  return document.documentElement.lang.startsWith("en") ? "en" : "zh";
}

/** Returns a state's word. */
function stateWord(lang, state) {
  return STATES[lang][state];
}

/** Makes an element with attributes and children; text goes in as text only. */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((each) => each !== null && each !== undefined));
  return made;
}

/** Makes a state's mark: word, shape and colour together. */
export function makeMark(lang, state) {
  const shape = make("span", { class: "shape", "aria-hidden": "true" }, GLYPHS[state] ?? "");
  return make("strong", { class: `mark ${state}` }, shape, stateWord(lang, state));
}

/** Writes how long ago an instant was, by the device's clock. */
export function ago(lang, thenMs, nowMs) {
  const seconds = Math.max(0, Math.round((nowMs - thenMs) / 1000));
  const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, each]) => seconds >= each) ?? ["now", 1];
  const count = Math.floor(seconds / size);
  if (lang === "zh") return { day: `${count} 天前`, hour: `${count} 小时前`, minute: `${count} 分钟前`, now: "刚刚" }[unit];
  return unit === "now" ? "just now" : `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

/** Writes an instant in the device's time zone, to the minute. */
export function exactTime(millis) {
  const date = new Date(millis);
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Writes a digest in groups of four. */
export function digest(hash) {
  return encodeHex(hash).match(/.{4}/g).join(" ");
}

/** Writes signed hundredths as points: `+2`, `−0.5`, `0`. */
export function points(hundredths) {
  const [whole, part] = [Math.floor(Math.abs(hundredths) / 100), Math.abs(hundredths) % 100];
  const text = part ? `${whole}.${String(part).padStart(2, "0").replace(/0$/, "")}` : String(whole);
  return hundredths < 0 ? `−${text}` : hundredths > 0 ? `+${text}` : text;
}

/** Says in people's words why a check ended as it did. */
export function reasonWords(lang, reason) {
  const zh = {
    network: "连不上账本的服务器。你的记录没有因此改变，稍后再打开这一页就会重新核对。",
    garbled: "收到的内容不完整，或者不是账本给的（网络登录页也会这样）。换个网络再打开这一页。",
    stale: "服务器给出的账页比这台设备上次见到的旧，或比这一页旧。多半是中途的缓存；几天后仍然这样，请带着公示单去问。",
    origin: "这不是这台设备一直核对的那份账本：名字或钥匙换了。",
    signature: "账页上的签名对不上。",
    history: "账本改写过：这台设备以前见到的账，和现在这份接不上。",
    tiles: "账本给出的内容和它签过名的账页对不上。",
    entry: "有记录和账本里的对不上，见下面标出的条目。",
    omitted: "以前在账里的记录，现在不见了或换了。",
    paper: "纸上（或链接里）的根哈希或钥匙，和账本的对不上。先把下面的 16 组和纸上印的逐组比：和纸上一样，就拿着纸去问；和纸上不一样，是链接错了。",
    shown: "页面上显示的，和账本里记的不一样，见下面标出的条目。",
  };
  const en = {
    network: "The ledger's server cannot be reached. Your record is not changed by this; open the page again later and it is checked again.",
    garbled: "What arrived is incomplete, or not from the ledger (a network's login page looks like this). Open the page over another network.",
    stale: "The server shows an older state of the ledger than this device has seen, or than this page. Mostly a cache on the way; if it stays so for days, ask, with a paper notice in hand.",
    origin: "This is not the ledger that this device has checked so far: its name or key is another one.",
    signature: "The signature on the ledger's state does not hold.",
    history: "The ledger was rewritten: what this device saw earlier does not continue to what is shown now.",
    tiles: "What the ledger hands out does not fit what it signed.",
    entry: "An entry does not fit the ledger; it is marked below.",
    omitted: "An entry that was in the ledger is gone or another one now.",
    paper: "The root or key on the paper (or in the link) is not the ledger's. First compare the 16 groups below with those printed: if they are the same, take the paper and ask; if not, the link is wrong.",
    shown: "What the page shows is not what the ledger holds; it is marked below.",
  };
  return (lang === "zh" ? zh : en)[reason] ?? reason;
}
