/** What every round of a run stands on: the store, and worlds in it. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { startCephStore } from "./stores/ceph-rgw.ts";
import { LOCAL_S3 } from "./stores/local-s3.ts";
import type { Store } from "./stores/store.ts";
import { World } from "./world.ts";

export const STORES = {
  "local-s3": () => Promise.resolve(LOCAL_S3),
  "ceph-rgw": startCephStore,
} as const satisfies Record<string, () => Promise<Store>>;

export type StoreName = keyof typeof STORES;

export interface WorldOptions {
  env?: Readonly<Record<string, string>>;
  quirks?: readonly string[];
}

export class Rig implements AsyncDisposable {
  readonly #store: Store;

  private constructor(store: Store) {
    this.#store = store;
  }

  static async start(name: StoreName): Promise<Rig> {
    const rig = new Rig(await STORES[name]());
    await rig.#warmUp();
    return rig;
  }

  async world({ env, quirks }: WorldOptions = {}): Promise<World> {
    return await World.create(this.#store.open(quirks), env);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  /** One undisturbed life: it leaves the compiled sources to all that are killed, and shows that the rig itself works. */
  async #warmUp(): Promise<void> {
    await using world = await this.world();
    const path = world.path("undisturbed.bin");
    await writeFile(path, new Uint8Array(randomBytes(6 * 1024 * 1024)));
    const worker = await world.start();
    await world.settled([path]);
    const { code } = await worker.terminate();
    const { problems } = await world.audit({ files: [{ path, key: "undisturbed.bin" }] });
    if (code !== 0 || problems.length > 0) {
      throw new Error(`an undisturbed worker ended with ${code}: ${problems.join("; ")}`);
    }
  }
}
