/** Complete and Put whose reply says nothing, or the wrong thing: HeadObject decides, and another's object is never ours. */
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { call } from "../auditor/bucket.ts";
import type { Fault } from "../rig/proxy.ts";
import type { Rig } from "../rig/rig.ts";
import { PART, type World } from "../rig/world.ts";
import type { Round, Scenario, Verdict } from "../scenario.ts";

const ERROR_IN_200 =
  '<?xml version="1.0"?>\n<Error><Code>InternalError</Code><Message>chaos</Message></Error>\n';

/** What the client is told after the store has acted. */
const LIES: Readonly<Record<string, Fault>> = {
  "no reply": { kind: "lose_reply" },
  "404 NoSuchUpload": { kind: "answer", status: 404, body: "<Error><Code>NoSuchUpload</Code></Error>" },
  "500 InternalError": { kind: "answer", status: 500, body: "<Error><Code>InternalError</Code></Error>" },
  "200 with an error inside": { kind: "answer", status: 200, body: ERROR_IN_200 },
  "200 without an ETag": { kind: "answer", status: 200, body: "<html>captive portal</html>" },
};

const SERVERS: Readonly<Record<string, readonly string[]>> = {
  "Complete may be repeated": [],
  "Complete may not be repeated": ["nonIdempotentComplete"],
  "no conditional Complete, no checksums": ["ignoreConditionalComplete", "noChecksums"],
};

const CI_EACH = 10;
const LONG_EACH = 200;
const BATCH = 40;

export const lostCompletes: Scenario = {
  name: "lost-completes",
  claim:
    "a Complete whose reply is lost or false comes to the right verdict, on stores of three kinds (P5, S14)",
  pace: "works",
  localOnly: true,
  rounds: ({ long }) =>
    Object.entries(SERVERS).flatMap(([server, quirks]) =>
      batches(long ? LONG_EACH : CI_EACH).map((count, n): Round => ({
        name: `${count} false replies, ${server}, batch ${n + 1}`,
        run: (rig) => lie(rig, count, quirks),
      })),
    ),
};

export const foreignObjects: Scenario = {
  name: "foreign-objects",
  claim: "an object of another program is never overwritten and never taken for ours (P5, P6, X12)",
  pace: "works",
  localOnly: true,
  rounds: ({ long }) =>
    batches(long ? LONG_EACH : CI_EACH).map((count, n) => ({
      name: `${count} objects of other programs, batch ${n + 1}`,
      run: (rig) => intrude(rig, count),
    })),
};

function batches(total: number): number[] {
  return Array.from({ length: Math.ceil(total / BATCH) }, (_, n) => Math.min(BATCH, total - n * BATCH));
}

async function lie(rig: Rig, count: number, quirks: readonly string[]): Promise<Verdict> {
  await using world = await rig.world({ quirks });
  const lies = Object.values(LIES);
  const lied = new Map<string, number>();
  world.proxy.faultFor = ({ operation, key }) => {
    if (operation !== "CompleteMultipartUpload" || lied.has(key)) return undefined;
    lied.set(key, lied.size);
    return lies[lied.size % lies.length];
  };
  const paths = await writeFiles(world, count, (n) => `tape-${n}.mkv`);
  await world.start();
  await world.settled(paths);
  const { problems, figures } = await world.audit({
    files: paths.map((path) => ({ path, key: path.slice(world.root.length + 1) })),
  });
  if (lied.size !== count) problems.push(`${lied.size} of ${count} replies were false`);
  return { problems, figures: { ...figures, falseReplies: lied.size } };
}

/**
 * A third of the files find their key taken; of a third the key is taken right before Complete, which is refused; of a
 * third Complete never arrives, and what HeadObject then shows is the intruder's, of the very same size.
 */
async function intrude(rig: Rig, count: number): Promise<Verdict> {
  await using world = await rig.world();
  const kind = (n: number): "early" | "late" | "decoy" =>
    (["early", "late", "decoy"] as const)[n % 3] ?? "early";
  const names = Array.from({ length: count }, (_, n) => `${kind(n)}-${n}.avi`);
  const foreign: Record<string, string> = {};
  const put = async (key: string): Promise<void> => {
    const body = randomBytes(PART + 777);
    foreign[key] = createHash("sha256").update(body).digest("hex");
    const { status } = await call(world.target, "PUT", key, {}, body);
    if (status !== 200) throw new Error(`PUT ${key}: ${status}`);
  };
  for (const name of names) if (name.startsWith("early")) await put(name);
  const meant = new Set<string>();
  world.proxy.faultFor = ({ operation, key }) => {
    if (operation !== "CompleteMultipartUpload" || key.startsWith("early") || meant.has(key))
      return undefined;
    meant.add(key);
    return { kind: key.startsWith("late") ? "before" : "instead", act: () => put(key) };
  };
  const paths = await writeFiles(world, count, (n) => names[n] ?? "");
  const failing = paths.filter((path) => !path.includes("/early-"));
  const kept = paths.filter((path) => path.includes("/early-"));
  await world.start();
  await world.settled(kept);
  const { problems, figures } = await world.audit({
    files: kept.map((path) => ({ path, key: path.slice(world.root.length + 1).replace(".avi", "-2.avi") })),
    failed: failing.map((path) => ({ path, statuses: ["failed_object_conflict"] })),
    openUploads: failing.length,
    foreign,
  });
  return { problems, figures: { ...figures, foreignObjects: Object.keys(foreign).length } };
}

async function writeFiles(world: World, count: number, name: (n: number) => string): Promise<string[]> {
  const paths = Array.from({ length: count }, (_, n) => world.path(name(n)));
  for (const path of paths) await writeFile(path, new Uint8Array(randomBytes(PART + 777)));
  return paths;
}
