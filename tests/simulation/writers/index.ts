/** Every writer by its name, as histories name them. */
import { appendLog } from "./append-log.ts";
import { atomicSave } from "./atomic-save.ts";
import { bigRecording } from "./big-recording.ts";
import { camera } from "./camera.ts";
import { download } from "./download.ts";
import { logrotate } from "./logrotate.ts";
import { mover } from "./mover.ts";
import { recorder } from "./recorder.ts";
import { replacer } from "./replacer.ts";
import { ring } from "./ring.ts";
import { linker } from "./linker.ts";
import { playlist } from "./playlist.ts";
import { preallocated } from "./preallocated.ts";
import { relocator } from "./relocator.ts";
import { rsync } from "./rsync.ts";
import { sqlite } from "./sqlite.ts";
import type { Writer } from "./writer.ts";

export const WRITERS = {
  recorder,
  camera,
  logrotate,
  "atomic save": atomicSave,
  ring,
  "append log": appendLog,
  download,
  "big recording": bigRecording,
  mover,
  linker,
  playlist,
  preallocated,
  relocator,
  replacer,
  rsync,
  sqlite,
} as const satisfies Record<string, Writer>;

export type WriterName = keyof typeof WRITERS;
