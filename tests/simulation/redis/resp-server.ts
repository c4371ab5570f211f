/**
 * The simulated Redis behind a socket, so that the suites of redis-schema run against it with the client of production:
 * what they prove of a real server, they prove of this one.
 */
import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { ReplyError, Status, type Reply } from "./commands.ts";
import { Database } from "./database.ts";

export interface RespServer {
  readonly port: number;
  readonly database: Database;
  close(): Promise<void>;
}

export async function serve(port = 0, database = fresh()): Promise<RespServer> {
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  database.onAppended = () => {
    for (const look of waiting) look();
  };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    connection(socket, database, waiting);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    database,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function fresh(): Database {
  return new Database({ nowMs: Date.now, runId: "simulated" });
}

function connection(socket: Socket, database: Database, waiting: Set<() => void>): void {
  let buffered = "";
  /** MULTI … EXEC. */
  let queued: string[][] | undefined;
  const answer = (command: string[]): Reply => {
    const name = command[0]?.toUpperCase() ?? "";
    if (name === "MULTI") {
      queued = [];
      return new Status("OK");
    }
    if (name === "EXEC") {
      const commands = queued ?? [];
      queued = undefined;
      return commands.map((one) => database.execute(one));
    }
    if (queued) {
      queued.push(command);
      return new Status("QUEUED");
    }
    return database.execute(command);
  };
  const send = (reply: Reply): void => void socket.write(Buffer.from(encode(reply), "latin1"));
  socket.on("data", (chunk: Buffer) => {
    buffered += chunk.toString("latin1");
    for (;;) {
      const parsed = parse(buffered);
      if (!parsed) return;
      buffered = buffered.slice(parsed.end);
      const reply = answer(parsed.command);
      const blockMs = blocking(parsed.command);
      if (reply !== null || blockMs === undefined) {
        send(reply);
        continue;
      }
      const look = (): void => {
        const now = answer(parsed.command);
        if (now !== null) end(now);
      };
      const end = (now: Reply): void => {
        clearTimeout(timer);
        waiting.delete(look);
        send(now);
      };
      const timer = setTimeout(() => end(null), blockMs);
      socket.on("close", () => {
        clearTimeout(timer);
        waiting.delete(look);
      });
      waiting.add(look);
    }
  });
}

/** How long an XREAD waits for an entry. */
export function blocking(command: readonly string[]): number | undefined {
  if (command[0]?.toUpperCase() !== "XREAD") return undefined;
  const at = command.findIndex((arg) => arg.toUpperCase() === "BLOCK");
  return at < 0 ? undefined : Number(command[at + 1]);
}

function parse(text: string): { command: string[]; end: number } | undefined {
  const head = text.indexOf("\r\n");
  if (head < 0) return undefined;
  const count = Number(text.slice(1, head));
  const command: string[] = [];
  let at = head + 2;
  for (let n = 0; n < count; n += 1) {
    const line = text.indexOf("\r\n", at);
    if (line < 0) return undefined;
    const length = Number(text.slice(at + 1, line));
    if (text.length < line + 2 + length + 2) return undefined;
    command.push(text.slice(line + 2, line + 2 + length));
    at = line + 2 + length + 2;
  }
  return { command, end: at };
}

function encode(reply: Reply): string {
  if (reply === null) return "$-1\r\n";
  if (typeof reply === "number") return `:${reply}\r\n`;
  if (typeof reply === "string") return `$${reply.length}\r\n${reply}\r\n`;
  if (reply instanceof Status) return `+${reply.text}\r\n`;
  if (reply instanceof ReplyError) return `-${reply.message}\r\n`;
  return `*${reply.length}\r\n${reply.map(encode).join("")}`;
}
