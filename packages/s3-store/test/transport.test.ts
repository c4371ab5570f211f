/** An exchange ends exactly once, in time, and its socket is gone before its body's memory is used again. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { BandwidthLimit, RangeBody } from "../src/body.ts";
import { StorePulse } from "../src/pulse.ts";
import { S3Transport, type SdkRequest } from "../src/transport.ts";

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets: Socket[] = [];
  server.on("connection", (socket) => void sockets.push(socket));
  const { port } = server.address() as AddressInfo;
  const request = (body?: SdkRequest["body"], bytes = 0): SdkRequest => ({
    protocol: "http:",
    hostname: "127.0.0.1",
    port,
    method: "PUT",
    path: "/b/k",
    headers: { "content-length": String(body instanceof Uint8Array ? body.length : bytes) },
    body,
  });
  return {
    request,
    sockets,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const until = async (claim: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 5_000; !claim();) {
    if (Date.now() > deadline) throw new Error(`still not: ${String(claim)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe("S41 deadlines", () => {
  test("a server that never answers is given up at the deadline, and the socket with it", async () => {
    await using server = await serve(() => {});
    using transport = new S3Transport({ sockets: 2 });
    const exchange = transport.handle(server.request(Buffer.alloc(10)), { deadlineMs: 50 });
    await expect(exchange).rejects.toMatchObject({ code: "DeadlineExceeded", connected: true });
    await until(() => server.sockets.every((socket) => socket.destroyed));
  });

  test("S41: a server that takes a request and moves nothing is told as quiet, and given up at the end", async () => {
    await using server = await serve(() => {});
    const quiet: number[] = [];
    const pulse = new StorePulse({ quietMs: 50, giveUpMs: 150, onQuiet: (ms) => void quiet.push(ms) });
    using transport = new S3Transport({ sockets: 2, pulse });
    for (let turn = 0; turn < 2; turn += 1) {
      quiet.length = 0;
      const exchange = transport.handle(server.request(Buffer.alloc(10)), { deadlineMs: 30_000 });
      await expect(exchange).rejects.toMatchObject({ code: "Silence", connected: true });
      expect(quiet.length).toBeGreaterThanOrEqual(2);
    }
  });

  test("a reply that drips does not outlive the deadline", async () => {
    await using server = await serve((_req, res) => {
      res.writeHead(200);
      const drip = setInterval(() => res.write(" "), 10);
      res.on("close", () => clearInterval(drip));
    });
    using transport = new S3Transport({ sockets: 2 });
    const exchange = transport.handle(server.request(), { deadlineMs: 100 });
    await expect(exchange).rejects.toMatchObject({ code: "DeadlineExceeded" });
  });

  test("S13 unless any byte is to keep it alive, as with Complete", async () => {
    await using server = await serve((_req, res) => {
      res.writeHead(200);
      let drips = 0;
      const drip = setInterval(() => {
        drips += 1;
        if (drips < 20) res.write(" ");
        else {
          clearInterval(drip);
          res.end("<Done/>");
        }
      }, 20);
    });
    using transport = new S3Transport({ sockets: 2 });
    const { response } = await transport.handle(server.request(), {
      deadlineMs: 200,
      keptAliveByBytes: true,
    });
    expect(Buffer.from(response.body as Uint8Array).toString()).toBe("<Done/>");
  });

  test("a signal that aborts ends it with its own reason", async () => {
    await using server = await serve((req) => void req.resume());
    using transport = new S3Transport({ sockets: 2 });
    const stop = new AbortController();
    const exchange = transport.handle(server.request(Buffer.alloc(8_000_000)), { abortSignal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 30);
    await expect(exchange).rejects.toThrow("enough");
    await until(() => server.sockets.every((socket) => socket.destroyed));
  });

  test("a range that is never read to its end is let go with the exchange", async () => {
    await using server = await serve(() => {});
    using transport = new S3Transport({ sockets: 2 });
    let closed = false;
    const open = async function* () {
      try {
        for (;;) yield Buffer.alloc(1_000_000);
      } finally {
        closed = true;
      }
    };
    const exchange = transport.handle(server.request(new RangeBody(1e12, open), 1e12), { deadlineMs: 100 });
    await expect(exchange).rejects.toMatchObject({ code: "DeadlineExceeded" });
    await until(() => closed);
  });
});

describe("a reply", () => {
  test("that comes before the whole body is heard, and not a byte more is sent", async () => {
    let received = 0;
    const answered = Promise.withResolvers<void>();
    await using server = await serve((req, res) => {
      req.on("data", (chunk: Buffer) => {
        received += chunk.length;
        if (res.headersSent) return;
        req.pause();
        res.writeHead(503).end("<Error><Code>SlowDown</Code></Error>");
        void answered.promise.then(() => req.resume());
      });
    });
    using transport = new S3Transport({ sockets: 2 });
    const { response } = await transport.handle(server.request(Buffer.alloc(64_000_000)), {
      deadlineMs: 5_000,
    });
    expect(response.statusCode).toBe(503);
    answered.resolve();
    await until(() => server.sockets.every((socket) => socket.destroyed));
    expect(received).toBeLessThan(64_000_000);
  });

  test("that is cut short is no reply", async () => {
    await using server = await serve((req, res) => {
      res.writeHead(200, { "content-length": "100" }).write("half");
      setTimeout(() => req.socket.destroy(), 20);
    });
    using transport = new S3Transport({ sockets: 2 });
    await expect(transport.handle(server.request(), {})).rejects.toMatchObject({ connected: true });
  });

  test("of any size is not read into memory", async () => {
    await using server = await serve((_req, res) => {
      res.writeHead(200);
      const more = (): void => {
        while (res.write(Buffer.alloc(1_000_000)));
      };
      res.on("drain", more);
      more();
    });
    using transport = new S3Transport({ sockets: 2 });
    await expect(transport.handle(server.request(), {})).rejects.toThrow("more than");
    await until(() => server.sockets.every((socket) => socket.destroyed));
  });
});

test("K6 K7 sockets are kept and used again, and never more than allowed are open", async () => {
  let most = 0;
  let open = 0;
  await using server = await serve((req, res) => {
    open += 1;
    most = Math.max(most, open);
    req.resume().on("end", () =>
      setTimeout(() => {
        open -= 1;
        res.end();
      }, 5),
    );
  });
  using transport = new S3Transport({ sockets: 3 });
  await Promise.all(
    Array.from({ length: 12 }, () => transport.handle(server.request(Buffer.alloc(3_000_000)), {})),
  );
  expect(most).toBe(3);
  expect(server.sockets).toHaveLength(3);
});

describe("a server that closes a connection it thinks idle", () => {
  const once = () => {
    const answered = new Set<Socket>();
    return serve((req, res) => {
      if (answered.has(req.socket)) return void req.socket.destroy();
      answered.add(req.socket);
      req.resume().on("end", () => res.end("here"));
    });
  };

  test("is asked again on another one where it was only a question", async () => {
    await using server = await once();
    using transport = new S3Transport({ sockets: 1 });
    const question = { ...server.request(), method: "GET" };
    for (let n = 0; n < 3; n += 1) {
      expect((await transport.handle(question, {})).response.statusCode).toBe(200);
    }
    expect(server.sockets).toHaveLength(3);
  });

  test("is not sent a body again: what became of the first is not known", async () => {
    await using server = await once();
    using transport = new S3Transport({ sockets: 1 });
    await transport.handle(server.request(Buffer.from("x")), {});
    const again = transport.handle(server.request(Buffer.from("x")), {});
    await expect(again).rejects.toMatchObject({ name: "TransportError", connected: true });
    expect(server.sockets).toHaveLength(1);
  });
});

test("a bandwidth limit holds for all bodies together", async () => {
  let received = 0;
  await using server = await serve((req, res) => {
    req.on("data", (chunk: Buffer) => void (received += chunk.length)).on("end", () => res.end());
  });
  using transport = new S3Transport({ sockets: 4, bandwidth: new BandwidthLimit(1_000_000) });
  const started = performance.now();
  await Promise.all([1, 2, 3, 4].map(() => transport.handle(server.request(Buffer.alloc(75_000)), {})));
  // 300,000 bytes at 1,000,000 a second, less what one pause may save up.
  expect(performance.now() - started).toBeGreaterThan(200);
  expect(received).toBe(300_000);
});
