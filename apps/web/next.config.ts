import { join } from "node:path";
import type { NextConfig } from "next";

/** One self-contained folder comes out of the build; `start.mjs` runs it. */
const config: NextConfig = {
  output: "standalone",
  outputFileTracingRoot: join(import.meta.dirname, "../.."),
  // On the server these are loaded as they are: the Lua scripts lie beside the code that names them, and an error's
  // class is the same wherever it is caught. Node runs their TypeScript directly.
  serverExternalPackages: ["ioredis", "@sluice/core", "@sluice/redis-schema"],
  poweredByHeader: false,
  reactStrictMode: true,
  // `pnpm types` checks the whole workspace, this package with it; a build checks nothing twice.
  typescript: { ignoreBuildErrors: true },
  images: { unoptimized: true },
  devIndicators: false,
  turbopack: { root: join(import.meta.dirname, "../..") },
};

export default config;
