/** A watch root that can be taken away and put back: a bind mount where mounting is permitted, else a renamed directory. */
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync } from "node:fs";

export interface Volume extends Disposable {
  /** The root is an empty directory (mount), or there is none (rename). */
  takeAway(): void;
  putBack(): void;
}

/** The root is renamed: it is gone altogether. */
export function renamedRoot(root: string): Volume {
  const away = `${root}.away`;
  return {
    takeAway: () => renameSync(root, away),
    putBack: () => renameSync(away, root),
    [Symbol.dispose]: () => undefined,
  };
}

/** The root is a mount point: without its volume it is another, empty directory. */
export function mountedRoot(root: string): Volume {
  const volume = `${root}.volume`;
  mkdirSync(volume);
  // Lazily, so that nobody who still looks at it can prevent it.
  const unmount = () => execFileSync("umount", ["-l", root], { stdio: "ignore" });
  const mount = () => execFileSync("mount", ["--bind", volume, root], { stdio: "ignore" });
  try {
    mount();
  } catch {
    return renamedRoot(root); // not permitted here
  }
  let mounted = true;
  return {
    takeAway() {
      unmount();
      mounted = false;
    },
    putBack() {
      mount();
      mounted = true;
    },
    [Symbol.dispose]() {
      if (mounted) unmount();
    },
  };
}
