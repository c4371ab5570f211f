/** A receiver of webhooks, as its owner would write one: it checks the signature and keeps what it has seen. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

export interface Message {
  type: string;
  data: Readonly<Record<string, unknown>>;
}

const SECRET_BYTES = 32;

export class Receiver implements AsyncDisposable {
  readonly secret = `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;
  /** Those with the right signature, each once. */
  readonly messages: Message[] = [];
  /** What was refused, and why. */
  readonly refused: string[] = [];
  readonly #seen = new Set<string>();
  readonly #server = createServer((request, response) => {
    void buffer(request).then((body) => {
      response.statusCode = this.#take(request.headers, body) ? 204 : 401;
      response.end();
    });
  });

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await once(receiver.#server.listen(0, "127.0.0.1"), "listening");
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/sluice`;
  }

  about(type: string, path: string): Message | undefined {
    return this.messages.find((message) => message.type === type && message.data["original_path"] === path);
  }

  of(type: string): Message | undefined {
    return this.messages.find((message) => message.type === type);
  }

  #take(headers: IncomingHttpHeaders, body: Buffer): boolean {
    const id = String(headers["webhook-id"]);
    try {
      const message = new Webhook(this.secret).verify(body, headers as Record<string, string>) as Message;
      if (!this.#seen.has(id)) this.messages.push(message);
      this.#seen.add(id);
      return true;
    } catch (error) {
      this.refused.push(`${id}: ${String(error)}`);
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
