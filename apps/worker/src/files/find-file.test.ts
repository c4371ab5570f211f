/** Where the file of a stream is: a table over what its path, the place it was seen at, and other streams say. */
import {
  CheckpointError,
  streamId,
  type DoneEntry,
  type FileFacts,
  type Look,
  type StreamRecord,
} from "@sluice/core";
import { newStream } from "@sluice/core/testing";
import { expect, test } from "vitest";
import { findFile, type FinderDeps } from "./find-file.ts";
import { PathTable, fileOfRecord } from "../streams/path-table.ts";
import type { Watch } from "./watch/watch.ts";

const own: FileFacts = { size: 9, inode: "7", device: "1", birthtimeNs: "1", mtimeNs: "2", ctimeNs: "3" };
const other: FileFacts = { ...own, inode: "8", birthtimeNs: "4" };
const record: StreamRecord = { ...newStream({ path: "/in/a", facts: own }), status: "processing" };
const never = new AbortController().signal;
const watch = (name: string, root: string) => ({ name, root }) as Watch;

interface Scene {
  files: Record<string, FileFacts>;
  /** Where a walk sees the stream's file. */
  seenAt?: string;
  /** Opened, what is at this path turns out to lie elsewhere. */
  outside?: string;
  offline?: boolean;
  redisAway?: boolean;
  others?: StreamRecord[];
  holder?: string;
  /** Path of another file that is completed. */
  done?: string;
}

async function ask(scene: Scene, hinted = false) {
  const { files, seenAt, offline = false, redisAway = false, others = [], holder } = scene;
  const table = new PathTable();
  if (scene.done !== undefined) table.setDone(scene.done, { file_inode: "9" } as DoneEntry);
  const streams = [record, ...others];
  for (const one of streams) table.setLive(one.original_path, one.id, fileOfRecord(one));
  let sighted = hinted ? seenAt : undefined;
  let walks = 0;
  const runner = (name: string, root: string): FinderDeps["runners"][number] => ({
    watch: watch(name, root),
    rescan: () => {
      walks += 1;
      if (redisAway) return Promise.reject(new CheckpointError("away"));
      if (seenAt?.startsWith(root)) sighted = seenAt;
      return Promise.resolve();
    },
    state: offline ? { state: "offline", detail: "its root is gone" } : { state: "ok" },
  });
  const look = (path: string): Look => {
    const facts = files[path];
    return facts ? { kind: "file", facts } : { kind: "missing" };
  };
  const lookFresh = (path: string): Look =>
    scene.outside === path ? { kind: "not_a_stream", what: "outside" } : look(path);
  const deps: FinderDeps = {
    files: {
      look: (path) => Promise.resolve(look(path)),
      lookFresh: (path) => Promise.resolve(lookFresh(path)),
    },
    supervisor: {
      table,
      sightedAt: () => sighted,
      unsight: () => (sighted = undefined),
      holderOf: () => Promise.resolve(holder === undefined ? undefined : streamId(holder)),
      running: new Map(streams.map((one) => [one.id, { processor: { record: one } }])) as never,
    },
    runners: [runner("in", "/in"), runner("archive", "/archive")],
    placeOf: (to, path) => ({ watch: to.name, path }) as never,
  };
  return { where: await findFile(record, deps, never), walks, sighted };
}

const stream = (id: string, path: string, facts: FileFacts): StreamRecord => newStream({ id, path, facts });

test.each<[string, Scene, object]>([
  ["at its path again", { files: { "/in/a": own } }, { kind: "back" }],
  ["under another name", { files: { "/in/b": own }, seenAt: "/in/b" }, { kind: "renamed", path: "/in/b" }],
  [
    "D2a: under another name while another file is at its path",
    { files: { "/in/a": other, "/in/b": own }, seenAt: "/in/b" },
    { kind: "renamed", path: "/in/b" },
  ],
  [
    "D2a: under the name of a stream whose file is not there",
    { files: { "/in/a": other, "/in/b": own }, seenAt: "/in/b", others: [stream("t", "/in/b", other)] },
    { kind: "renamed", path: "/in/b", displaces: "t" },
  ],
  [
    "D2b: under another name a moment ago, and gone since",
    { files: { "/in/c": other }, seenAt: "/in/b" },
    { kind: "missing" },
  ],
  [
    "D7d: in another watch",
    { files: { "/archive/a": own }, seenAt: "/archive/a" },
    { kind: "moved", to: { watch: "archive", path: "/archive/a" }, facts: own },
  ],
  [
    "nowhere, and another file at its path",
    { files: { "/in/a": other } },
    { kind: "replaced", facts: other },
  ],
  [
    "nowhere, while its path leads through a link to a file outside the watch",
    { files: { "/in/a": other }, outside: "/in/a" },
    { kind: "missing" },
  ],
  [
    "D2a: nowhere, and a file that is known at its path",
    { files: { "/in/a": other }, holder: "done" },
    { kind: "overtaken", by: "done" },
  ],
  [
    "that of another stream, too",
    { files: { "/in/b": own }, others: [stream("t", "/in/b", own)] },
    { kind: "overtaken", by: "t" },
  ],
  ["away with its volume", { files: {}, offline: true }, { kind: "offline", detail: "its root is gone" }],
  ["not known while Redis is away", { files: {}, redisAway: true }, { kind: "offline" }],
  ["nowhere", { files: { "/in/b": other } }, { kind: "missing" }],
])("%s", async (_, scene, answer) => {
  expect((await ask(scene)).where).toMatchObject(answer);
});

test("D2a: a hint says where it is, but where another file was completed a walk looks for that one first", async () => {
  const scene: Scene = { files: { "/in/b": own }, seenAt: "/in/b" };
  expect(await ask(scene, true)).toMatchObject({ where: { kind: "renamed" }, walks: 0 });
  expect(await ask({ ...scene, done: "/in/b" }, true)).toMatchObject({
    where: { kind: "renamed" },
    walks: 1,
  });
});

test("what a walk did not find is looked for once more before anything that was sent is given up", async () => {
  expect((await ask({ files: {} })).walks).toBe(3);
});
