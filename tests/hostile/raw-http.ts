/** HTTP by hand: what no client library would send, and connections that are left half way. */
import { connect, type Socket } from "node:net";

export interface Reply {
  /** 0 when the connection ended without an answer. */
  status: number;
  /** Names in small letters. */
  headers: ReadonlyMap<string, string>;
}

export class RawConnection {
  readonly #socket: Socket;
  #text = "";
  #ended = false;
  #changed: () => void = () => undefined;

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("data", (chunk: Buffer) => {
      // The head is all that is asked for.
      if (this.#text.length < 64 * 1024) this.#text += chunk.toString("latin1");
      this.#changed();
    });
    const end = () => {
      this.#ended = true;
      this.#changed();
    };
    this.#socket.on("close", end);
    this.#socket.on("error", end);
  }

  /** Resolves when the bytes were taken, or the other side has had enough. */
  send(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (this.#ended) resolve();
      else this.#socket.write(bytes, () => resolve());
    });
  }

  /** The head of the answer. */
  async reply(withinMs = 10_000): Promise<Reply> {
    const deadline = Date.now() + withinMs;
    while (!this.#text.includes("\r\n\r\n") && !this.#ended) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no answer within ${withinMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return parseHead(this.#text);
  }

  end(): void {
    this.#socket.destroy();
  }
}

function parseHead(text: string): Reply {
  const [head = ""] = text.split("\r\n\r\n", 1);
  const [line = "", ...fields] = head.split("\r\n");
  const headers = new Map(
    fields.map((field) => {
      const at = field.indexOf(":");
      return [field.slice(0, at).toLowerCase(), field.slice(at + 1).trim()] as const;
    }),
  );
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1] ?? 0), headers };
}

/** Sends one request as it stands and gives the head of its answer. */
export async function ask(port: number, request: string | Buffer): Promise<Reply> {
  const connection = new RawConnection(port);
  try {
    await connection.send(request);
    return await connection.reply();
  } finally {
    connection.end();
  }
}

/** A request's head; `lines` after the request line. */
export function head(line: string, ...lines: string[]): string {
  return `${[`${line} HTTP/1.1`, ...lines].join("\r\n")}\r\n\r\n`;
}
