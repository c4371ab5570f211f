/** On a cluster, all keys of one installation must be in one slot, because its scripts must be atomic. */
/** A `{hash tag}` in the prefix puts every key in one slot. */
export function checkClusterPrefix(
  prefix: string,
  isCluster: boolean,
): { ok: true } | { ok: false; remedy: string } {
  if (!isCluster || /\{[^{}]+\}/.test(prefix)) return { ok: true };
  return {
    ok: false,
    remedy:
      `SLUICE_KEY_PREFIX is "${prefix}", but this Redis is a cluster: every key of one installation must be in one slot. ` +
      'Put a hash tag in the prefix, for example SLUICE_KEY_PREFIX="{sluice}:".',
  };
}

/** As `checkClusterPrefix`, but throws. */
export function assertClusterPrefix(prefix: string, isCluster: boolean): void {
  const checked = checkClusterPrefix(prefix, isCluster);
  if (!checked.ok) throw new KeyPrefixError(checked.remedy);
}

export class KeyPrefixError extends Error {
  override readonly name = "KeyPrefixError";
}
