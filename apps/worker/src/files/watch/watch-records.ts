/** `watch:<source>:<name>` as a walk needs it: which directory the root was when the watch was last there. */
import { isoNow, type Clock } from "@sluice/core";
import type { WatchStore } from "@sluice/redis-schema";
import type { WatchDeps } from "./watch-runner.ts";

export function watchRecords(
  source: string,
  store: WatchStore,
  clock: Pick<Clock, "wallMs">,
): Pick<WatchDeps, "loadRoot" | "saveState"> {
  return {
    async loadRoot({ name }) {
      const read = await store.load(source, name);
      if (read.kind !== "ok" || read.value.root_inode === undefined) return undefined;
      return { inode: read.value.root_inode, birthtimeNs: read.value.root_birthtime_ns };
    },
    async saveState({ name, root: path }, root, state) {
      await store.save({
        source,
        name,
        root: path,
        ...(root === undefined ? {} : { root_inode: root.inode }),
        ...(root?.birthtimeNs === undefined ? {} : { root_birthtime_ns: root.birthtimeNs }),
        state: state.state,
        ...(state.state === "offline" ? { state_detail: state.detail } : {}),
        since_utc: isoNow(clock),
      });
    },
  };
}
