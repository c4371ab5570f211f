/** Every writer by its name, as histories name them. */
import { appendLog } from "./append-log.ts";
import { atomicSave } from "./atomic-save.ts";
import { bigRecording } from "./big-recording.ts";
import { camera } from "./camera.ts";
import { download } from "./download.ts";
import { logrotate } from "./logrotate.ts";
import { mover } from "./mover.ts";
import { recorder } from "./recorder.ts";
import { ring } from "./ring.ts";
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
} as const satisfies Record<string, Writer>;

export type WriterName = keyof typeof WRITERS;
