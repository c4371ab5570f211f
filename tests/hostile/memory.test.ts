/** What one stranger can make the dashboard hold: bodies that never end, requests that are never finished. */
import { startRedis, type TestRedis } from "@sluice/redis-schema/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDashboard, type Dashboard } from "../e2e/support/dashboard.ts";
import { residentBytes, until } from "../e2e/support/process.ts";
import { figure } from "./figures.ts";
import { head, RawConnection, ask } from "./raw-http.ts";

const MIB = 1024 * 1024;
/** 600 MiB are sent; what of them was read and thrown away, and not yet collected, is in it. */
const MAY_GROW = 150 * MIB;
const LOGIN = "POST /api/trpc/session.login";
const JSON_TYPE = "content-type: application/json";

let redis: TestRedis;
let dashboard: Dashboard;

beforeAll(async () => {
  redis = await startRedis();
  dashboard = await startDashboard(redis.url);
  // The first requests load what the others use.
  for (let count = 0; count < 10; count += 1) await ask(dashboard.port, head("GET /login", "host: a"));
});
afterAll(async () => {
  await dashboard.stop();
  await redis.stop();
});

async function growthWhile(attack: () => Promise<void>): Promise<number> {
  const before = await residentBytes(dashboard.running);
  let most = before;
  let measuring = true;
  const measured = (async () => {
    while (measuring) {
      most = Math.max(most, await residentBytes(dashboard.running));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await attack();
  measuring = false;
  await measured;
  console.log(`memory: ${(before / MIB).toFixed(0)} MiB before, ${(most / MIB).toFixed(0)} MiB at most`);
  return most - before;
}

async function answers(): Promise<void> {
  const { status } = await ask(dashboard.port, head("GET /login", "host: a"));
  expect(status).toBe(200);
}

test("60 bodies without a length and without an end are refused, and cost no memory", async () => {
  const chunk = Buffer.alloc(256 * 1024, 0x61);
  const framed = Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]);
  const connections = Array.from({ length: 60 }, () => new RawConnection(dashboard.port));
  const growth = await growthWhile(async () => {
    const statuses = await Promise.all(
      connections.map(async (connection) => {
        await connection.send(head(LOGIN, "host: a", JSON_TYPE, "transfer-encoding: chunked"));
        for (let sent = 0; sent < 40; sent += 1) await connection.send(framed);
        return (await connection.reply()).status;
      }),
    );
    // Whoever goes on sending is cut off, and may miss the answer by that.
    expect(statuses.filter((status) => status !== 411 && status !== 0)).toEqual([]);
    await answers();
  });
  for (const connection of connections) connection.end();
  expect(growth).toBeLessThan(MAY_GROW);
  figure(
    "600 MiB in 60 bodies without a length, before signing in",
    `all 411, ${(growth / MIB).toFixed(0)} MiB more memory`,
  );
});

test("60 bodies that say how long they are and stop short of it cost what they may hold", async () => {
  const connections = Array.from({ length: 60 }, () => new RawConnection(dashboard.port));
  const growth = await growthWhile(async () => {
    await Promise.all(
      connections.map(async (connection) => {
        await connection.send(head(LOGIN, "host: a", JSON_TYPE, `content-length: ${100 * 1024}`));
        await connection.send(Buffer.alloc(99 * 1024, 0x20));
      }),
    );
    await answers();
  });
  for (const connection of connections) connection.end();
  expect(growth).toBeLessThan(MAY_GROW);
});

test.each([
  ["a length past the limit", [`content-length: ${100 * 1024 + 1}`], 413],
  ["a length past all numbers", [`content-length: ${"9".repeat(15)}`], 413],
  ["no length", [], 411],
  ["chunks", ["transfer-encoding: chunked"], 411],
  ["chunks by another name", ["transfer-encoding: gzip, chunked"], 411],
  ["chunks and a length", ["transfer-encoding: chunked", "content-length: 4"], 400],
  ["two lengths", ["content-length: 4", "content-length: 5"], 400],
  ["a length below zero", ["content-length: -1"], 400],
])("a body with %s is answered before it is read", async (_, lines, status) => {
  expect(await ask(dashboard.port, head(LOGIN, "host: a", JSON_TYPE, ...lines))).toMatchObject({ status });
});

test("the limit holds for every page and method, not only for the interface", async () => {
  for (const line of [
    "POST /login",
    "POST /",
    "PUT /streams",
    "PATCH /api/trpc/x",
    "GET /login",
    "POST /nowhere",
  ]) {
    const reply = await ask(dashboard.port, head(line, "host: a", "transfer-encoding: chunked"));
    expect({ line, status: reply.status }).toEqual({ line, status: 411 });
  }
});

test("one address has a limited number of requests open at once, and all of them again when these end", async () => {
  const open = async (): Promise<RawConnection> => {
    const connection = new RawConnection(dashboard.port);
    await connection.send(head(LOGIN, "host: a", JSON_TYPE, "content-length: 10"));
    return connection;
  };
  const connections = await Promise.all(Array.from({ length: 128 }, open));
  const limited = await until("the limit", async () => {
    const reply = await ask(dashboard.port, head("GET /login", "host: a"));
    return reply.status === 429 ? reply : undefined;
  });
  expect(limited.headers.get("retry-after")).toBe("5");
  for (const connection of connections) connection.end();
  await until("room again", async () => {
    const { status } = await ask(dashboard.port, head("GET /login", "host: a"));
    return status === 200 ? true : undefined;
  });
});
