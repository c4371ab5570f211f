import { join } from "node:path";
import type { NextConfig } from "next";

/** One self-contained folder comes out of the build; `start.mjs` runs it. */
const config: NextConfig = {
  output: "standalone",
  outputFileTracingRoot: join(import.meta.dirname, "../.."),
  // Loaded as it is: its cluster code must not be bundled.
  serverExternalPackages: ["ioredis"],
  // No image is ever resized here.
  images: { unoptimized: true },
  outputFileTracingExcludes: { "*": ["**/node_modules/@img/**", "**/node_modules/sharp/**"] },
  // What Next itself reads of a body before a route sees it: requests of the first moments, before ours are guarded.
  experimental: { proxyClientMaxBodySize: "100kb" },
  poweredByHeader: false,
  reactStrictMode: true,
  // `pnpm types` checks the whole workspace, this package with it; a build checks nothing twice.
  typescript: { ignoreBuildErrors: true },
  devIndicators: false,
  turbopack: { root: join(import.meta.dirname, "../..") },
};

export default config;
