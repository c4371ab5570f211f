/** One GET that answers JSON, trusting the benchmark's own certificate. */
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { Certificate } from "./certificate.ts";

export function askJson(url: string, certificate?: Certificate): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onReply = (reply: http.IncomingMessage): void => {
      let text = "";
      reply.on("data", (chunk: Buffer) => (text += chunk.toString()));
      reply.on("end", () => resolve(JSON.parse(text)));
      reply.on("error", reject);
    };
    const asked =
      certificate === undefined
        ? http.get(url, onReply)
        : https.get(url, { ca: readFileSync(certificate.cert) }, onReply);
    asked.on("error", reject);
  });
}
