/** The bucket as any program may see it: plain requests, signed here (SigV4), read with nothing but Node. */
import { createHash, createHmac } from "node:crypto";

export interface Target {
  endpoint: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
}

const REGION = "us-east-1";
const UNSIGNED = "UNSIGNED-PAYLOAD";

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const escape = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

export async function call(
  target: Target,
  method: string,
  key: string,
  query: Readonly<Record<string, string>> = {},
  body?: Buffer,
): Promise<Response> {
  const path = `/${[target.bucket, ...(key === "" ? [] : key.split("/"))].map(escape).join("/")}`;
  const search = Object.entries(query)
    .map(([name, value]) => `${escape(name)}=${escape(value)}`)
    .sort()
    .join("&");
  const { host } = new URL(target.endpoint);
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const headers = { host, "x-amz-content-sha256": UNSIGNED, "x-amz-date": time };
  const names = Object.keys(headers).join(";");
  const canonical = [
    method,
    path,
    search,
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    "",
    names,
    UNSIGNED,
  ].join("\n");
  const scope = `${time.slice(0, 8)}/${REGION}/s3/aws4_request`;
  const digest = createHash("sha256").update(canonical).digest("hex");
  const signingKey = ["s3", "aws4_request"].reduce(
    hmac,
    hmac(hmac(`AWS4${target.secretAccessKey}`, time.slice(0, 8)), REGION),
  );
  const signature = hmac(signingKey, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${digest}`).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${target.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return await fetch(`${target.endpoint}${path}${search === "" ? "" : `?${search}`}`, {
    method,
    headers: { "x-amz-content-sha256": UNSIGNED, "x-amz-date": time, authorization },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
}

export interface ObjectSeen {
  sha256: string;
  size: number;
}

/** Undefined when there is none. */
export async function readObject(target: Target, key: string): Promise<ObjectSeen | undefined> {
  const response = await call(target, "GET", key);
  if (response.status === 404) return undefined;
  if (response.status !== 200 || response.body === null) throw new Error(`GET ${key}: ${response.status}`);
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of response.body) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: hash.digest("hex"), size };
}

export async function readText(target: Target, key: string): Promise<string | undefined> {
  const response = await call(target, "GET", key);
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw new Error(`GET ${key}: ${response.status}`);
  return await response.text();
}

export async function listKeys(target: Target): Promise<string[]> {
  const keys: string[] = [];
  for (let token: string | undefined; ;) {
    const query = {
      "list-type": "2",
      "encoding-type": "url",
      ...(token ? { "continuation-token": token } : {}),
    };
    const text = await (await call(target, "GET", "", query)).text();
    keys.push(...tags(text, "Key").map((key) => decodeURIComponent(key.replaceAll("+", "%20"))));
    token = tags(text, "NextContinuationToken")[0];
    if (token === undefined) return keys;
  }
}

export interface OpenUpload {
  key: string;
  uploadId: string;
  parts: number;
}

/** At most the first thousand: more is a fault anyway. */
export async function listUploads(target: Target): Promise<OpenUpload[]> {
  const text = await (await call(target, "GET", "", { uploads: "" })).text();
  const keys = tags(text, "Key");
  return await Promise.all(
    tags(text, "UploadId").map(async (uploadId, at) => {
      const key = keys[at] ?? "";
      const parts = tags(await (await call(target, "GET", key, { uploadId })).text(), "PartNumber");
      return { key, uploadId, parts: parts.length };
    }),
  );
}

function tags(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(([, text = ""]) =>
    text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&"),
  );
}
