/** For `npm run dev`: watches the worker's sources except tests; the changes of one save are reported as one change. */
import { existsSync, readdirSync, watch, type FSWatcher } from "node:fs";
import { join } from "node:path";

/** An editor writes, renames and sets times within this time; a checkout of another branch is a burst of changes. */
const ONE_SAVE_MS = 150;
const SOURCE = /\.(ts|mjs|lua|json)$/;
const TEST = /\.test\.ts$/;

/** @returns a function that stops it */
export function watchWorkerSources(root: string, changed: (because: string) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watchers = sourceFolders(root).map((folder): FSWatcher => {
    const watcher = watch(join(root, folder), { recursive: true }, (_event, name) => {
      if (name === null || !SOURCE.test(name) || TEST.test(name)) return;
      clearTimeout(timer);
      timer = setTimeout(() => changed(`${join(folder, name)} changed`), ONE_SAVE_MS);
    });
    // A directory was removed while it was watched: the change itself has been reported.
    watcher.on("error", (error) => console.error(`${folder} is no longer watched: ${error.message}`));
    return watcher;
  });
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}

function sourceFolders(root: string): string[] {
  const packages = readdirSync(join(root, "packages")).map((name) => join("packages", name, "src"));
  return ["apps/worker/src", ...packages].filter((folder) => existsSync(join(root, folder)));
}
