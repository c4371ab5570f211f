/** A receiver as others write one: it verifies with the Standard Webhooks library, and answers as it is told. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { Webhook } from "standardwebhooks";

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

export interface Received {
  id: string;
  /** What the receiver answered. */
  status: number;
  type: string;
  data: Readonly<Record<string, unknown>>;
}

export type Respond = (
  message: Omit<Received, "status">,
) => number | "hang" | Readonly<Record<string, string>>;

export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  /** Every call whose signature is right, in order of arrival; those left hanging have status 0. */
  readonly calls: Received[];
  /** Calls whose signature is wrong. */
  readonly forged: number;
  /** What is answered from now on: a status, headers of a redirect, or nothing at all. */
  respond: Respond;
  accepted(): Received[];
}

export async function startReceiver(respond: Respond = () => 204, port = 0): Promise<WebhookReceiver> {
  const verifier = new Webhook(SECRET);
  const receiver = {
    calls: [] as Received[],
    forged: 0,
    respond,
    url: "",
    accepted: () => receiver.calls.filter(({ status }) => status >= 200 && status < 300),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    let body: { type: string; data: Record<string, unknown> };
    try {
      body = verifier.verify(text, request.headers as Record<string, string>) as typeof body;
    } catch {
      receiver.forged += 1;
      response.writeHead(401).end();
      return;
    }
    const message = { id: String(request.headers["webhook-id"]), type: body.type, data: body.data };
    const answer = receiver.respond(message);
    const status = answer === "hang" ? 0 : typeof answer === "number" ? answer : 307;
    receiver.calls.push({ ...message, status });
    if (answer === "hang") return;
    response.writeHead(status, typeof answer === "number" ? {} : answer).end();
  }

  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return receiver;
}
