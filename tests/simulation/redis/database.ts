/**
 * One Redis in memory. Strings hold one byte in each character. It keeps every write of the last seconds as a log, so that it can come back older.
 */
import { createHash } from "node:crypto";
import {
  COMMANDS,
  ReplyError,
  Status,
  WRITES,
  type Access,
  type Entry,
  type Reply,
  type TypeName,
  type Value,
  type ValueOf,
} from "./commands.ts";
import { compileLua, type LuaScript } from "./lua.ts";
import { LuaError, LuaTable, type LuaValue } from "./lua-runtime.ts";

interface Written {
  atMs: number;
  command: readonly string[];
}

const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";

export interface DatabaseOptions {
  nowMs(): number;
  /** Names the server process, as INFO says it. */
  runId: string;
}

export class Database {
  readonly #nowMs: () => number;
  #entries = new Map<string, Entry>();
  readonly #scripts = new Map<string, LuaScript>();
  /** Everything that was written, to replay a part of it. */
  #written: Written[] = [];
  /** While a write is replayed: when it was made. */
  #replayMs: number | undefined;
  runId: string;
  /** Refuses a command before it has any effect: why, as Redis says it. */
  refuse: (command: string) => string | undefined = () => undefined;
  /** The script that runs errs once it has made so many writes. */
  failScriptAfterWrites: number | undefined;
  /** For the timeline: a write as it is made, those of scripts one by one. */
  onWrite: (command: readonly string[]) => void = () => undefined;
  /** An entry came into a stream. */
  onAppended: (key: string) => void = () => undefined;

  constructor({ nowMs, runId }: DatabaseOptions) {
    this.#nowMs = nowMs;
    this.runId = runId;
  }

  /** Never throws: a refusal is a reply. */
  execute(command: readonly string[]): Reply {
    try {
      return this.#run(command);
    } catch (error) {
      if (error instanceof ReplyError) return error;
      throw error;
    }
  }

  /** Back to what it held at that time. */
  goBackTo(ms: number): void {
    const kept = this.#written.filter(({ atMs }) => atMs <= ms);
    this.#entries = new Map();
    this.#written = [];
    for (const { atMs, command } of kept) {
      this.#replayMs = atMs;
      this.#run(command);
    }
    this.#replayMs = undefined;
  }

  empty(): void {
    this.#entries.clear();
    this.#written = [];
  }

  keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.#entry(key) !== undefined);
  }

  #now(): number {
    return Math.floor(this.#replayMs ?? this.#nowMs());
  }

  #run(command: readonly string[]): Reply {
    const [first = "", ...args] = command;
    const name = first.toUpperCase();
    const act = COMMANDS[name];
    if (!act) throw new ReplyError(`ERR unknown command '${first}'`);
    const refused = this.#replayMs === undefined ? this.refuse(name) : undefined;
    if (refused !== undefined) throw new ReplyError(refused);
    const reply = act(this.#access, args);
    if (WRITES.has(name)) {
      if (this.#replayMs === undefined) this.onWrite(command);
      this.#written.push({ atMs: this.#now(), command });
    }
    return reply;
  }

  readonly #access: Access = {
    now: () => this.#now(),
    runId: () => this.runId,
    get: (key, type) => this.#typed(key, type),
    make: (key, type, empty) => {
      const there = this.#typed(key, type);
      if (there !== undefined) return there;
      this.#entries.set(key, { value: { type, value: empty } as Value, expiresAtMs: undefined });
      return empty;
    },
    entry: (key) => this.#entry(key),
    remove: (key) => {
      const there = this.#entry(key) !== undefined;
      this.#entries.delete(key);
      return there;
    },
    keys: () => this.keys(),
    flush: () => this.#entries.clear(),
    appended: (key) => {
      if (this.#replayMs === undefined) this.onAppended(key);
    },
    script: (sha) => this.#scripts.get(sha),
    load: (source) => {
      const sha = createHash("sha1").update(Buffer.from(source, "latin1")).digest("hex");
      let script = this.#scripts.get(sha);
      if (!script) this.#scripts.set(sha, (script = compiled(sha, source)));
      return script;
    },
    eval: (script, keys, argv) => this.#eval(script, keys, argv),
  };

  #eval(script: LuaScript, keys: readonly string[], argv: readonly string[]): Reply {
    let writes = 0;
    const call = (args: readonly LuaValue[]): LuaValue => {
      const texts = args.map(commandText);
      const [name = "", ...rest] = texts;
      const act = COMMANDS[name.toUpperCase()];
      if (!act) throw new ReplyError(`ERR Unknown Redis command called from script`);
      const writing = WRITES.has(name.toUpperCase());
      if (writing && this.#replayMs === undefined) {
        const refused = this.refuse(name.toUpperCase());
        if (refused !== undefined && writes === 0) throw new ReplyError(refused);
        if (this.failScriptAfterWrites === writes) throw new ReplyError("ERR simulated: no more writes");
        writes += 1;
        this.onWrite(texts);
      }
      return toLua(act(this.#access, rest));
    };
    try {
      return fromLua(
        script({
          call,
          pcall: (args) => {
            try {
              return call(args);
            } catch (error) {
              if (!(error instanceof ReplyError)) throw error;
              const table = new LuaTable();
              table.set("err", error.message);
              return table;
            }
          },
          keys: LuaTable.of(keys),
          argv: LuaTable.of(argv),
        }),
      );
    } catch (error) {
      if (error instanceof ReplyError)
        throw new ReplyError(`${error.message} script: simulated, on @user_script:1.`);
      if (error instanceof LuaError) throw new ReplyError(`ERR user_script:1: ${error.message}`);
      throw error;
    }
  }

  #entry(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (entry.expiresAtMs !== undefined && entry.expiresAtMs <= this.#now()) {
      this.#entries.delete(key);
      return undefined;
    }
    return entry;
  }

  #typed<T extends TypeName>(key: string, type: T): ValueOf<T> | undefined {
    const entry = this.#entry(key);
    if (!entry) return undefined;
    if (entry.value.type !== type) throw new ReplyError(WRONG_TYPE);
    return entry.value.value as ValueOf<T>;
  }
}

/** Compiled once for all databases: the scripts are the same in each. */
const SCRIPT_CACHE = new Map<string, LuaScript>();

function compiled(sha: string, source: string): LuaScript {
  const known = SCRIPT_CACHE.get(sha);
  if (known) return known;
  let script: LuaScript;
  try {
    script = compileLua(source);
  } catch (error) {
    throw new ReplyError(`ERR Error compiling script: ${String(error)}`);
  }
  SCRIPT_CACHE.set(sha, script);
  return script;
}

function commandText(value: LuaValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new LuaError("Lua redis() command arguments must be strings or integers");
}

function toLua(reply: Reply): LuaValue {
  if (reply === null) return false;
  if (Array.isArray(reply)) return LuaTable.of(reply.map(toLua));
  if (reply instanceof Status) {
    const table = new LuaTable();
    table.set("ok", reply.text);
    return table;
  }
  if (reply instanceof ReplyError) throw reply;
  return reply;
}

function fromLua(value: LuaValue): Reply {
  if (typeof value === "string") return value;
  if (typeof value === "number") return Math.trunc(value);
  if (value === true) return 1;
  if (value instanceof LuaTable) {
    const [ok, err] = [value.get("ok"), value.get("err")];
    if (typeof err === "string") return new ReplyError(err);
    if (typeof ok === "string") return new Status(ok);
    const end = value.list.indexOf(undefined);
    return (end < 0 ? value.list : value.list.slice(0, end)).map(fromLua);
  }
  return null;
}
