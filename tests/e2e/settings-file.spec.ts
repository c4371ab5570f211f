/** The dashboard from `sluice.yaml` alone: what stands in the file holds, wherever the server has its own directory. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seed } from "../../apps/web/scripts/seed.ts";
import { mutate, query, signIn } from "./support/api.ts";
import { PASSWORD, plainEnvironment } from "./support/dashboard.ts";
import { ROOT } from "./support/paths.ts";
import { freePort } from "../../packages/redis-schema/test/free-port.ts";
import { run, until } from "./support/process.ts";
import { expect, test } from "./support/test.ts";

test.use({ world: "settings-file" });

let directory: string;

test.beforeAll(async ({ redis }) => {
  directory = await mkdtemp(join(tmpdir(), "sluice-settings-"));
  await mkdir(join(directory, "etc"));
  await seed({ redisUrl: redis.url, streams: 3 });
});
test.afterAll(() => rm(directory, { recursive: true, force: true }));

const PLACES: [name: string, file: string, cwd: string, variable: string | undefined][] = [
  ["./sluice.yaml", "sluice.yaml", ".", undefined],
  ["a relative path in SLUICE_CONFIG", "etc/dashboard.yaml", ".", "etc/dashboard.yaml"],
  ["a relative path that leads upwards", "etc/above.yaml", "etc", "../etc/above.yaml"],
  ["an absolute path in SLUICE_CONFIG", "etc/absolute.yaml", "/", "<directory>/etc/absolute.yaml"],
];

for (const [name, file, cwd, variable] of PLACES) {
  test(`${name}: its Redis, its password's file and web_read_only hold`, async ({ redis }) => {
    const port = await freePort();
    const lines = [
      `redis_url: ${redis.url}`,
      "web_read_only: true",
      `web_port: ${port}`,
      `web_password: ${PASSWORD}`,
    ];
    await writeFile(join(directory, file), lines.join("\n"));
    const running = run([join(ROOT, "apps/web/start.mjs")], {
      cwd: join(directory, cwd),
      env: {
        ...plainEnvironment(),
        ...(variable === undefined ? {} : { SLUICE_CONFIG: variable.replace("<directory>", directory) }),
      },
    });
    try {
      const origin = `http://127.0.0.1:${port}`;
      const cookie = await until(
        "a sign-in with the file's password",
        () => signIn(origin).catch(() => undefined),
        running,
      );
      const { data } = await query(origin, "streams.page", { filter: {} }, { cookie });
      expect((data as { rows: unknown[] }).rows).toHaveLength(3);
      // The very write that a page would send.
      const written = await mutate(origin, "actions.plan", {}, { cookie });
      expect(written).toMatchObject({ status: 405, code: "METHOD_NOT_SUPPORTED" });
    } finally {
      await running.end();
    }
  });
}
