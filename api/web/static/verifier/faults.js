// What is wrong with a file, in Chinese. Checks say it in English, in the exact terms of the command
// line; what a changed file comes to is said here in people's words, and the rest keeps its terms.

const FAULTS = [
  [/^it was altered: its SHA-256/, () => "这个文件改过了：和清单上的指纹不一样。"],
  [/^the manifest lists it and it is missing$/, () => "清单上有这个文件，案卷里没有：被拿掉了。"],
  [/^the manifest does not list it/, () => "清单上没有这个文件：是后来放进去的。"],
  [/^it is missing: this is no whole bundle$/, () => "没有清单：这不是一份完整的案卷。"],
  [/^the manifest names another checkpoint/, () => "清单写的账页和案卷里的不是同一页。"],
  [/^it is another key than the one you gave$/, () => "案卷里的钥匙不是你填的那一把。"],
  [/^no known key signed this note/, () => "账页不是用这把钥匙签的。"],
  [/^a (?:co)?signature in the name of (.+) is bad$/, (name) => `账页上以 ${name} 名义的签名是坏的。`],
  [/^the inclusion proof /, () => "这条记录不在签过名的账页里：记录或者证明改过了。"],
  [/^the signature of (.+) is bad$/, (actor) => `${actor} 的签名对不上：签过之后改了，或者不是本人的钥匙。`],
  [/^the key of (.+) was registered only after this entry$/, (actor) => `${actor} 的钥匙在这条记录之后才登记。`],
  [/^a key that signs it was revoked/, () => "签名用的钥匙在这条记录之前就吊销了。"],
  [/^the registration of the key (.+), which signs it/, (key) => `签名用的钥匙 ${key} 的登记不在案卷里。`],
  [/^(.+), who makes the statement, has not signed it$/, (actor) => `说这句话的是 ${actor}，签名的却没有本人。`],
  [/^number (\d+) of (.+) before this one is left out or bad$/, (seq, stream) => `它前面 ${stream} 的第 ${seq} 条缺了，或者是坏的。`],
  [/^number (\d+) of (.+) does not continue the one before it$/, (seq, stream) => `${stream} 的第 ${seq} 条和前一条接不上。`],
  [/^two entries are number (\d+) of (.+)$/, (seq, stream) => `${stream} 的第 ${seq} 条有两条。`],
  [/^no entry of (.+) is there/, (stream) => `${stream} 的记录一条都没有，本该全在。`],
  [/^the statement is meant for the log (.+), this is (.+)$/, (meant, here) => `这条是写给账本 ${meant} 的，这里是 ${here}。`],
  [/^its checkpoint (?:is not the bundle's|does not hold)/, () => "它的账页和案卷的不是同一页，或者那一页对不上。"],
  [/^it is the receipt of entry (\d+), under another's name$/, (index) => `这是第 ${index} 条的收据，文件名却是别的条目。`],
  [/^the text or file is missing$/, () => "该公开的原文或附件没有放进来。"],
  [/^the commitment (.+) is not to these bytes/, () => "原文或附件和记录里的承诺对不上：换过了，或者改过。"],
  [/^no entry of the bundle commits to it$/, () => "案卷里没有哪条记录承诺过这份原文。"],
  [/^the entry does not seal this tree$/, () => "那条记录封存的不是这张表。"],
  [/^number (\d+) of (.+) was recorded before the seal/, (seq, stream) => `${stream} 的第 ${seq} 条在封存之前就记下了，案卷里却没有：有记录抽掉了。`],
  [/^number (\d+) of (.+) is not the one sealed$/, (seq, stream) => `${stream} 的第 ${seq} 条不是封存的那一条。`],
];

/** Says in Chinese what a check found; where there are no such words, leads in to the exact terms. */
export function faultInChinese(reason) {
  for (const [pattern, words] of FAULTS) {
    const found = pattern.exec(reason);
    if (found) return words(...found.slice(1));
  }
  return `内容或格式不对，原话是：${reason}`;
}
