/**
 * The two requests that the supervisor sends to its Redis: a ping and a shutdown. Everything else is up to the worker.
 */
import { createConnection } from "node:net";

const REPLY_WITHIN_MS = 1_000;

export type RedisAnswer = "ready" | "loading" | "other" | "silent";

/**
 * Pings the server on the loopback port. `other`: it answers but does not accept this password, so it is not the Redis
 * that was started with it.
 */
export async function askRedis(port: number, password: string): Promise<RedisAnswer> {
  const reply = await exchange(port, ["AUTH", password], ["PING"]);
  if (reply === undefined) return "silent";
  if (!reply.startsWith("+OK")) return reply.startsWith("-LOADING") ? "loading" : "other";
  return reply.includes("+PONG") ? "ready" : "loading";
}

/** Makes the Redis on this port save and shut down; has no effect on one with another password. */
export async function shutDownRedis(port: number, password: string): Promise<void> {
  await exchange(port, ["AUTH", password], ["SHUTDOWN"]);
}

/**
 * Sends the commands and returns the replies until the other side closes or becomes silent; undefined without a
 * connection.
 */
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
