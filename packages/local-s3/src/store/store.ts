/** One directory is one store: what was acknowledged is found again after any kill, what was not is not seen. */
import { mkdir, open } from "node:fs/promises";
import { Blobs } from "./blobs.ts";
import { Buckets } from "./buckets.ts";
import { Contents } from "./contents.ts";
import { Database } from "./database.ts";
import { Objects } from "./objects.ts";
import { Uploads } from "./uploads.ts";
import { Versions } from "./versions.ts";

export interface Store extends AsyncDisposable {
  readonly buckets: Buckets;
  readonly objects: Objects;
  readonly uploads: Uploads;
  readonly contents: Contents;
  readonly blobs: Blobs;
  /** Resolves when everything a reply could show is on disk. */
  durable(): Promise<void>;
}

/** Opens or creates the store. `fsync: false` trades safety against power loss (not against a kill) for speed. */
export async function openStore(dir: string, fsync: boolean, versioned = false): Promise<Store> {
  await mkdir(dir, { recursive: true });
  const db = await Database.open(dir, fsync);
  try {
    return await assemble(dir, fsync, db, versioned);
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function assemble(dir: string, fsync: boolean, db: Database, versioned: boolean): Promise<Store> {
  const blobs = await Blobs.open(dir, fsync);
  const contents = new Contents(db);
  const objects = new Objects(db, blobs, contents, versioned ? new Versions() : undefined);
  await blobs.sweep((file) => contents.names(file));
  if (fsync) await syncDirectory(dir);
  return {
    buckets: new Buckets(db),
    objects,
    uploads: new Uploads(db, contents, objects),
    contents,
    blobs,
    durable: () => db.durable(),
    async [Symbol.asyncDispose]() {
      await blobs.close();
      await db.close();
    },
  };
}

/** The names of the database files and of the blob directory must survive a power loss too. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
