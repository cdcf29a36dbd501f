// A page that checks itself: reads what the server rendered, checks it, and says so in one line.

import { decodeBase64, encodeBase64 } from "./bytes.js";
import { engine } from "./ed25519.js";
import { writeEvidence } from "./evidence.js";
import { Memory } from "./memory.js";
import { claimsOf, openNotice, showNotice } from "./paper.js";
import { parsePolicy } from "./policy.js";
import { Source } from "./tiles.js";
import { checkRecord } from "./watch.js";
import { ago, digest, exactTime, make, makeMark, pageLanguage, points, reasonWords } from "./words.js";

const ACTS = ["points.awarded", "points.deducted", "points.claimed", "points.imported"];
const DAY_S = 24 * 3600;
const lang = pageLanguage();
const say = (zh, en) => (lang === "zh" ? zh : en);
const memory = new Memory(() => window.localStorage);

/** Returns what the page carries to be checked, null where it did not arrive whole. */
function readPage() {
  try {
    const data = JSON.parse(document.getElementById("record-data").textContent);
    const decode = ([index, text]) => ({ index, data: decodeBase64(text) });
    // Whether the newest entries belong on this page is for its address to say, not for the server.
    const newest = !new URLSearchParams(window.location.search).has("before");
    return { ...data, newest, entries: data.entries.map(decode), keys: data.keys.map(decode), policy: data.policy.map(decode), claims: claimsOf(data, window.location.hash) };
  } catch {
    return null;
  }
}

async function run() {
  const line = document.getElementById("check");
  const kept = memory.read();
  // A mismatch of an earlier visit stands before anything is asked of anyone.
  if (kept.alarms.length) showAlarm(kept, null);
  line.replaceChildren(say("正在核对……", "Checking …"));
  const page = readPage();
  const now = Date.now();
  const verdict = page
    ? await checkRecord(page, kept, new Source("/log"), now)
    : { state: "offline", reason: "garbled", detail: "the page did not arrive whole", rows: new Map(), quorum: null };
  if (page && verdict.state !== "offline") compareShown(page, verdict);
  // Nobody has signed a paper's link: where that alone does not fit, no other page is to alarm for good.
  if (verdict.state === "mismatch" && verdict.reason !== "paper") {
    memory.alarm({
      reason: verdict.reason,
      detail: verdict.detail,
      since: now,
      keptAt: kept.at,
      file: writeEvidence(verdict.evidence, now),
    });
  } else if (verdict.keep) {
    memory.keep(verdict.keep);
    navigator.storage?.persist?.().catch(() => {});
  }
  const known = memory.read();
  if (known.alarms.length) showAlarm(known, verdict);
  else if (verdict.state === "mismatch") showAlarm({ ...known, alarms: [alarmOf(verdict, kept, now)] }, verdict);
  // An alarm of an earlier visit is not taken back by a later answer.
  const state = known.alarms.length ? "mismatch" : verdict.state;
  showLine(line, state, verdict, kept, now);
  if (page) showRows(page, verdict);
  if (page) showNotice(lang, page, state);
  await showHow(page, verdict, kept, known, now);
  document.documentElement.dataset.state = state;
}

function alarmOf(verdict, kept, now) {
  const file = writeEvidence(verdict.evidence, now);
  return { reason: verdict.reason, detail: verdict.detail, since: now, keptAt: kept.at, file };
}

/** Compares what a reader sees with what the verified entries say; a difference is a mismatch. */
function compareShown(page, verdict) {
  if (verdict.state === "mismatch" && verdict.reason !== "entry") return;
  const shown = [...document.querySelectorAll("[data-index]")].map((each) => Number(each.dataset.index));
  shown.sort((left, right) => left - right);
  const wanted = page.entries.map((each) => each.index);
  let fault = shown.join() === wanted.join() ? null : { error: "the table shows other entries than were checked" };
  for (const { index, data } of page.entries) {
    const row = verdict.rows.get(index);
    if (!row?.entry || row.error) continue;
    const error = differs(index, row);
    if (error) {
      row.error = error;
      fault ??= { error: `entry ${index}: ${error}`, entry: data, index, proof: row.proof };
    }
  }
  // What the server says it has not counted yet is missing in its figures, and is said below.
  verdict.uncounted = page.entries.filter(({ index }) => index >= page.folded).length;
  if (!fault || verdict.state === "mismatch") return;
  const { error, ...parts } = fault;
  Object.assign(verdict, { state: "mismatch", reason: "shown", detail: error, keep: undefined });
  verdict.evidence = { reason: "shown", detail: error, vkey: page.vkey, seen: verdict.checkpoint.data, ...parts };
}

/** Says what the page shows of an entry otherwise than the entry has it; empty where nothing is. */
function differs(index, row) {
  const { statement } = row.entry;
  const expected = { recorded_at: row.entry.recordedAt, ...actFields(statement) };
  if (!row.unknown.length) expected.signers = [...row.actors].sort().join(", ");
  for (const [name, value] of Object.entries(expected)) {
    const found = shownField(index, name);
    if (found !== value) return `the page shows ${name} ${String(found).slice(0, 40)}, the entry has ${value}`;
  }
  return "";
}

/** Reads a field of an entry, leaving out those of other entries within its place on the page. */
function shownField(index, name) {
  const place = document.querySelector(`[data-index="${index}"]`);
  const cells = [...(place?.querySelectorAll(`[data-field="${name}"]`) ?? [])];
  const [cell, ...more] = cells.filter((each) => each.closest("[data-index], .elsewhere") === place);
  if (!cell || more.length) return undefined;
  if (name === "recorded_at") return cell.getAttribute("datetime");
  if (name !== "signers") return cell.textContent.trim();
  return [...cell.querySelectorAll("[data-actor]")].map((each) => each.textContent.trim()).join(", ");
}

/** What a statement itself says of an act; what the rules make of it is not for a browser to say. */
function actFields({ type, body }) {
  const act = type === "points.corrected" ? body.replacement ?? {} : ACTS.includes(type) ? body : {};
  const fields = {};
  if ("act_date" in act) fields.act_date = act.act_date;
  if ("item" in act) fields.clause = act.item;
  if ("rulebook" in act) fields.version = [act.rulebook, act.version].filter(Boolean).join(" ");
  if ("points" in act) {
    const isDebit = (act.type ?? type) === "points.deducted" || act.kind === "debit";
    fields.points = points(isDebit ? -act.points : act.points);
  }
  return fields;
}

function showLine(line, state, verdict, kept, now) {
  const parts = [];
  const { quorum } = verdict;
  if (state === "verified") parts.push(ago(lang, quorum.at * 1000, now));
  if (state === "first") {
    parts.push(memory.works ? say("下次打开会接着核对", "the next visit continues from here") : say("这个浏览器不让保存，每次都从头核对", "this browser keeps nothing, so every check begins anew"));
  }
  if (["verified", "waiting", "first"].includes(state)) parts.push(witnessWords(quorum));
  if (state === "offline") {
    parts.push(kept.at ? say(`上次核对 ${ago(lang, kept.at, now)}`, `last checked ${ago(lang, kept.at, now)}`) : say("这台设备还没有核对过", "this device has not checked before"));
  }
  if (state === "mismatch") parts.push(say("见页首", "see the top of the page"));
  const said = parts.map((each) => make("span", {}, make("span", { class: "muted", "aria-hidden": "true" }, "· "), each));
  const notes = [];
  if (verdict.added > 0) notes.push(say(`上次核对后新增 ${verdict.added} 条`, `${verdict.added} new since the last check`));
  else if (verdict.added === 0) notes.push(say("上次核对后没有新增", "Nothing new since the last check"));
  if (verdict.uncounted) {
    notes.push(say(`分数还没有算上最新的 ${verdict.uncounted} 条，过一会儿再打开这一页。`, `The figure lacks the newest ${verdict.uncounted}: open the page again in a moment.`));
  }
  if (verdict.policyChanged) notes.push(policyWords(verdict.adoption));
  if (state === "waiting") notes.push(say("尚未见证，可于 7 日后复核。", "Not yet witnessed: it can be checked again after 7 days."));
  if (state === "offline") notes.push(reasonWords(lang, verdict.reason));
  if (state === "first") {
    notes.push(make("a", { class: "act", href: "/notice" }, say("手边有旧公示单？用它核对以前的历史。", "Is an older paper notice at hand? Check the earlier history with it.")));
  }
  if (quorum?.ahead > DAY_S) {
    const days = Math.round(quorum.ahead / DAY_S);
    notes.push(say(`你的设备时钟慢了大约 ${days} 天，请校准；核对照常进行。`, `Your device's clock is about ${days} days slow: set it right; checking went on.`));
  } else if (quorum?.configured && quorum.met && !quorum.fresh) {
    notes.push(say("最近的见证超过 7 天；如果你的设备时钟不准，请先校准。", "The newest quorum is more than 7 days old; if your device's clock is wrong, set it first."));
  }
  line.replaceChildren(
    make("p", { class: "line" }, makeMark(lang, state), ...said),
    ...(notes.length ? [make("div", { id: "check-notes", class: "muted" }, ...notes.map((each) => make("p", {}, each)))] : []),
  );
}

/** Says that another list of witnesses is served than this device keeps, and what became of that. */
function policyWords(adoption) {
  if (!adoption) {
    return say("服务器现在给的见证名单和这台设备记下的不同，账本里没有换名单的记录；仍按记下的核对。", "The server's list of witnesses differs from the one kept here, and no entry of the ledger says so; the kept one counts.");
  }
  const { index, taken } = adoption;
  const [when, who] = [exactTime(Date.parse(adoption.at)), [...adoption.actors].sort().join(lang === "zh" ? "、" : ", ")];
  const head = say(`见证名单换了：账本第 ${index} 条，${when}，由 ${who} 签名。`, `The list of witnesses was changed: entry ${index}, ${when}, signed by ${who}. `);
  return head + (taken ? say("从下次起按新名单核对。", "From the next visit on the new one counts.") : say("原来的见证还没有见过这一条，仍按原来的名单核对。", "The witnesses kept here have not seen that entry yet; the kept list counts."));
}

function witnessWords(quorum) {
  if (!quorum.configured) return say("没有配置见证", "no quorum of witnesses is configured");
  return say(`${quorum.of} 家见证中 ${quorum.count} 家`, `${quorum.count} of ${quorum.of} witnesses`);
}

function showRows(page, verdict) {
  for (const { index } of page.entries) {
    const row = verdict.rows.get(index);
    const place = document.querySelector(`[data-index="${index}"]`);
    const cell = place?.querySelector("[data-check]");
    if (!row || !cell) continue;
    cell.replaceChildren(rowMark(row, verdict));
    place.classList.toggle("bad", Boolean(row.error));
    if (row.error) {
      const said = make("p", { class: "fault" }, say("这一条和账本里的对不上：", "This entry does not fit the ledger: "), row.error);
      const facts = place.querySelector(".facts");
      if (facts) facts.before(said);
      else place.append(said);
      // A bad step is not left folded away.
      const fold = place.closest("details");
      if (fold) fold.open = true;
    }
  }
}

function rowMark(row, verdict) {
  if (row.error) return makeMark(lang, "mismatch");
  const mark = makeMark(lang, verdict.quorum?.met ? "verified" : "waiting");
  // In the ledger, though the ledger's newest state waits for its witnesses.
  if (!verdict.quorum?.met) mark.lastChild.textContent = say("在账里", "in the ledger");
  return mark;
}

/** Shows every mismatch that is kept; there is nothing to close it with. */
function showAlarm(kept, verdict) {
  const place = document.getElementById("alarm");
  const alarm = kept.alarms[0];
  const held = [];
  if (verdict?.rows.size) {
    const good = [...verdict.rows.values()].filter((row) => row.entry && !row.error).length;
    held.push(say(`这一页 ${verdict.rows.size} 条中有 ${good} 条在账里、没有改动。`, `${good} of the ${verdict.rows.size} entries on this page are in the ledger unchanged.`));
  }
  if (kept.note) held.push(say("这台设备以前核对过的账页还留着，没有被新的替换。", "The state that this device verified before is kept, not replaced by the new one."));
  if (!held.length) held.push(say("没有什么可以确认。", "Nothing can be confirmed."));
  const text = make("textarea", { class: "key", readonly: "", hidden: "", "aria-label": say("证据", "Evidence") });
  text.value = alarm.file;
  const save = make("a", { class: "button full", id: "save-evidence", download: `mingzhang-evidence-${new Date(alarm.since).toISOString().slice(0, 10)}.json`, href: `data:application/json;base64,${encodeBase64(new TextEncoder().encode(alarm.file))}` }, say("保存证据", "Save the evidence"));
  const show = make("button", { class: "button", type: "button" }, say("显示证据文字", "Show it as text"));
  show.addEventListener("click", () => {
    text.hidden = false;
    text.select();
  });
  const since = `${ago(lang, alarm.since, Date.now())} · ${exactTime(alarm.since)}`;
  const before = alarm.keptAt ? say(`；上一次对得上是 ${exactTime(alarm.keptAt)}`, `; it last fitted on ${exactTime(alarm.keptAt)}`) : "";
  const rest = kept.alarms.length > 1 ? make("p", {}, say(`一共 ${kept.alarms.length} 次对不上，这是最早的一次。`, `${kept.alarms.length} mismatches are kept; this is the first.`)) : null;
  place.className = "alarm";
  place.setAttribute("role", "alert");
  place.replaceChildren(
    make(
      "div",
      {},
      make("p", {}, makeMark(lang, "mismatch")),
      make("p", {}, reasonWords(lang, alarm.reason)),
      make(
        "dl",
        { class: "pairs" },
        make("dt", {}, say("从什么时候", "Since")),
        make("dd", {}, since + before),
        make("dt", {}, say("仍然成立的", "What still holds")),
        make("dd", {}, ...held.map((each) => make("p", {}, each))),
        make("dt", {}, say("找谁", "Whom to call")),
        make("dd", {}, contactWords(kept)),
      ),
      rest,
      make("p", { class: "steps" }, save, show),
      text,
      make("details", {}, make("summary", {}, say("确切的说法", "In exact terms")), make("p", { class: "small" }, alarm.detail)),
    ),
  );
}

/** Whom to call comes from the pinned policy or from paper, never from what the server says now. */
function contactWords(kept) {
  let contact = "";
  try {
    contact = kept.policy ? parsePolicy(new TextEncoder().encode(kept.policy)).contact : "";
  } catch {
    contact = "";
  }
  return contact || say("按你手里公示单上印的电话联系，不要用这一页给的联系方式。", "Call the number printed on your paper notice, not one that a page gives.");
}

async function showHow(page, verdict, kept, known, now) {
  const place = document.getElementById("how-text");
  if (!place || !page) return;
  const { checkpoint, quorum, state } = verdict;
  const [yes, no] = [[], []];
  if (checkpoint && verdict.reason !== "signature") {
    yes.push(say(`账页（检查点）第 ${checkpoint.size} 条为止，由账本的钥匙签名`, `The state (checkpoint) of ${checkpoint.size} entries is signed by the ledger's key`));
  }
  for (const claim of state === "offline" || state === "mismatch" ? [] : page.claims) {
    yes.push(say(`到第 ${claim.size} 条为止的根哈希，${claim.isAnchor ? "纸上" : "这一页"}写的就是账本的（一致性证明，从瓦片算出）`, `The root of the first ${claim.size} entries is as ${claim.isAnchor ? "the paper" : "this page"} says (consistency proof, computed from tiles)`));
  }
  if (["verified", "waiting"].includes(state) && verdict.kept) {
    yes.push(say(`从上次核对的第 ${verdict.kept.size} 条起接得上（一致性证明，从瓦片算出）`, `It continues the state of ${verdict.kept.size} entries that this device verified before (consistency proof, computed from tiles)`));
  }
  const rows = [...verdict.rows.values()];
  const good = rows.filter((row) => row.entry && !row.error);
  if (rows.length) {
    yes.push(say(`这一页 ${good.length} 条记录都在账里（包含证明）、前后相连、和显示的一样`, `${good.length} entries on this page are in the ledger (inclusion proofs), follow each other, and are as shown`));
    const signed = good.filter((row) => !row.unknown.length).length;
    if (signed) yes.push(say(`其中 ${signed} 条的签名，用账里登记的钥匙验过`, `The signatures of ${signed} of them, with keys registered in the ledger`));
    if (signed < rows.length) no.push(say(`${rows.length - signed} 条的签名`, `The signatures of ${rows.length - signed} entries`));
  }
  if (quorum?.configured) {
    for (const each of quorum.witnesses) {
      if (each.at === null) no.push(say(`见证 ${each.name}（${each.key}）：还没有签名`, `Witness ${each.name} (${each.key}): not signed yet`));
      else yes.push(say(`见证 ${each.name}（${each.key}）：${exactTime(each.at * 1000)} 签名`, `Witness ${each.name} (${each.key}): signed ${exactTime(each.at * 1000)}`));
    }
  } else {
    no.push(say("别人看到的是不是同一份账：没有配置见证", "Whether others are shown the same ledger: no quorum of witnesses is configured"));
  }
  if (!verdict.kept && !page.claims.some((each) => each.isAnchor)) no.push(say("以前的历史：这台设备还没有可以对照的账页。手边有旧公示单的，可以拿单上的根哈希来对", "Earlier history: this device has nothing to compare with. An older paper notice's root can be compared"));
  if (page.member) {
    no.push(say("分数、记多少、封顶：服务器按细则算的，这里没有重算。要重算，用 mingzhang replay 从账本的瓦片算起", "The figures, what counts and the caps: the server's, by the rulebook, and not recomputed here. To recompute them from the ledger's tiles: mingzhang replay"));
    no.push(say("每一条现在的状态：从它的经过得出，这里只核对经过里的记录", "The state that each entry is in: it follows from its way, of which only the entries are checked"));
    if (!page.complete) no.push(say("更早的记录：在后面的页上", "Earlier entries: they are on other pages"));
    no.push(say("签名的人当时有没有这个职权；钥匙有没有被吊销", "Whether the signers held their roles, and no key was revoked"));
    if (!page.newest) no.push(say("较新的记录：在前面的页上", "Newer entries: they are on the pages before"));
    no.push(say("这一页之后有没有漏掉最新的记录", "Whether the very newest entries are left out"));
  }
  if (verdict.policyChanged) no.push(say("服务器现在给的见证名单和这台设备记下的不同；仍按记下的核对", "The server's list of witnesses now differs from the one kept here; the kept one counts"));
  if (!memory.works) no.push(say("下次接着核对：这个浏览器不让保存", "Continuing next time: this browser refuses to keep anything"));
  const list = (items) => make("ul", { class: "ticks" }, ...items.map((each) => make("li", {}, each)));
  place.replaceChildren(
    make("p", {}, say(`在这台设备上，${exactTime(now)}，用 ${await engine()}。`, `On this device, ${exactTime(now)}, by ${await engine()}.`)),
    make("p", {}, say("核对了：", "Checked:")),
    list(yes.length ? yes : [say("没有", "nothing")]),
    make("p", {}, say("没有核对：", "Not checked:")),
    list(no),
    ...(checkpoint ? [make("p", { class: "hash" }, digest(checkpoint.root))] : []),
  );
}

openNotice(lang);
run().catch((error) => {
  // A fault of this page's own: it says nothing about the ledger, and must not look like an answer.
  const text = `${reasonOf()} (${error.message})`;
  const line = make("p", { class: "line" }, makeMark(lang, "offline"), make("span", {}, text));
  document.getElementById("check").replaceChildren(line);
  document.documentElement.dataset.state = "offline";
});

function reasonOf() {
  return say("核对的程序出了错，什么都没有核对。", "The checking program failed; nothing was checked.");
}
