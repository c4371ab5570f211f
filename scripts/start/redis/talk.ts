/** The two things the supervisor ever says to its Redis: are you there, and stop. Everything else is the worker's talk. */
import { createConnection } from "node:net";

const REPLY_WITHIN_MS = 1_000;

export type RedisAnswer = "ready" | "loading" | "other" | "silent";

/**
 * Asks whoever listens on the loopback port. `other`: it answers but does not take this password, so it is
 * not the Redis that was started with it.
 */
export async function askRedis(port: number, password: string): Promise<RedisAnswer> {
  const reply = await exchange(port, ["AUTH", password], ["PING"]);
  if (reply === undefined) return "silent";
  if (!reply.startsWith("+OK")) return reply.startsWith("-LOADING") ? "loading" : "other";
  return reply.includes("+PONG") ? "ready" : "loading";
}

/** Makes the Redis on this port save what it has and end; it does nothing to one with another password. */
export async function shutDownRedis(port: number, password: string): Promise<void> {
  await exchange(port, ["AUTH", password], ["SHUTDOWN"]);
}

/** Sends the commands and returns what came back before the other side closed or fell silent; undefined without a connection. */
function exchange(port: number, ...commands: string[][]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    let reply = "";
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reply === "" ? undefined : reply);
    };
    const timer = setTimeout(finish, REPLY_WITHIN_MS);
    socket.on("connect", () => socket.write(commands.map(encode).join("")));
    socket.on("data", (chunk) => {
      reply += chunk.toString("latin1");
      if (reply.split("\r\n").length > commands.length) finish();
    });
    socket.on("error", finish);
    socket.on("close", finish);
  });
}

function encode(command: readonly string[]): string {
  const words = command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${command.length}\r\n${words.join("")}`;
}
