/**
 * The part of Lua 5.1 that our scripts are written in, compiled to JavaScript: the scripts that production sends to Redis
 * run here, at some ten microseconds a call. What is outside this part does not compile, so nothing runs differently
 * without saying so; the suites of redis-schema prove that the rest means here what it means in Redis.
 */

import { compileFunction } from "node:vm";
import { runtime, type LuaTable, type LuaValue } from "./lua-runtime.ts";

export interface LuaHost {
  call(args: readonly LuaValue[]): LuaValue;
  /** As `call`; an error of the command is a table with `err`. */
  pcall(args: readonly LuaValue[]): LuaValue;
  keys: LuaTable;
  argv: LuaTable;
}

export type LuaScript = (host: LuaHost) => LuaValue;

export function compileLua(source: string): LuaScript {
  const body = new Compiler(source).chunk();
  const build = compileFunction(`"use strict"; return (host) => {\n${body}\n};`, ["rt"]) as (
    rt: typeof runtime,
  ) => LuaScript;
  return build(runtime);
}

interface Token {
  kind: "name" | "keyword" | "number" | "string" | "symbol" | "end";
  text: string;
}

const KEYWORDS = new Set(
  "and break do else elseif end false for function if in local nil not or repeat return then true until while".split(
    " ",
  ),
);
const TOKEN =
  /\s+|--[^\n]*|([A-Za-z_]\w*)|(\d+(?:\.\d+)?)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(\.\.\.|\.\.|==|~=|<=|>=|[-+*/%#<>=(){}[\];:,.])/y;

/** Globals that scripts may use, as the text they become. */
const GLOBALS: Record<string, string> = {
  KEYS: "host.keys",
  ARGV: "host.argv",
  tonumber: "rt.tonumber",
  tostring: "rt.tostring",
  type: "rt.type",
  unpack: "rt.unpack",
  pcall: "rt.pcall",
};
const MEMBERS: Record<string, string> = {
  "redis.error_reply": "rt.errorReply",
  // A Redis of version 7 knows it; the simulated user may do everything.
  "redis.acl_check_cmd": "(() => true)",
  "string.match": "rt.match",
  "string.sub": "rt.sub",
  "string.format": "rt.format",
  "math.floor": "rt.floor",
  "math.max": "rt.max",
  "math.min": "rt.min",
  "cjson.decode": "rt.decode",
};
/** What gives several values. */
const MANY = new Set(["rt.unpack", "rt.pcall", "rt.match"]);

/** `many`: a list of values where JavaScript has one. */
interface Code {
  js: string;
  many?: boolean;
  /** What may be assigned to. */
  place?: { table: string; key: string } | { name: string };
}

class Compiler {
  readonly #tokens: Token[] = [];
  #at = 0;
  #temporaries = 0;
  /** Names in scope, innermost last. */
  readonly #scopes: Set<string>[] = [];

  constructor(source: string) {
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < source.length) {
      const at = TOKEN.lastIndex;
      const found = TOKEN.exec(source);
      if (!found) throw new Error(`not Lua as our scripts are written: ${source.slice(at, at + 40)}`);
      const [, name, number, single, double, symbol] = found;
      const quoted = single ?? double;
      if (name !== undefined)
        this.#tokens.push({ kind: KEYWORDS.has(name) ? "keyword" : "name", text: name });
      else if (number !== undefined) this.#tokens.push({ kind: "number", text: number });
      else if (quoted !== undefined) this.#tokens.push({ kind: "string", text: quoted });
      else if (symbol !== undefined) this.#tokens.push({ kind: "symbol", text: symbol });
    }
    this.#tokens.push({ kind: "end", text: "" });
  }

  chunk(): string {
    const body = this.#block();
    if (this.#peek().kind !== "end") throw this.#unexpected();
    return body;
  }

  #block(names: readonly string[] = []): string {
    this.#scopes.push(new Set(names));
    const lines: string[] = [];
    while (!this.#isBlockEnd()) lines.push(this.#statement());
    this.#scopes.pop();
    return lines.join("\n");
  }

  #isBlockEnd(): boolean {
    const { kind, text } = this.#peek();
    return kind === "end" || (kind === "keyword" && ["end", "else", "elseif", "until"].includes(text));
  }

  #statement(): string {
    if (this.#accept(";")) return "";
    if (this.#accept("local")) return this.#accept("function") ? this.#localFunction() : this.#local();
    if (this.#accept("if")) return this.#if();
    if (this.#accept("for")) return this.#for();
    if (this.#accept("return")) return this.#return();
    const first = this.#postfix();
    if (!first.place) return `${first.js};`;
    const places = [first];
    while (this.#accept(",")) places.push(this.#postfix());
    this.#expect("=");
    const values = this.#list();
    if (places.length === 1) return this.#assignment(first, single(values[0]));
    const list = `t${(this.#temporaries += 1)}`;
    const stores = places.map((place, at) => this.#assignment(place, `${list}[${at}]`));
    return `{ const ${list} = ${listOf(values)}; ${stores.join(" ")} }`;
  }

  #assignment({ place }: Code, value: string): string {
    if (!place) throw this.#unexpected();
    return "name" in place
      ? `${place.name} = ${value};`
      : `rt.assign(${place.table}, ${place.key}, ${value});`;
  }

  #localFunction(): string {
    const name = this.#name();
    this.#declare(name);
    return `const ${variable(name)} = ${this.#functionBody()};`;
  }

  #functionBody(): string {
    this.#expect("(");
    const names: string[] = [];
    let rest = false;
    while (!this.#accept(")")) {
      if (this.#accept("...")) rest = true;
      else names.push(this.#name());
      this.#accept(",");
    }
    const body = this.#block(names);
    this.#expect("end");
    return `(${[...names.map(variable), ...(rest ? ["...rest"] : [])].join(", ")}) => {\n${body}\n}`;
  }

  #local(): string {
    const names = [this.#name()];
    while (this.#accept(",")) names.push(this.#name());
    const values = this.#accept("=") ? this.#list() : [];
    for (const name of names) this.#declare(name);
    const [only] = names;
    if (names.length === 1 && only !== undefined)
      return `let ${variable(only)} = ${values.length === 0 ? "undefined" : single(values[0])};`;
    return `let [${names.map(variable).join(", ")}] = ${listOf(values)};`;
  }

  #if(): string {
    const condition = this.#condition();
    this.#expect("then");
    let text = `if (${condition}) {\n${this.#block()}\n}`;
    for (;;) {
      if (this.#accept("elseif")) {
        const next = this.#condition();
        this.#expect("then");
        text += ` else if (${next}) {\n${this.#block()}\n}`;
        continue;
      }
      if (this.#accept("else")) text += ` else {\n${this.#block()}\n}`;
      this.#expect("end");
      return text;
    }
  }

  #condition(): string {
    return `rt_true(${single(this.#expression())})`.replace("rt_true", TRUE);
  }

  #for(): string {
    const names = [this.#name()];
    if (this.#accept("=")) {
      const [from, to, step] = this.#list();
      this.#expect("do");
      const [name = ""] = names;
      const body = this.#block(names);
      this.#expect("end");
      const i = `i${(this.#temporaries += 1)}`;
      return `for (let ${i} = ${single(from)}, end${i} = ${single(to)}; ${i} <= end${i}; ${i} += ${step ? single(step) : "1"}) {\nlet ${variable(name)} = ${i};\n${body}\n}`;
    }
    while (this.#accept(",")) names.push(this.#name());
    this.#expect("in");
    if (this.#name() !== "ipairs") throw this.#unexpected();
    this.#expect("(");
    const list = single(this.#expression());
    this.#expect(")");
    this.#expect("do");
    const body = this.#block(names);
    this.#expect("end");
    const [index = "", item = ""] = names;
    const i = `i${(this.#temporaries += 1)}`;
    return `{ const list${i} = rt.items(${list}); for (let ${i} = 0; ${i} < list${i}.length; ${i} += 1) {\nlet ${variable(index)} = ${i} + 1, ${variable(item)} = list${i}[${i}];\n${body}\n} }`;
  }

  #return(): string {
    const text = this.#isBlockEnd() ? "return undefined;" : `return ${single(this.#expression())};`;
    this.#accept(";");
    if (!this.#isBlockEnd()) throw this.#unexpected();
    return text;
  }

  #list(): Code[] {
    const list = [this.#expression()];
    while (this.#accept(",")) list.push(this.#expression());
    return list;
  }

  /** By precedence: or, and, comparison, .., + -, * / %, unary. */
  #expression(level = 0): Code {
    const operators = LEVELS[level];
    if (!operators) return this.#unary();
    let left = this.#expression(level + 1);
    for (;;) {
      const operator = operators.find((one) => this.#accept(one));
      if (operator === undefined) return left;
      // `..` binds to the right, which only matters for speed.
      const right = this.#expression(level + 1);
      left = { js: binary(operator, single(left), single(right)) };
    }
  }

  #unary(): Code {
    if (this.#accept("not")) return { js: `!${TRUE}(${single(this.#unary())})` };
    if (this.#accept("#")) return { js: `rt.length(${single(this.#unary())})` };
    if (this.#accept("-")) return { js: `-rt.number(${single(this.#unary())})` };
    return this.#postfix();
  }

  #postfix(): Code {
    let code = this.#primary();
    for (;;) {
      if (this.#accept(".")) {
        const key = this.#name();
        const member = MEMBERS[`${code.js}.${key}`];
        if (member !== undefined) code = { js: member };
        else if (code.js === "redis") code = { js: `redis.${key}` };
        else code = this.#member(code, JSON.stringify(key));
      } else if (this.#accept("[")) {
        const key = single(this.#expression());
        this.#expect("]");
        code = this.#member(code, key);
      } else if (this.#accept(":")) {
        // Only strings have methods here.
        const method = MEMBERS[`string.${this.#name()}`];
        if (method === undefined) throw this.#unexpected();
        this.#expect("(");
        code = this.#call({ js: method }, [code]);
      } else if (this.#accept("(")) code = this.#call(code, []);
      else return code;
    }
  }

  #member(code: Code, key: string): Code {
    const table = single(code);
    return { js: `rt.index(${table}, ${key})`, place: { table, key } };
  }

  #call(callee: Code, before: readonly Code[]): Code {
    const args = [...before];
    if (!this.#accept(")")) {
      args.push(...this.#list());
      this.#expect(")");
    }
    if (callee.js === "redis.call") return { js: `host.call(${listOf(args)})` };
    if (callee.js === "redis.pcall") return { js: `host.pcall(${listOf(args)})` };
    if (callee.js.startsWith("rt.")) {
      return { js: `${callee.js}(${spread(args)})`, many: MANY.has(callee.js) };
    }
    return { js: `rt.call(${single(callee)}, ${listOf(args)})` };
  }

  #primary(): Code {
    const { kind, text } = this.#next();
    if (kind === "number") return { js: text };
    if (kind === "string") return { js: JSON.stringify(unescape(text)) };
    if (kind === "name") return this.#variable(text);
    switch (text) {
      case "nil":
        return { js: "undefined" };
      case "true":
      case "false":
        return { js: text };
      case "...":
        return { js: "rest", many: true };
      case "(": {
        const inner = single(this.#expression());
        this.#expect(")");
        return { js: `(${inner})` };
      }
      case "{":
        return this.#table();
      case "function":
        return { js: `(${this.#functionBody()})` };
      default:
        this.#at -= 1;
        throw this.#unexpected();
    }
  }

  #variable(name: string): Code {
    if (this.#scopes.some((scope) => scope.has(name)))
      return { js: variable(name), place: { name: variable(name) } };
    const global = GLOBALS[name];
    if (global !== undefined) return { js: global };
    // A library: its members are looked up by their whole name.
    if (["redis", "string", "math", "cjson"].includes(name)) return { js: name };
    throw new Error(`a Lua global that is not provided: ${name}`);
  }

  #table(): Code {
    const items: Code[] = [];
    const fields: string[] = [];
    while (!this.#accept("}")) {
      const [first, second] = [this.#peek(), this.#tokens[this.#at + 1]];
      if (first.kind === "name" && second?.text === "=") {
        const key = this.#name();
        this.#expect("=");
        fields.push(`table.set(${JSON.stringify(key)}, ${single(this.#expression())});`);
      } else items.push(this.#expression());
      if (!this.#accept(",")) this.#accept(";");
    }
    const list = `rt.LuaTable.of(${listOf(items)})`;
    if (fields.length === 0) return { js: list };
    return { js: `((table) => { ${fields.join(" ")} return table; })(${list})` };
  }

  #declare(name: string): void {
    this.#scopes.at(-1)?.add(name);
  }

  #name(): string {
    const { kind, text } = this.#next();
    if (kind === "name") return text;
    this.#at -= 1;
    throw this.#unexpected();
  }

  #accept(text: string): boolean {
    const token = this.#peek();
    if (token.text !== text || token.kind === "string") return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw this.#unexpected(`instead of ${text}`);
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "" };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }

  #unexpected(more = ""): Error {
    const near = this.#tokens.slice(this.#at, this.#at + 6).map(({ text }) => text);
    return new Error(`not Lua as our scripts are written, near: ${near.join(" ")} ${more}`);
  }
}

const LEVELS: readonly (readonly string[])[] = [
  ["or"],
  ["and"],
  ["==", "~=", "<=", ">=", "<", ">"],
  [".."],
  ["+", "-"],
  ["*", "/", "%"],
];

/** Everything but nil and false is true. */
const TRUE = "((v) => v !== undefined && v !== false)";

function binary(operator: string, a: string, b: string): string {
  switch (operator) {
    case "or":
      return `((v) => v !== undefined && v !== false ? v : ${b})(${a})`;
    case "and":
      return `((v) => v !== undefined && v !== false ? ${b} : v)(${a})`;
    case "==":
      return `(${a} === ${b})`;
    case "~=":
      return `(${a} !== ${b})`;
    case "<":
      return `rt.less(${a}, ${b})`;
    case ">":
      return `rt.less(${b}, ${a})`;
    case "<=":
      return `!rt.less(${b}, ${a})`;
    case ">=":
      return `!rt.less(${a}, ${b})`;
    case "..":
      return `rt.concat(${a}, ${b})`;
    default:
      return `(rt.number(${a}) ${operator} rt.number(${b}))`;
  }
}

function single(code: Code | undefined): string {
  if (!code) return "undefined";
  return code.many ? `${code.js}[0]` : code.js;
}

/** The last one gives all its values, as Lua has it. */
function spread(codes: readonly Code[]): string {
  return codes
    .map((code, at) => (at === codes.length - 1 && code.many ? `...${code.js}` : single(code)))
    .join(", ");
}

function listOf(codes: readonly Code[]): string {
  return `[${spread(codes)}]`;
}

/** No name of JavaScript's own. */
function variable(name: string): string {
  return `$${name}`;
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter));
}
