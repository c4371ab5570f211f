/** Lua's values and functions, as far as our scripts use them. */

/** Lua's nil is undefined; strings hold one byte in each character, as Redis has them. */
export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction;
export type LuaFunction = (...args: LuaValue[]) => LuaValue;

export class LuaTable {
  readonly list: LuaValue[] = [];
  readonly fields = new Map<string, LuaValue>();

  static of(values: readonly LuaValue[]): LuaTable {
    const table = new LuaTable();
    table.list.push(...values);
    return table;
  }

  get(key: LuaValue): LuaValue {
    return typeof key === "number" ? this.list[key - 1] : this.fields.get(key as string);
  }

  set(key: LuaValue, value: LuaValue): void {
    if (typeof key === "number") this.list[key - 1] = value;
    else this.fields.set(key as string, value);
  }
}

/** Raised by the script or by a command that it calls; `reply` is what a caller of the script is answered. */
export class LuaError extends Error {
  override readonly name = "LuaError";
}

/** What the translated text of a script calls. */
export const runtime = {
  LuaTable,
  index(table: LuaValue, key: LuaValue): LuaValue {
    if (table instanceof LuaTable) return table.get(key);
    throw new LuaError(`attempt to index a ${typeName(table)} value`);
  },
  assign(table: LuaValue, key: LuaValue, value: LuaValue): void {
    if (!(table instanceof LuaTable)) throw new LuaError(`attempt to index a ${typeName(table)} value`);
    table.set(key, value);
  },
  length(value: LuaValue): number {
    if (typeof value === "string") return value.length;
    if (value instanceof LuaTable) return value.list.length;
    throw new LuaError(`attempt to get length of a ${typeName(value)} value`);
  },
  number(value: LuaValue): number {
    const found = toNumber(value);
    if (found === undefined)
      throw new LuaError(`attempt to perform arithmetic on a ${typeName(value)} value`);
    return found;
  },
  concat(a: LuaValue, b: LuaValue): string {
    for (const value of [a, b])
      if (typeof value !== "string" && typeof value !== "number")
        throw new LuaError(`attempt to concatenate a ${typeName(value)} value`);
    return numberText(a) + numberText(b);
  },
  less(a: LuaValue, b: LuaValue): boolean {
    if (typeof a === "number" && typeof b === "number") return a < b;
    if (typeof a === "string" && typeof b === "string") return a < b;
    throw new LuaError(`attempt to compare ${typeName(a)} with ${typeName(b)}`);
  },
  call(callee: LuaValue, args: LuaValue[]): LuaValue {
    if (typeof callee !== "function") throw new LuaError(`attempt to call a ${typeName(callee)} value`);
    return callee(...args);
  },
  unpack(table: LuaValue, from: LuaValue = 1, to?: LuaValue): LuaValue[] {
    const { list } = table as LuaTable;
    return list.slice(Number(from) - 1, to === undefined ? list.length : Number(to));
  },
  pcall(callee: LuaValue, ...args: LuaValue[]): LuaValue[] {
    try {
      return [true, (callee as LuaFunction)(...args)];
    } catch (error) {
      return [false, error instanceof Error ? error.message : String(error)];
    }
  },
  items(table: LuaValue): LuaValue[] {
    const { list } = table as LuaTable;
    const end = list.indexOf(undefined);
    return end < 0 ? list : list.slice(0, end);
  },
  tonumber: toNumber,
  tostring: (value: LuaValue): LuaValue => numberText(value),
  type: (value: LuaValue): LuaValue => typeName(value),
  floor: (value: LuaValue): LuaValue => Math.floor(runtime.number(value)),
  max: (...values: LuaValue[]): LuaValue => Math.max(...values.map(runtime.number)),
  min: (...values: LuaValue[]): LuaValue => Math.min(...values.map(runtime.number)),
  sub(text: LuaValue, from: LuaValue, to?: LuaValue): LuaValue {
    return asText(text).slice(Number(from) - 1, to === undefined ? undefined : Number(to));
  },
  format(pattern: LuaValue, ...values: LuaValue[]): LuaValue {
    let at = 0;
    return asText(pattern).replace(/%[ds]/g, (spec) => {
      const value = values[at++];
      return spec === "%d" ? String(Math.trunc(runtime.number(value))) : numberText(value);
    });
  },
  /** All captures, or the whole match. */
  match(text: LuaValue, pattern: LuaValue): LuaValue[] {
    const found = regexOf(asText(pattern)).exec(asText(text));
    if (!found) return [undefined];
    return found.length > 1 ? found.slice(1) : [found[0]];
  },
  decode(text: LuaValue): LuaValue {
    return fromJson(JSON.parse(Buffer.from(asText(text), "latin1").toString("utf8")) as unknown);
  },
  errorReply: (message: LuaValue): LuaValue => {
    const table = new LuaTable();
    table.set("err", message);
    return table;
  },
};

function asText(value: LuaValue): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new LuaError(`bad argument (string expected, got ${typeName(value)})`);
}

function toNumber(value: LuaValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

function numberText(value: LuaValue): string {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toPrecision(14);
  if (typeof value === "string") return value;
  return typeof value === "boolean" ? String(value) : typeName(value);
}

export function typeName(value: LuaValue): string {
  if (value === undefined) return "nil";
  return value instanceof LuaTable ? "table" : typeof value;
}

function fromJson(value: unknown): LuaValue {
  if (typeof value === "string") return Buffer.from(value, "utf8").toString("latin1");
  if (typeof value === "number" || typeof value === "boolean") return value;
  const table = new LuaTable();
  if (Array.isArray(value)) table.list.push(...value.map(fromJson));
  else if (value !== null && typeof value === "object")
    for (const [key, one] of Object.entries(value)) table.set(key, fromJson(one));
  return table;
}

const patterns = new Map<string, RegExp>();

/** The classes and quantifiers that our scripts use. */
function regexOf(pattern: string): RegExp {
  const known = patterns.get(pattern);
  if (known) return known;
  const text = pattern.replace(/%w/g, "[A-Za-z0-9]").replace(/%d/g, "\\d").replace(/-\?/g, "\\-?");
  if (text.includes("%")) throw new Error(`a Lua pattern that is not translated: ${pattern}`);
  const regex = new RegExp(text, "s");
  patterns.set(pattern, regex);
  return regex;
}
