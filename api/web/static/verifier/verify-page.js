// The off-line page: takes files by drop or choice, checks them, says what was checked and what not.

import { FormatError } from "./bytes.js";
import { checkBundle } from "./bundle.js";
import { checkDossier } from "./dossier.js";
import { engine } from "./ed25519.js";
import { faultInChinese } from "./faults.js";
import { ago, digest, exactTime, make, makeMark, pageLanguage, points } from "./words.js";
import { isZip, readZip } from "./zip.js";

let lang = pageLanguage();
const say = (zh, en) => (lang === "zh" ? zh : en);
const chosen = new Map();
const typed = { vkey: "", policy: "" };

function draw() {
  document.documentElement.lang = say("zh-CN", "en");
  const language = document.getElementById("language");
  language.textContent = say("English", "中文");
  const result = make("section", { id: "result", "aria-live": "polite" });
  document.getElementById("page").replaceChildren(
    make(
      "div",
      { class: "what" },
      make("h1", {}, say("离线核对", "Check off line")),
      make("p", {}, say("核对收据、证据和案卷。这一页不联网，文件不会离开你的设备。", "Checks receipts, evidence and bundles. This page uses no network; files do not leave your device.")),
    ),
    drop(),
    keyInput("vkey", say("账本的钥匙（公示单上印着；不填就用文件里的）", "The ledger's key (printed on the notice; if left empty, the files' own)"), 2),
    keyInput("policy", say("见证名单（不填就用文件里的）", "The witnesses' policy (if left empty, the files' own)"), 2),
    result,
  );
  if (chosen.size) check();
}

function drop() {
  const input = make("input", { type: "file", multiple: "", id: "files" });
  // So that the same file, changed since, can be chosen again.
  input.addEventListener("click", () => {
    input.value = "";
  });
  input.addEventListener("change", () => take(input.files));
  const place = make("div", { class: "drop" }, make("label", {}, say("把文件拖到这里，或点下面选择", "Drop files here, or choose them below"), input));
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    take(event.dataTransfer.files);
  });
  return place;
}

function keyInput(name, text, rows) {
  const input = make("textarea", { class: "key", id: name, rows: String(rows), spellcheck: "false", autocomplete: "off" });
  input.value = typed[name];
  input.addEventListener("input", () => {
    typed[name] = input.value;
  });
  input.addEventListener("change", () => {
    if (chosen.size) check();
  });
  return make("label", {}, text, input);
}

async function take(files) {
  chosen.clear();
  for (const each of files) chosen.set(each.name, new Uint8Array(await each.arrayBuffer()));
  await check();
}

async function check() {
  const place = document.getElementById("result");
  place.replaceChildren(make("p", {}, say("正在核对……", "Checking …")));
  try {
    place.replaceChildren(...(await show(await checkChosen())));
    document.documentElement.dataset.state = place.dataset.state ?? "";
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    document.documentElement.dataset.state = "offline";
    place.replaceChildren(make("p", {}, makeMark(lang, "offline")), make("p", {}, say("核对不了，文件、钥匙或见证名单不对：", "It cannot be checked, for file, key or policy is not right: "), error.message));
  }
}

/** Checks a bundle's archive as a whole, if one was chosen, and then nothing else; else each file by itself. */
async function checkChosen() {
  const [archive, data] = [...chosen].find(([, each]) => isZip(each)) ?? [];
  if (!data) return checkBundle(chosen, typed);
  const found = await checkDossier(readZip(data), typed);
  return { ...found, unread: [...chosen.keys()].filter((each) => each !== archive) };
}

async function show(found) {
  document.getElementById("result").dataset.state = found.state;
  const head = [make("h2", {}, say("结果", "Result")), make("div", { class: "check" }, make("p", { class: "line" }, makeMark(lang, found.state), make("span", {}, summary(found))))];
  const items = found.dossier ? showDossier(found) : found.items.map(showItem);
  return [...head, ...items, ...unread(found), await howChecked(found)];
}

/** Shows what does not hold, then what the bundle is, then every entry, to be opened. */
function showDossier({ dossier, items }) {
  const { manifest, signed, quorum, states, disclosed } = dossier;
  const bad = items.filter((each) => each.error);
  const good = items.filter((each) => !each.error);
  const facts = [];
  const kinds = { member: say("成员档案", "Dossier of"), hearing: say("听证材料", "Hearing of"), paper: say("审计底稿", "Paper") };
  if (manifest) facts.push([kinds[manifest.kind], manifest.about]);
  if (signed) facts.push(...checkpointFacts(signed));
  facts.push(...quorumFacts(quorum));
  facts.push([say("原文和附件", "Texts and files"), say(`${disclosed} 份，和记录里的承诺对得上`, `${disclosed}, as the entries commit to them`)]);
  for (const { body, leaf } of states) facts.push([say("封存的账面", "Sealed state"), stateText(body, leaf)]);
  const all = make("summary", {}, say(`对得上的 ${good.length} 条记录`, `The ${good.length} entries that hold`));
  return [...bad.map(showItem), make("div", { class: "item" }, pairs(facts)), make("details", { class: "how" }, all, ...good.map(showItem))];
}

function stateText({ period, as_of: asOf }, leaf) {
  const figures = [];
  const add = (zh, en, text) => figures.push(`${say(zh, en)} ${text}`);
  if (leaf.merit !== undefined) add("评分", "merit", points(leaf.merit).replace("+", ""));
  if (leaf.service !== undefined) add("志愿服务分", "service", points(leaf.service).replace("+", ""));
  if (leaf.rank !== undefined) add("名次", "rank", String(leaf.rank));
  return say(`${period}，第 ${asOf} 条为止：${figures.join("，")}`, `${period}, as of size ${asOf}: ${figures.join(", ")}`);
}

function summary({ state, items, vkey, dossier }) {
  const bad = items.filter((each) => each.error || each.judgement?.proven).length;
  if (!vkey) return say("没有账本的钥匙，没法核对：请照公示单填上。", "Without the ledger's key nothing can be checked: type it from the notice.");
  if (dossier && state === "mismatch") return say(`案卷里有 ${bad} 处对不上`, `${bad} ${bad === 1 ? "thing" : "things"} of the bundle ${bad === 1 ? "does" : "do"} not hold`);
  if (dossier && state === "verified") return say("整个案卷都对得上，见证齐了", "the whole bundle holds, with a quorum of witnesses");
  if (dossier) return say("整个案卷都对得上，还缺见证", "the whole bundle holds; a quorum of witnesses is missing");
  if (state === "mismatch") return say(`${items.length} 份里有 ${bad} 份对不上`, `${bad} of ${items.length} do not hold`);
  if (state === "verified") return say(`${items.length} 份都对得上，见证齐了`, `all ${items.length} hold, with a quorum of witnesses`);
  if (state === "waiting") return say(`${items.length} 份都对得上，还缺见证，可于 7 日后复核`, `all ${items.length} hold; a quorum of witnesses is missing: check again after 7 days`);
  if (items.length) return say("证据里没有证明账本改写过", "the evidence proves no rewriting by itself");
  return say("没有可以核对的文件", "there is nothing to check in these files");
}

function showItem(item) {
  const state = item.error || item.judgement?.proven ? "mismatch" : item.kind === "receipt" && !item.checkpoint ? null : item.quorum?.met ? "verified" : item.quorum ? "waiting" : "offline";
  const lines = [make("p", {}, state && makeMark(lang, state), " ", make("span", { class: "muted" }, item.name))];
  if (item.error) lines.push(make("p", { class: "fault" }, say(faultInChinese(item.error), item.error)));
  if (item.judgement?.proven) {
    const [older, newer] = item.judgement.sizes;
    lines.push(make("p", { class: "fault" }, say(`证实：账本的钥匙签过两份接不上的历史（第 ${older} 条和第 ${newer} 条为止）。`, `Proven: the ledger's key signed two histories that do not continue each other (sizes ${older} and ${newer}).`)));
  } else if (item.judgement) {
    lines.push(make("p", {}, say("单凭这份文件，证明不了账本改写过。留好它，去问公示单上的人。", "By itself this file does not prove that the ledger was rewritten. Keep it, and ask those named on the notice.")));
  }
  const facts = item.entry ? entryFacts(item) : item.evidence ? evidenceFacts(item.evidence) : [];
  if (item.checkpoint) facts.push(...checkpointFacts(item.checkpoint));
  facts.push(...quorumFacts(item.quorum));
  return make("div", { class: "item" }, ...lines, pairs(facts));
}

function checkpointFacts({ origin, size, root }) {
  return [
    [say("账页", "State"), say(`${origin}，第 ${size} 条为止`, `${origin}, ${size} entries`)],
    [say("根哈希", "Root"), make("span", { class: "hash" }, digest(root))],
  ];
}

function quorumFacts(quorum) {
  if (!quorum?.configured) return [];
  const { count, of, at } = quorum;
  const when = at === null ? "" : ` · ${exactTime(at * 1000)} (${ago(lang, at * 1000, Date.now())})`;
  return [[say("见证", "Witnesses"), say(`${of} 家中 ${count} 家`, `${count} of ${of}`) + when]];
}

function pairs(facts) {
  return make("dl", { class: "pairs" }, ...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

function entryFacts(item) {
  const { statement, seq, stream, recordedAt } = item.entry;
  const act = statement.type === "points.corrected" ? statement.body.replacement : statement.body;
  const facts = [[say("记录", "Entry"), say(`第 ${item.index} 条，${stream} 的第 ${seq} 条`, `number ${item.index}, ${seq} of ${stream}`)]];
  facts.push([say("类型", "Type"), statement.type]);
  if (Number.isSafeInteger(act?.points)) {
    const sign = (act.type ?? statement.type) === "points.deducted" ? -1 : 1;
    facts.push([say("分值", "Points"), points(sign * act.points)]);
    facts.push([say("条款", "Clause"), `${act.item} · ${act.rulebook} ${act.version} · ${act.act_date}`]);
  }
  facts.push([say("记录于", "Recorded"), recordedAt]);
  const signers = [...item.actors].sort().concat(item.unknown.map((each) => `${each.slice(0, 16)}…`));
  facts.push([say("签名", "Signed by"), signers.join(", ") + (item.unknown.length ? say("（钥匙不在文件里，没验）", " (keys not in these files: not checked)") : "")]);
  facts.push([say("编号", "Statement"), statement.id]);
  return facts;
}

function evidenceFacts(evidence) {
  return [
    [say("当时的设备时间", "Device's time then"), evidence.at],
    [say("说法", "In exact terms"), evidence.detail],
  ];
}

function unread({ unread: names }) {
  if (!names.length) return [];
  return [make("p", { class: "muted" }, say("没有读的文件：", "Files not read: "), names.join(", "))];
}

async function howChecked(found) {
  const [yes, no] = [[], []];
  const receipts = found.items.filter((each) => each.kind === "receipt" && !each.error);
  if (receipts.length) {
    yes.push(say("记录在签过名的账页里（包含证明），一个字节都没改", "The entries are in the signed state (inclusion proofs), byte for byte"));
    const signed = receipts.filter((each) => !each.unknown.length).length;
    if (signed) yes.push(say(`${signed} 条的签名，用文件里登记的钥匙验过`, `The signatures of ${signed}, with keys registered in these files`));
    const other = found.dossier
      ? say("用了别的签名算法，请用命令 mingzhang verify bundle", "made by another algorithm: use the command mingzhang verify bundle")
      : say("登记钥匙的收据不在文件里", "the receipts of their keys are not here");
    if (signed < receipts.length) no.push(say(`${receipts.length - signed} 条的签名：${other}`, `The signatures of ${receipts.length - signed}: ${other}`));
    no.push(say("之后有没有更正；签名的人当时有没有职权", "Whether a later entry corrects one; whether the signers held their roles"));
  }
  if (found.dossier) {
    if (found.state !== "mismatch") {
      yes.push(say("清单上的每个文件都在，没有改过，也没有多出来的", "Every file of the manifest is there, unaltered, and no other"));
      yes.push(say("该齐的记录从第一条起都在，中间没有抽掉的", "The records that must be whole are, from their first entry on"));
      yes.push(say("公开的原文和附件是记录里承诺的那些；封存的账面和记录对得上", "Texts and files are those that the entries commit to; sealed states fit the entries"));
    }
    if (found.dossier.stamps) no.push(say("时间戳：请用命令 mingzhang verify bundle", "The timestamps: use the command mingzhang verify bundle"));
    no.push(say("每条记录的内容合不合规定的格式：请用命令 mingzhang verify bundle", "Whether what each entry says has the prescribed form: use the command mingzhang verify bundle"));
    no.push(say("报告里写的是不是和记录一样：能证明的是收据，不是报告", "Whether the report says what the entries say: the receipts prove, not the report"));
  }
  if (found.keyFrom === "files") no.push(say("钥匙取自文件本身：请和公示单上的对一对", "The key comes from the files themselves: compare it with the notice"));
  if (found.keyFrom === "files" && found.dossier && !typed.policy.trim() && found.policy) no.push(say("见证名单取自案卷本身", "The witnesses' policy comes from the bundle itself"));
  if (!found.policy || found.policy.quorum === "none") no.push(say("见证：没有见证名单", "Witnesses: there is no policy"));
  const list = (items) => make("ul", { class: "ticks" }, ...items.map((each) => make("li", {}, each)));
  return make(
    "details",
    { class: "how", open: "" },
    make("summary", {}, say("怎样核对的", "How it was checked")),
    make("p", {}, say(`${exactTime(Date.now())}，用 ${await engine()}。`, `${exactTime(Date.now())}, by ${await engine()}.`)),
    ...(found.vkey ? [make("p", { class: "hash" }, found.vkey.text)] : []),
    make("p", {}, say("核对了：", "Checked:")),
    list(yes.length ? yes : [say("没有", "nothing")]),
    make("p", {}, say("没有核对：", "Not checked:")),
    list(no),
    make("p", {}, say("核对说明的是：自记录后未改。它不说明记下的事是不是发生过。", "A check shows: unchanged since recorded. It does not show that what is recorded happened.")),
  );
}

document.getElementById("language").addEventListener("click", () => {
  lang = lang === "zh" ? "en" : "zh";
  draw();
});
lang = navigator.language?.startsWith("zh") || !navigator.language ? "zh" : "en";
draw();
