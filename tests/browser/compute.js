// Joined behind a bundle of the verifier; MODULES stands for the constants of its modules.
const mz = Object.assign({}, MODULES);
const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
window.quorum = async ([policy, note, now]) => {
  try {
    const found = await mz.judgeQuorum(mz.parsePolicy(bytes(policy)), mz.parseNote(bytes(note)), now);
    return [found.configured, found.met, found.fresh, found.count, found.of, found.at];
  } catch (error) {
    return error instanceof mz.FormatError ? "format" : error instanceof mz.ProofError ? "proof" : String(error);
  }
};
window.proofs = async ([tiles, size, index, older]) => {
  const asked = [];
  const source = { tile: async (level, n, width) => {
    const path = mz.tilePath(level, n, width);
    asked.push(path);
    return bytes(tiles[path]);
  } };
  const tree = new mz.Tree(source, size);
  const found = [await tree.inclusion(index), await tree.consistency(older)];
  return [...found.map((proof) => proof.map(mz.encodeBase64)), asked];
};
window.state = ([body, leaf, index, proof]) => {
  try {
    return mz.verifyStateLeaf(body, bytes(leaf), index, proof.map(bytes));
  } catch (error) {
    return error instanceof mz.FormatError ? "format" : error instanceof mz.ProofError ? "proof" : String(error);
  }
};
