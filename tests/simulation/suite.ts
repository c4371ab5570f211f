/**
 * `npm run test:simulation`: the corpus, then the same seeds each time, shared out among the cores. What fails here is the
 * change that is tried, never a draw of the day; new seeds are played by the nightly run. See decision 0020.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { add, countLine, ending, NOTHING, outputCount, type Count } from "../../scripts/test/count.ts";

/** Each of these ended well before. Three minutes on two cores of a CI machine at most. */
const FROM = 740_000;
const COUNT = 300;
/** More processes than this are not faster: each compiles the worker for itself. */
const MOST_PROCESSES = 4;

const root = join(import.meta.dirname, "../..");

async function share(argv: readonly string[]): Promise<Count> {
  const child = spawn(process.execPath, ["tests/simulation/main.ts", ...argv], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const isOk = await new Promise<boolean>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code === 0));
  });
  // Whole, so that the timelines of two processes do not mix.
  process.stdout.write(output);
  return outputCount(`simulation ${argv.join(" ")}`, output, isOk);
}

async function main(): Promise<number> {
  const from = performance.now();
  const processes = Math.min(MOST_PROCESSES, availableParallelism());
  const each = Math.ceil(COUNT / processes);
  console.log(`the corpus, and ${COUNT} histories from seed ${FROM}`);
  const shares = Array.from({ length: processes }, (_, at) => {
    const count = Math.min(each, COUNT - at * each);
    const seeds = [
      "--from",
      String(FROM + at * each),
      "--count",
      String(count),
      "--minutes",
      "30",
      "--shrink",
    ];
    return share(at === 0 ? [...seeds, "--corpus"] : seeds);
  });
  const total = (await Promise.all(shares)).reduce(add, NOTHING);
  console.log(`── simulation: ${countLine(total)} in ${((performance.now() - from) / 1_000).toFixed(1)} s`);
  console.log(ending(total));
  return total.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
