"""What no rule may be about: petitions, family members, app use and likes (rule A38).

The lists read an item's or a veto's names and act type, in Chinese and English. They are narrow
on purpose: tutoring children is about nobody's family, joining a meeting on line is no app use.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Subject(NamedTuple):
    """A forbidden subject: its code in findings, what it is, and the words that show it."""

    code: str
    says: str
    words: re.Pattern[str]


SUBJECTS = (
    Subject(
        "about-petitions",
        "petitions, reports and appeals are a right; no rule prices them",
        re.compile(
            r"信访|上访|访民|缠访|闹访|越级反映|申诉|控告|检举|举报"
            r"|\bpetition(s|ed|er|ers|ing)?\b|\bwhistle-?blow|\bappeal(s|ed|ing)?\b"
            r"|\bletters? and (calls?|visits?)\b",
            re.IGNORECASE,
        ),
    ),
    Subject(
        "about-family",
        "points are for a member's own acts, never for those of the family",
        re.compile(
            r"家庭成员|家属|家人|亲属|亲戚|配偶|子女|父母|爱人|直系|株连"
            r"|\bfamil(y|ies)\b|\brelatives?\b|\bspouses?\b|\bkin\b|\bwi(fe|ves)\b|\bhusbands?\b"
            r"|(\b(own|their|his|her)|'s) (child(ren)?|parents?|sons?|daughters?|siblings?)\b",
            re.IGNORECASE,
        ),
    ),
    Subject(
        "about-app-use",
        "installing, opening or staying in an app may not be assessed",
        re.compile(
            r"(?<![a-z])apps?(?![a-z])|应用程序|应用软件|手机软件|手机应用|小程序|客户端|公众号"
            r"|登录|登陆|签到|打卡|在线时长|学习强国"
            r"|\bapplication use\b|\blog-?(in|on)s?\b|\blogging (in|on)\b|\bsign-?ins?\b"
            r"|\bcheck-?ins?\b|\bscreen time\b|\btime on-? ?line\b|\bdownload(s|ed|ing)?\b",
            re.IGNORECASE,
        ),
    ),
    Subject(
        "about-likes",
        "likes, shares and reposts may not be assessed",
        re.compile(
            r"点赞|转发|转评赞|转赞评|刷赞|集赞|刷屏|朋友圈"
            r"|(?<!the )\blikes?\b|\bliking\b|\bthumbs[- ]?up\b|\bre-?(post|tweet)(s|ed|ing)?\b",
            re.IGNORECASE,
        ),
    ),
)


def subjects_of(*texts: str) -> list[Subject]:
    """Return the forbidden subjects of some texts; dots and underscores part the words of codes."""
    text = "\n".join(re.sub(r"[._]", " ", each) for each in texts)
    return [subject for subject in SUBJECTS if subject.words.search(text)]
