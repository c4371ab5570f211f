/** What two watches must not share: a name, a key prefix, a directory. */
import type { ConfigProblem } from "../problems.ts";
import type { WatchConfig } from "./watch-config.ts";

export function nameProblems(watches: readonly WatchConfig[]): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const seen = new Set<string>();
  for (const { name, root } of watches) {
    if (!/^[^\s/:,=\p{Cc}]{1,100}$/u.test(name)) {
      problems.push({
        key: name,
        text: `the watch of ${root} is called ${JSON.stringify(name)}: allowed is a name without spaces, slashes, colons and commas`,
      });
    }
    if (seen.has(name))
      problems.push({ key: name, text: `two watches are called ${name}: give one of them another name` });
    seen.add(name);
  }
  return problems;
}

export function prefixProblems(watches: readonly WatchConfig[]): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const owner = new Map<string, WatchConfig>();
  for (const watch of watches) {
    const placeholder = /\{[^{}]*\}/.exec(watch.keyPrefix)?.[0];
    if (placeholder !== undefined) {
      problems.push({
        key: watch.name,
        text: `the key prefix of watch ${watch.name} holds ${placeholder}: allowed are {source} and {watch}`,
      });
    }
    const other = owner.get(watch.keyPrefix);
    if (other) {
      problems.push({
        key: watch.name,
        text: `watches ${other.name} and ${watch.name} both write under the key prefix "${watch.keyPrefix}": give one of them a key_prefix of its own`,
      });
    }
    owner.set(watch.keyPrefix, watch);
  }
  return problems;
}

/**
 * Also called with real paths, once links are followed: two watches never share a file, and no moved file is found
 * again.
 */
export function pathProblems(
  watches: readonly Pick<WatchConfig, "name" | "root" | "afterUpload">[],
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const [at, watch] of watches.entries()) {
    for (const other of watches.slice(at + 1)) {
      const nested = isInside(watch.root, other.root) || isInside(other.root, watch.root);
      if (nested)
        problems.push({
          key: other.name,
          text: `watches ${watch.name} (${watch.root}) and ${other.name} (${other.root}) overlap: one file would be uploaded twice`,
        });
    }
    const target = watch.afterUpload;
    if (target.kind !== "move") continue;
    const into = watches.find(({ root }) => isInside(root, target.directory));
    if (into)
      problems.push({
        key: watch.name,
        text: `watch ${watch.name} moves its files to ${target.directory}, inside watch ${into.name} (${into.root}): they would be uploaded again`,
      });
  }
  return problems;
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`);
}
