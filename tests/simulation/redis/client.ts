/**
 * The connection that a simulated worker has to the simulated Redis: the methods of the real client that the product uses,
 * with time on the way, commands in order, and everything that may happen to a network between the two.
 */
import type { RedisClient } from "@sluice/redis-schema";
import type { Random } from "../world/random.ts";
import { currentProcess, type SimulatedProcess } from "../world/process.ts";
import type { Timeline } from "../world/timeline.ts";
import { blocking } from "./resp-server.ts";
import { ReplyError, type Reply } from "./commands.ts";
import type { Database } from "./database.ts";
import { toBytes, toClient } from "./replies.ts";

export interface RedisWeather {
  /** Connections are refused. */
  away: boolean;
  /** It takes commands and answers none. */
  hung: boolean;
  /** Chance that a command has its effect and its answer is lost. */
  losesReplies: number;
  slowestMs: number;
  /** Chance that one way takes no time at all, which is cheaper than an event: that some do is what matters. */
  atOnce: number;
}

export class RedisServer {
  readonly database: Database;
  readonly timeline: Timeline;
  readonly weather: RedisWeather = { away: false, hung: false, losesReplies: 0, slowestMs: 2, atOnce: 0 };
  /** Connections that wait for an entry of a stream. */
  readonly waiting = new Set<() => void>();
  commands = 0;

  constructor(database: Database, timeline: Timeline) {
    this.database = database;
    this.timeline = timeline;
    database.onAppended = () => {
      for (const look of this.waiting) look();
    };
  }
}

const COMMAND_MS = 5_000;
const GONE = "Connection is closed.";

export function connect(server: RedisServer, process: SimulatedProcess): RedisClient {
  const connection = new Connection(server, process, process.random.fork(`redis ${process.name}`));
  const client = new Proxy(
    {},
    {
      get(_, property) {
        if (typeof property !== "string") return undefined;
        if (property === "status") return "ready";
        if (property === "multi") return () => transaction(connection);
        return (...args: unknown[]) => connection.command(property, args);
      },
    },
  );
  // Only what our code calls is there.
  return client as unknown as RedisClient;
}

/** MULTI: all commands at once, one reply for each. */
function transaction(connection: Connection): unknown {
  const queued: { name: string; args: unknown[] }[] = [];
  const chain: unknown = new Proxy(
    {},
    {
      get(_, property) {
        if (typeof property !== "string" || property === "then") return undefined;
        if (property === "exec") return () => connection.transaction(queued);
        return (...args: unknown[]) => {
          queued.push({ name: property, args });
          return chain;
        };
      },
    },
  );
  return chain;
}

class Connection {
  readonly #server: RedisServer;
  readonly #process: SimulatedProcess;
  readonly #random: Random;
  #lastArrivalMs = 0;
  #lastReplyMs = 0;

  constructor(server: RedisServer, process: SimulatedProcess, random: Random) {
    this.#server = server;
    this.#process = process;
    this.#random = random;
  }

  async command(method: string, args: readonly unknown[]): Promise<unknown> {
    const asBuffers = method.endsWith("Buffer");
    const name = asBuffers ? method.slice(0, -"Buffer".length) : method;
    const command = commandOf(name, args);
    const reply = await this.#send((database) => database.execute(command), blocking(command));
    if (reply instanceof ReplyError) throw refusal(reply, name, args);
    const answer = toClient(reply, asBuffers);
    return name === "hgetall" ? objectOf(answer as unknown[]) : answer;
  }

  async transaction(queued: readonly { name: string; args: unknown[] }[]): Promise<unknown> {
    const reply = await this.#send((database) =>
      queued.map(({ name, args }) => database.execute(commandOf(name, args))),
    );
    if (!Array.isArray(reply)) throw new Error(GONE);
    return reply.map((one) =>
      one instanceof ReplyError ? [new Error(one.message), undefined] : [null, toClient(one, false)],
    );
  }

  #send(act: (database: Database) => Reply, blockMs?: number): Promise<Reply> {
    const { timeline, weather } = this.#server;
    return this.#process
      .ask(() => undefined)
      .then(
        () =>
          new Promise<Reply>((resolve, reject) => {
            const settle = (reply: Reply | Error): void => {
              this.#lastReplyMs = Math.max(this.#lastReplyMs, timeline.nowMs + this.#travelMs());
              const deliver = (): void =>
                reply instanceof Error && !(reply instanceof ReplyError) ? reject(reply) : resolve(reply);
              if (this.#lastReplyMs <= timeline.nowMs && currentProcess() === this.#process) deliver();
              else timeline.at(this.#lastReplyMs, this.#process, deliver);
            };
            if (weather.away) return settle(new Error(GONE));
            this.#lastArrivalMs = Math.max(this.#lastArrivalMs, timeline.nowMs + this.#travelMs());
            const arrive = (): void => this.#arrive(act, settle, blockMs);
            if (this.#lastArrivalMs <= timeline.nowMs) arrive();
            else timeline.at(this.#lastArrivalMs, undefined, arrive);
          }),
      );
  }

  /** Whether or not its sender still lives. */
  #arrive(
    act: (database: Database) => Reply,
    settle: (reply: Reply | Error) => void,
    blockMs: number | undefined,
  ): void {
    const { timeline, weather, database, waiting } = this.#server;
    this.#server.commands += 1;
    if (weather.away) return settle(new Error(GONE));
    if (weather.hung) {
      timeline.after(COMMAND_MS + (blockMs ?? 0), undefined, () => settle(new Error("Command timed out")));
      return;
    }
    const reply = act(database);
    if (this.#random.chance(weather.losesReplies)) return settle(new Error(GONE));
    if (reply !== null || blockMs === undefined) return settle(reply);
    let over = false;
    const end = (now: Reply): void => {
      if (over) return;
      over = true;
      waiting.delete(look);
      settle(now);
    };
    const look = (): void => {
      const now = act(database);
      if (now !== null) end(now);
    };
    waiting.add(look);
    timeline.after(blockMs, undefined, () => end(null));
  }

  #travelMs(): number {
    const { atOnce, slowestMs } = this.#server.weather;
    const chance = this.#random.next();
    return chance < atOnce ? 0 : 0.05 + ((chance - atOnce) / (1 - atOnce)) ** 4 * slowestMs;
  }
}

function commandOf(name: string, args: readonly unknown[]): string[] {
  const command = [toBytes(name)];
  for (const arg of args.flat()) {
    if (arg !== null && typeof arg === "object" && !(arg instanceof Uint8Array))
      for (const [field, value] of Object.entries(arg)) command.push(toBytes(field), toBytes(value));
    else command.push(toBytes(arg));
  }
  return command;
}

function refusal({ message }: ReplyError, name: string, args: readonly unknown[]): Error {
  return Object.assign(new Error(message), { command: { name, args } });
}

function objectOf(flat: readonly unknown[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (let at = 0; at + 1 < flat.length; at += 2) object[String(flat[at])] = flat[at + 1];
  return object;
}
