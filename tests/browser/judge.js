// Joined behind a bundle of the verifier; MODULES stands for the constants of its modules.
const mz = Object.assign({}, MODULES);
const bytes = (text) => Uint8Array.from(atob(text ?? ""), (each) => each.charCodeAt(0));
const hashes = (texts) => (texts ?? []).map(bytes);
const checks = {
  inclusion: (g) => mz.verifyInclusion(bytes(g.leafHash), g.leafIdx, g.treeSize, hashes(g.proof), bytes(g.root)),
  consistency: (g) => mz.verifyConsistency(g.size1, g.size2, hashes(g.proof), bytes(g.root1), bytes(g.root2)),
  signature: (g) => mz.verifySignature(bytes(g.key), bytes(g.message), bytes(g.signature)),
  checkpoint: (g) => mz.openCheckpoint(bytes(g.data), mz.parseVkey(g.vkey)),
  canonical: (g) => mz.parseCanonical(bytes(g.data)),
  entry: (g) => mz.parseEntry(bytes(g.data)),
  receipt: (g) => mz.verifyReceipt(bytes(g.data), mz.parseVkey(g.vkey)),
  bundle: async (g) => (await mz.checkDossier(mz.readZip(bytes(g.data)), { vkey: g.vkey })).state !== "mismatch",
  evidence: (g) => mz.parseEvidence(bytes(g.data)),
};
window.locators = (texts) => texts.map((text) => {
  const { size, fault } = mz.readLocator(text);
  return fault ?? size;
});
window.engine = mz.engine;
window.judge = async (cases) => {
  const found = [];
  for (const { kind, args } of cases) {
    try {
      found.push((await checks[kind](args)) === false ? "proof" : "ok");
    } catch (error) {
      const known = error instanceof mz.FormatError ? "format" : error instanceof mz.ProofError ? "proof" : null;
      found.push(known ?? `fault: ${error}`);
    }
  }
  return found;
};
