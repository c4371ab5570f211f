import { join } from "node:path";
import type { NextConfig } from "next";

/** One self-contained folder comes out of the build; `start.mjs` runs it. */
const config: NextConfig = {
  output: "standalone",
  outputFileTracingRoot: join(import.meta.dirname, "../.."),
  transpilePackages: ["@sluice/core", "@sluice/redis-schema"],
  // Loaded as it is: its Lua and cluster code must not be bundled.
  serverExternalPackages: ["ioredis"],
  poweredByHeader: false,
  reactStrictMode: true,
  // The event stream must leave at once, and the pages are small: compression belongs to the proxy in front.
  compress: true,
  images: { unoptimized: true },
  devIndicators: false,
  turbopack: { root: join(import.meta.dirname, "../..") },
};

export default config;
