/** The Redis that stores the state. */
import { setting } from "../setting.ts";
import { onOff, text } from "../values/scalars.ts";
import { redisUrl } from "../values/urls.ts";

const group = "Redis";

export const redisSettings = {
  redisUrl: setting({
    name: "REDIS_URL",
    group,
    type: redisUrl(),
    initial: "redis://127.0.0.1:6379",
    secret: true,
    about: "The Redis (or Valkey) that holds every checkpoint; worker and dashboard use the same one.",
  }),
  keyPrefix: setting({
    name: "KEY_PREFIX",
    group,
    type: text("any text without spaces", (value) => !/[\s\p{Cc}]/u.test(value)),
    initial: "",
    emptyIsValue: true,
    about:
      "A prefix of every key, so that several installations can share one Redis. On Redis Cluster it must contain a hash tag, for example `{sluice}:`.",
  }),
  allowEviction: setting({
    name: "ALLOW_EVICTION",
    group,
    type: onOff(),
    initial: "false",
    about:
      "Start although Redis may evict keys (`maxmemory-policy` is not `noeviction`). Checkpoints can then vanish.",
  }),
};
