"""The words of the pages in Chinese and English: short, and without jargon on the first layer."""

from __future__ import annotations

from typing import Literal

Lang = Literal["zh", "en"]

_WORDS: dict[str, tuple[str, str]] = {
    "name": ("明账", "Mingzhang"),
    "tagline": ("打开的账本", "an open account book"),
    "other_language": ("English", "中文"),
    "skip": ("跳到正文", "Skip to the text"),
    "size_normal": ("标准字", "Normal size"),
    "size_larger": ("大字", "Larger"),
    "size_largest": ("特大字", "Largest"),
    "unchecked": (
        "还没有核对：核对要用脚本，这里的脚本没有运行。下面的内容是服务器给的。",
        "Not checked: checking needs scripts, and none ran here. What follows is the server's.",
    ),
    "record_of": ("成员 {} 的积分记录", "Record of member {}"),
    "points_unit": ("分", "points"),
    "record": ("记录", "Entries"),
    "no_entries": ("还没有记录。", "There are no entries yet."),
    "act_date": ("行为日期", "Act"),
    "clause": ("条款", "Clause"),
    "version": ("版本", "Version"),
    "points": ("分值", "Points"),
    "signers": ("签名", "Signed by"),
    "recorded": ("记录于", "Recorded"),
    "checked": ("核对", "Check"),
    "number": ("第 {} 条", "entry {}"),
    "not_yet": ("未核对", "not checked"),
    "why": ("为什么", "Why"),
    "object": ("异议", "Object"),
    "receipt": ("收据", "Receipt"),
    "reverses": ("冲销第 {} 条", "reverses entry {}"),
    "replaces": ("替换第 {} 条", "replaces entry {}"),
    "reversed_by": ("已被第 {} 条冲销", "reversed by entry {}"),
    "worth": ("分值", "Worth"),
    "stood": ("日常分", "Daily figure"),
    "cap": ("封顶", "Cap"),
    "basis": ("依据", "Basis"),
    "whole_rulebook": ("看整份细则", "See the whole rulebook"),
    "object_how": (
        "把下面这段话交给支部的纪检委员，或按单上的联系方式送去：",
        "Hand this text to your branch's discipline member, or send it as the notice says:",
    ),
    "object_until": (
        "公示到 {} 为止，到那天都可以提。",
        "Publicity lasts until {}: object by then.",
    ),
    "object_after": (
        "现在还在审核；公示以后再提异议。",
        "It is under review; object once it is in publicity.",
    ),
    "object_no_deadline": (
        "公示期以外的期限见细则。",
        "Outside publicity, the rulebook says until when.",
    ),
    "object_send": ("写好发出", "Write and send"),
    "objection": (
        (
            "我对日志 {log} 第 {index} 条记录（{statement}）有异议。\n"
            "条款 {clause}，{points} 分。\n理由："
        ),
        (
            "I object to entry {index} of the log {log} ({statement}).\n"
            "Clause {clause}, {points} points.\nReason:"
        ),
    ),
    "objection_subject": ("对第 {} 条记录的异议", "Objection to entry {}"),
    "older": ("更早的记录", "Earlier entries"),
    "do": ("你可以做什么", "What you can do"),
    "do_receipt": (
        "每一条都有收据。存下它，不经过我们也能核对。",
        "Every entry has a receipt. Keep it: it can be checked without us.",
    ),
    "do_object": (
        "觉得哪一条不对，点那一条的“异议”。",
        "If an entry seems wrong, use “Object” beside it.",
    ),
    "verify_page": ("离线核对用的网页", "The page for checking off line"),
    "verify_page_about": (
        "一个文件，存在手机里，断网也能用。",
        "One file; keep it, it works without a network.",
    ),
    "how": ("怎样核对的", "How it was checked"),
    "how_none": ("脚本没有运行，所以什么都没有核对。", "No script ran, so nothing was checked."),
    "meaning": (
        "核对说明的是：自记录后未改。它不说明记下的事是不是发生过。",
        "A check shows: unchanged since recorded. It does not show that what is recorded happened.",
    ),
    "front_title": ("公开的账本", "The public ledger"),
    "entries": ("条记录", "entries"),
    "newest": ("最后一条记录于", "The last one was recorded"),
    "empty_log": ("账本还是空的。", "The ledger is still empty."),
    "rulebooks": ("细则", "Rulebooks"),
    "no_rulebooks": ("还没有公布细则。", "No rulebook is published yet."),
    "title": ("名称", "Title"),
    "in_force": ("施行", "In force from"),
    "items": ("条目", "Items"),
    "rankings": ("排行", "Rankings"),
    "rank": ("名次", "Rank"),
    "member": ("成员", "Member"),
    "unit": ("单位", "Unit"),
    "score": ("积分", "Points"),
    "more": ("前 {} 名以外的名次（数据）", "Places beyond the first {} (data)"),
    "asides": ("另有 {} 人不排名：{}", "{} more are not ranked: {}"),
    "band_name": ("等次", "Band"),
    "provisional": ("暂定，按日常分", "Provisional, by the daily figure"),
    "rankings_busy": (
        "排行正在算，过一会儿再看。",
        "Rankings are being worked out: look again in a moment.",
    ),
    "nobody_ranked": ("没有人排名。", "Nobody is ranked."),
    "given_up": (
        "账本退回过：原有 {} 条记录，退回到 {} 条后接着记（{}）。手里有那以前的回执，请核对。",
        (
            "A history was given up: {} entries had been signed, and the ledger went on from {} "
            "({}). Whoever holds an older receipt should check it."
        ),
    ),
    "backup": ("恢复备份", "a backup was restored"),
    "rollback": ("机器被退回", "the machine was put back"),
    "clone": ("停用副本", "a copy was stopped"),
    "checkpoint": ("账页", "State of the ledger"),
    "root": ("根哈希", "Root"),
    "key": ("账本的钥匙", "The ledger's key"),
    "witnesses": ("见证", "Witnesses"),
    "no_policy": (
        "这份账本还没有配置见证。",
        "No quorum of witnesses is configured for this ledger.",
    ),
    "no_cosignatures": ("这一页还没有见证签名。", "No witness has signed this state yet."),
    "checkpoint_file": ("检查点原文", "The checkpoint itself"),
    "entry_file": ("记录原文（第 {} 条）", "The entry itself (number {})"),
    "code": ("代码", "Code"),
    "version_of": ("{} · 版本 {} · {} 起施行", "{} · version {} · in force from {}"),
    "error_title": ("没有打开", "This did not open"),
    "error_lost": ("你的记录没有因此改变。", "Nothing in your record changed."),
    "back": ("回到账本首页", "Back to the ledger's front page"),
    "not_found": (
        "账本里没有这个名字。请核对地址里的编号。",
        "The ledger has nothing under that name. Check the id in the address.",
    ),
    "busy": ("账本正忙，请过一会儿再试。", "The ledger is busy: try again in a moment."),
    "failed": (
        "服务器没能回答，请过一会儿再试。",
        "The server could not answer: try again in a moment.",
    ),
    "status_active": ("在册", "active"),
    "status_suspended": ("暂停", "suspended"),
    "status_left": ("离开", "left"),
    "per_occurrence": ("次", "occurrence"),
    "per_hour": ("小时", "hour"),
    "per_household": ("户", "household"),
    "per_month": ("月", "month"),
    "per_quarter": ("季度", "quarter"),
    "per_year": ("年", "year"),
    "per_activity": ("活动", "activity"),
    "state": ("状态", "State"),
    "state_claimed": ("已申报，等初审", "Claimed, waits for the group check"),
    "state_checked": ("已初审，等审定", "Checked, waits for review"),
    "state_reviewed": ("已审定，等公示", "Reviewed, waits for publicity"),
    "state_published": ("公示中", "In publicity"),
    "state_objected": ("有异议，等受理", "Objected to"),
    "state_acknowledged": ("异议在复核", "The objection is being looked at"),
    "state_ordered": ("要更正", "To be corrected"),
    "state_final": ("已生效", "Final"),
    "state_filed": ("已生效，已备案", "Final, filed"),
    "state_appealed": ("申诉中，仍计分", "Appealed, counts meanwhile"),
    "state_returned": ("退回，等补正", "Returned, to be put right"),
    "state_rejected": ("没有通过", "Rejected"),
    "state_withdrawn": ("已撤回", "Withdrawn"),
    "state_reversed": ("已冲销", "Reversed"),
    "until": ("到 {} 为止", "until {}"),
    "not_counted_yet": ("还没有算进数字", "not in the figures yet"),
    "would_count": ("待定，生效后记 {}", "pending, would count {}"),
    "counts_nothing": ("不计分", "does not count"),
    "counts": ("记 {}", "counts {}"),
    "capped": ("{}封顶 {}", "cap of a {}: {}"),
    "clipped": ("{}减 {}", "{} takes {}"),
    "list_comma": ("、", ", "),
    "stage_exclusive_group": ("同一件事只取最高，", "only the highest of one deed counts:"),
    "stage_item_cap": ("条目封顶", "the item's cap"),
    "stage_period_cap": ("时段封顶", "the period's cap"),
    "stage_category_cap": ("模块封顶", "the category's cap"),
    "stage_total_cap": ("总分封顶", "the total's cap"),
    "stage_category_floor": ("模块保底，少扣，", "the category's floor"),
    "mark_imported": ("转入的旧账", "taken over from the old book"),
    "mark_unpriced": ("现行细则对不上这一条，没有计分", "the rules in force do not fit it"),
    "mark_adjusts": ("{} 封存以后才生效，另记调整", "final after {} was sealed: an adjustment"),
    "mark_late": ("{} 公布时还没有生效，不在那张表里", "not yet final in the table of {}"),
    "mark_half": ("另一半在成员 {} 那里", "the other half is with member {}"),
    "signed_then": ("签的时候写的是", "As it was signed:"),
    "way": ("经过（{} 步）", "Its way ({} steps)"),
    "step_about": ("关于第 {} 条", "about entry {}"),
    "elsewhere": ("在另一页", "on another page"),
    "figures": ("分数怎么来的", "How the figure comes about"),
    "figures_earlier": ("别的年度和细则", "Other years and rulebooks"),
    "figures_parked": (
        "有记录没能算进来，数字可能不全，请联系管账的人。",
        "Something could not be counted; the figure may lack it. Tell who keeps the ledger.",
    ),
    "figures_by_server": (
        "分数由服务器按细则算出；这一页核对的是记录，不重算分数。",
        "The server works the figure out by the rulebook; this page checks entries, not the sum.",
    ),
    "no_figures": ("还没有分数。", "There is no figure yet."),
    "year_from": ("{} 起的一年", "the year from {}"),
    "figure_daily": ("日常分，到现在", "daily figure, so far"),
    "figure_provisional": (
        "暂定：民主评议还没有结束，先按日常分",
        "provisional: the daily figure, until the review is closed",
    ),
    "figure_annual": ("年度分", "figure of the year"),
    "figure_service": ("服务分", "service points"),
    "figure_none": ("没有计分账户", "no account"),
    "part_base": ("基础分", "Base"),
    "part_credit": ("加分（封顶后）", "Credits, after caps"),
    "part_debit": ("扣分", "Debits"),
    "part_lifted": ("保底补上", "Lifted to the floor"),
    "part_cut": ("超过上限不计", "Cut at the ceiling"),
    "part_daily": ("日常分", "Daily figure"),
    "part_review": ("民主评议", "Democratic review"),
    "part_annual": ("年度分", "Figure of the year"),
    "part_service": ("服务分", "Service points"),
    "with_imports": ("含转入的旧账", "with balances taken over"),
    "band": ("等次 {}", "band {}"),
    "not_ranked": ("不排名：{}", "not ranked: {}"),
    "why_not_reviewed": ("没有评议", "not reviewed"),
    "why_exempt": ("免考", "exempt"),
    "why_suspended": ("暂停", "suspended"),
    "why_short": ("在册不足半期", "here for less than half of it"),
    "why_no_merit": ("不参加评分", "takes no part"),
    "why_untyped": ("细则里没有这个类别", "the rulebook has no such type"),
    "why_elsewhere": ("在别的单位计分", "counted elsewhere"),
    "why_absent": ("这段时间不在册", "not enrolled then"),
    "why_left": ("已离开", "has left"),
    "role_registrar": ("登记员", "registrar"),
    "role_recorder": ("记录员", "recorder"),
    "role_group_leader": ("小组长", "group leader"),
    "role_committee": ("支委", "committee"),
    "role_secretary": ("书记", "secretary"),
    "role_upper": ("上级", "unit above"),
    "role_auditor": ("审计", "auditor"),
    "role_discipline": ("纪检", "discipline"),
    "role_intake": ("受理员", "intake"),
    "role_service": ("系统", "the service"),
    "step_points.claimed": ("申报", "Claim"),
    "step_points.awarded": ("加分", "Award"),
    "step_points.deducted": ("扣分", "Deduction"),
    "step_points.corrected": ("更正", "Correction"),
    "step_points.imported": ("转入", "Taken over"),
    "step_points.checked": ("小组初审", "Group check"),
    "step_points.reviewed": ("审定", "Review"),
    "step_points.published": ("开始公示", "Publicity begins"),
    "step_points.filed": ("备案", "Filed"),
    "step_points.returned": ("退回", "Returned"),
    "step_points.revised": ("补正", "Put right"),
    "step_points.rejected": ("没有通过", "Rejected"),
    "step_points.withdrawn": ("撤回", "Withdrawn"),
    "step_points.withdrawn objection": ("撤回异议", "Objection withdrawn"),
    "step_points.objected": ("提出异议", "Objection"),
    "step_points.acknowledged": ("受理异议", "Objection taken up"),
    "step_points.reconsidered upheld": ("复核：维持", "Reconsidered: upheld"),
    "step_points.reconsidered corrected": ("复核：要更正", "Reconsidered: to be corrected"),
    "step_points.appealed": ("申诉", "Appeal"),
    "step_points.reexamined upheld": ("复查：维持", "Re-examined: upheld"),
    "step_points.reexamined reversed": ("复查：冲销", "Re-examined: reversed"),
    "step_points.reexamined corrected": ("复查：更正", "Re-examined: corrected"),
    "step_points.lapsed publicity": ("公示期满", "Publicity ends"),
    "step_points.lapsed returned": ("逾期没有补正", "Not put right in time"),
    "step_points.lapsed first_review": ("审核逾期，转下一位", "Review late: passes on"),
    "step_points.lapsed objection_ack": ("受理逾期，转下一位", "Objection late: passes on"),
    "step_points.lapsed reconsideration": ("复核逾期，转下一位", "Reconsideration late: passes on"),
    "step_points.lapsed appeal": ("复查逾期，转下一位", "Appeal late: passes on"),
    "step_points.extended": ("延长期限", "Term extended"),
    "step_member.enrolled": ("入册", "Enrolment"),
    "step_member.transferred": ("转入单位", "Transfer"),
    "step_member.typed": ("类别变更", "Type changed"),
    "step_member.exempted": ("免考", "Exempted"),
    "step_member.merged": ("并入另一个编号", "Merged into another id"),
    "step_member.suspended": ("暂停", "Suspension"),
    "step_member.reinstated": ("恢复", "Reinstatement"),
    "step_member.linked": ("登记本人账号", "Own actor linked"),
    "step_member.left": ("离开", "Leaving"),
    "notice_title": ("积分公示", "Notice of points"),
    "notice_period": ("期间", "Period"),
    "notice_states": ("截至", "As of"),
    "notice_size": ("账本第 {} 条，{}", "entry {} of the ledger, {}"),
    "notice_ranking": ("公布的积分表", "The published table"),
    "notice_ranking_sealed": ("封存的积分表", "The sealed table"),
    "notice_ranking_until": (
        "按账本第 {} 条为止的记录。到 {} 为止，谁都可以提异议。",
        "Of the first {} entries. Anybody may object until {}.",
    ),
    "notice_ranking_size": ("按账本第 {} 条为止的记录。", "Of the first {} entries."),
    "notice_entries": ("公示中的记录", "Entries in publicity"),
    "notice_nothing": ("没有公示中的记录。", "Nothing is in publicity."),
    "notice_objections": ("异议到", "Object until"),
    "notice_entry": ("条号", "Entry"),
    "certificate_title": ("积分证明", "Certificate of points"),
    "certificate_figures": ("分数", "Figures"),
    "certificate_none": ("还没有分数。", "There is no figure yet."),
    "certificate_parked": (
        "有记录没能算进来，数字可能不全。",
        "Something could not be counted; the figures may lack it.",
    ),
    "certificate_year": ("年度", "Year"),
    "certificate_kind": ("是什么", "What it is"),
    "certificate_limits": (
        "分数由账本的服务器按细则算出。记录本身在 {} 核对。",
        "The figures are the server's, by the rulebook. The entries are checked at {}.",
    ),
    "paper_check": ("怎样核对这张单", "How to check this paper"),
    "paper_how": (
        "用手机扫这个码，或在浏览器里打开 {} 再输入定位码。打开的页面自己核对。",
        "Scan this code, or open {} and type the locator. The page checks by itself.",
    ),
    "paper_right": (
        "对得上：页面显示“已核对”，根哈希 16 组和纸上印的组组相同。显示“等待见证”的，过几天再看。",
        (
            "Right: the page says “Verified”, and all 16 groups of the root are those printed. "
            "If it says “Waiting for witnesses”, look again in some days."
        ),
    ),
    "paper_offline": (
        "显示“暂时没法核对”：是网络的事，不是账本错了，换个时间再试。",
        "“Cannot check now” is the network's fault, not the ledger's: try again later.",
    ),
    "paper_wrong": (
        "显示“对不上”，或有一组不同：留好这张单，存下页面给的证据，找单上写的人。",
        (
            "If it says “Mismatch”, or a group differs: keep this paper, save the evidence the "
            "page offers, and call those named on it."
        ),
    ),
    "paper_contact": ("找谁", "Whom to call"),
    "paper_root": ("根哈希（第 {} 条为止）", "Root (of the first {} entries)"),
    "paper_locator": ("定位码", "Locator"),
    "paper_finds": ("定位码只用来找，根哈希才是证明。", "A locator finds; the root proves."),
    "paper_scan": (
        "用手机相机扫单上的码，就会打开这一页，这一页自己核对。",
        "Scan the paper's code with a phone's camera: it opens this page, which checks by itself.",
    ),
    "notice_check": ("核对公示单和证明", "Check a notice or certificate"),
    "located": ("定位码 {} 找到的", "Found by the locator {}"),
    "located_compare": (
        "账本第 {} 条为止。下面 16 组和纸上印的逐组比：",
        "The first {} entries. Compare these 16 groups with those printed, one by one:",
    ),
    "locator_title": ("扫不了？输入定位码", "Cannot scan? Type the locator"),
    "locator_label": ("单上的 12 位数字", "The 12 digits on the paper"),
    "locator_go": ("查找", "Find"),
    "locator_wrong": (
        "定位码有一位抄错了：再对一遍单上的 12 位数字。",
        "A digit of the locator is wrong: compare its 12 digits with the paper.",
    ),
    "locator_beyond": (
        "账本还没有这么长。是不是别的账本的单？拿着单去问单上的人。",
        "The ledger is not that long. Is the paper of another ledger? Ask those named on it.",
    ),
    "older_title": ("用旧公示单作起点", "Begin from an older notice"),
    "older_about": (
        "这台设备还没有核对过，或者浏览器清空过：扫一张以前的单，就从那一天的账页接着核对。",
        (
            "If this device has not checked before, or its storage was emptied: scan an older "
            "paper, and the check goes on from the ledger's state of that day."
        ),
    ),
    "older_label": ("旧单上的码的文字（网址）", "The text of its code (an address)"),
    "older_go": ("从它核对", "Check from it"),
    "now": ("刚刚", "just now"),
    "minutes": ("{} 分钟前", "{} min ago"),
    "hours": ("{} 小时前", "{} h ago"),
    "days": ("{} 天前", "{} days ago"),
}


class Words:
    """The words of one language, by name: `words("older")`, `words("number", 3)`."""

    def __init__(self, lang: Lang) -> None:
        self.lang = lang

    def __call__(self, name: str, *given: object, **named: object) -> str:
        """Return a text with its places filled in."""
        return _WORDS[name][self.lang == "en"].format(*given, **named)

    def step(self, name: str) -> str:
        """Return what a statement does, by its type with its outcome or term, else the type."""
        return self.or_else(f"step_{name}", name)

    def or_else(self, name: str, instead: str) -> str:
        """Return a text, or `instead` where the pages have no word for it."""
        return self(name) if name in _WORDS else instead


def language_of(asked: str | None, remembered: str | None, accepted: str) -> Lang:
    """Return the language of an answer: asked for, else remembered, else the browser's.

    `accepted` is the Accept-Language header; the first of Chinese and English in it decides.
    """
    for each in (asked, remembered):
        if each == "zh":
            return "zh"
        if each == "en":
            return "en"
    for part in accepted.lower().split(","):
        tag = part.partition(";")[0].strip()
        if tag.startswith("zh"):
            return "zh"
        if tag.startswith("en"):
            return "en"
    return "zh"
