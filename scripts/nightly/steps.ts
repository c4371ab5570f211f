/** What is too long for every change: each step is one npm command, run one after the other. */

export interface Step {
  readonly name: string;
  /** Arguments of npm. */
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly withinMinutes: number;
}

/** Histories of the random model that nobody has played before. */
const NEW_HISTORIES = "5000";
const KILLS = "200";

/** @param seed of the chaos runs: a new one each night, printed, so that a failed round can be played again */
export function nightlySteps(seed: string): readonly Step[] {
  const kills = ["--only", "crash-points,random-kills", "--kills", KILLS, "--seed", seed, "--record"];
  const chaos = (store: string): readonly string[] => [
    "run",
    "-s",
    "chaos",
    "--",
    "--store",
    store,
    ...kills,
  ];
  return [
    {
      name: "model",
      argv: ["run", "-s", "unit", "--", "packages/core/src/steps/model.test.ts"],
      env: { MODEL_RUNS: NEW_HISTORIES },
      withinMinutes: 15,
    },
    { name: "kills on local-s3", argv: chaos("local-s3"), withinMinutes: 60 },
    { name: "kills on Ceph RGW", argv: chaos("ceph-rgw"), withinMinutes: 60 },
    { name: "containers", argv: ["run", "-s", "test:containers"], withinMinutes: 60 },
  ];
}

/** @param only names, separated by commas. Undefined when there is no step of one of these names. */
export function selectSteps(all: readonly Step[], only: string | undefined): readonly Step[] | undefined {
  if (only === undefined) return all;
  const names = only.split(",");
  const chosen = all.filter(({ name }) => names.includes(name));
  return chosen.length === names.length ? chosen : undefined;
}
