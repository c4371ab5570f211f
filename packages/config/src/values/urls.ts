/** Types that name a place: URLs, hosts, ports, and what happens to a file afterwards. Passwords are never repeated. */
import { isIP } from "node:net";
import { z } from "zod";
import type { AfterUpload } from "@sluice/core";
import { parseRedisUrl } from "@sluice/redis-schema/redis-url";
import { redacted } from "../redact.ts";
import { text } from "./scalars.ts";
import { valueType, type ValueType } from "./value-type.ts";

export function redisUrl(): ValueType<string> {
  const allowed =
    "redis://, rediss:// (TLS), redis+sentinel://host:port,host:port/name or redis+cluster://host:port,host:port";
  return {
    allowed,
    schema: z.string({ error: allowed }).superRefine((value, context) => {
      const parsed = parseRedisUrl(value);
      if (parsed.ok) return;
      context.addIssue({ code: "custom", message: `${allowed} (${parsed.detail})` });
    }),
    format: redacted,
  };
}

export function httpUrl(): ValueType<string> {
  const allowed = "an http:// or https:// address, such as https://s3.example.com";
  return {
    ...text(allowed, (value) => {
      const url = URL.parse(value);
      return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "";
    }),
    format: redacted,
  };
}

/** A template with `{bucket}` and `{key}` after its host, so that what is filled in cannot change where it leads. */
export function objectUrl(): ValueType<string> {
  return text(
    "an http:// or https:// address without a password, with {bucket} and {key} only after its host",
    (value) => {
      const head = value.split(/[/?#]/).slice(0, 3).join("/");
      const filled = value.replaceAll(/\{(?:bucket|key)\}/g, "x");
      const url = URL.parse(filled);
      if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
        return false;
      return !/[{}]/.test(head + filled) && !/[\s\p{Cc}\\]/u.test(value);
    },
  );
}

/** May have a query. Metadata addresses are checked together with the hosts that are allowed. */
export function webhookUrl(): ValueType<string> {
  const allowed = "an http:// or https:// address without a password";
  return {
    ...text(allowed, (value) => {
      const url = URL.parse(value);
      if (url === null || !/^https?:$/.test(url.protocol)) return false;
      return url.username === "" && url.password === "";
    }),
    format: redacted,
  };
}

export function host(): ValueType<string> {
  return text(
    "an address or a host name, such as 127.0.0.1 or 0.0.0.0",
    (value) => isIP(value.replace(/^\[|\]$/g, "")) > 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value),
  );
}

export function isLoopback(address: string): boolean {
  const plain = address.replace(/^\[|\]$/g, "").toLowerCase();
  return plain === "localhost" || plain === "::1" || (isIP(plain) === 4 && plain.startsWith("127."));
}

/** The directory of `move:` is made absolute later: it is relative to the place where it was set. */
export function afterUpload(): ValueType<AfterUpload> {
  const allowed = "keep, delete or move:<directory>";
  return valueType({
    input: z.string({ error: allowed }).regex(/^(?:keep|delete|move:.+)$/, { error: allowed }),
    allowed,
    read: (value): AfterUpload =>
      value === "keep" || value === "delete"
        ? { kind: value }
        : { kind: "move", directory: value.slice("move:".length) },
    format: (value) => (value.kind === "move" ? `move:${value.directory}` : value.kind),
  });
}
