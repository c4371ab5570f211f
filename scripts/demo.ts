/** Sample recordings that grow in a directory like real ones; a limited number of them. */
import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { DEMO, recordingPlan } from "./demo/plan.ts";
import { chooseWriter } from "./demo/writers.ts";
import { record } from "./demo/record.ts";

const { values } = parseArgs({ options: { dir: { type: "string" } } });
if (!values.dir) throw new Error("usage: node scripts/demo.ts --dir <inbox>");
mkdirSync(values.dir, { recursive: true });

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopping.abort());

const writer = await chooseWriter();
console.log(
  `${DEMO.recordings} recordings, ${DEMO.atOnce} at a time, written by ${writer.name}; they stay in ${values.dir}`,
);
const waiting = recordingPlan(new Date(), writer.extensions);
const dir = values.dir;
async function recordNext(): Promise<void> {
  for (let next = waiting.shift(); next && !stopping.signal.aborted; next = waiting.shift()) {
    await record(dir, next, writer, stopping.signal);
  }
}
await Promise.all(Array.from({ length: DEMO.atOnce }, recordNext));
console.log(
  stopping.signal.aborted
    ? "stopped: unfinished recordings stay as they are"
    : `all ${DEMO.recordings} recordings are written; start again with --demo for more`,
);
