/** Webhooks about streams. The address comes from the configuration alone, never from a page or a request. */
import { WEBHOOK_EVENTS } from "@sluice/core";
import { setting } from "../setting.ts";
import { someOf } from "../values/collections.ts";
import { duration, text } from "../values/scalars.ts";
import { host, webhookUrl } from "../values/urls.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const group = "Webhooks";

/** Bytes of the key, as the Standard Webhooks convention requires. */
const KEY_BYTES = { from: 24, to: 64 };

export const webhookSettings = {
  webhookUrl: setting({
    name: "WEBHOOK_URL",
    group,
    type: webhookUrl(),
    secret: true,
    computed: "none: no messages are sent",
    about:
      "Where a signed message is sent when a stream completed, failed or stalled, or a worker is in trouble (docs/reference/webhooks.md).",
  }),
  webhookAllowHost: setting({
    name: "WEBHOOK_ALLOW_HOST",
    group,
    type: host(),
    computed: "none",
    about:
      "The host of SLUICE_WEBHOOK_URL again, if it is or resolves to a link-local address or a cloud's metadata address: otherwise no message is sent there.",
  }),
  webhookSecret: setting({
    name: "WEBHOOK_SECRET",
    group,
    type: text(`whsec_ and the base64 of ${KEY_BYTES.from} to ${KEY_BYTES.to} bytes`, (value) => {
      const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value)?.[1] ?? "";
      const { length } = Buffer.from(base64, "base64");
      return length >= KEY_BYTES.from && length <= KEY_BYTES.to;
    }),
    secret: true,
    computed: "none; required with an address",
    about: "Signs every message. Make one with `echo whsec_$(openssl rand -base64 32)`.",
  }),
  webhookEvents: setting({
    name: "WEBHOOK_EVENTS",
    group,
    type: someOf(WEBHOOK_EVENTS),
    initial: WEBHOOK_EVENTS.join(","),
    about: "The events to send.",
  }),
  webhookMaxAgeMs: setting({
    name: "WEBHOOK_MAX_AGE",
    group,
    type: duration({ from: MINUTE, to: 30 * DAY }),
    initial: "24h",
    about: "A message that could not be delivered for this long is dropped and counted.",
  }),
};
