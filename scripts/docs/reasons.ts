/** The reason for each direct dependency at run time, and of the whole checkout. One without a reason fails a test. */
export const REASONS: Readonly<Record<string, string>> = {
  "@aws-sdk/client-s3":
    "S3's requests, signatures, credentials and errors. Raw commands only; bodies are sent by our own transport.",
  "@node-rs/crc32":
    "CRC32 in a fifth of zlib's time, in upload and verify. zlib where the platform has no build.",
  "@tanstack/react-query": "Cache and refresh of the dashboard's data.",
  "@tanstack/react-virtual": "Long lists with few rows in the DOM.",
  "@trpc/client": "Typed calls from the browser to the dashboard's server, and its live feed.",
  "@trpc/server": "The dashboard's procedures.",
  "@trpc/tanstack-react-query": "Joins the two above.",
  chokidar: "File events, used only as hints; the rescan finds everything.",
  commander: "The command line.",
  "fast-xml-parser": "Reads S3's XML requests in the embedded endpoint.",
  geist: "The dashboard's fonts, served by itself: no request to any other host.",
  ioredis: "Redis with scripts, pipelines, Sentinel and Cluster.",
  "lucide-react": "Icons.",
  "mime-types": "Content type by file name.",
  next: "The dashboard's server and pages.",
  nuqs: "Filters and pages of the dashboard live in the URL.",
  picomatch: "Glob patterns of include and exclude.",
  pino: "Logs, one JSON object per line.",
  "pino-pretty": "Readable logs on a terminal.",
  "prom-client": "Metrics.",
  react: "The dashboard's pages.",
  "react-dom": "The dashboard's pages.",
  ulid: "Ids of streams.",
  uplot: "The throughput chart.",
  yaml: "Reads sluice.yaml.",
  zod: "Validates external input: settings, Redis records, requests.",
};

/** Of the root's package.json: what builds, checks and documents the product, and is in none of its images. */
export const TOOLS: Readonly<Record<string, string>> = {
  "@playwright/test": "Browser tests and the pictures of the docs, with the system's Chromium.",
  "@types/node": "Node's types.",
  "fast-check": "Random histories and inputs in tests, made small when one fails.",
  knip: "Finds exports and dependencies that nothing uses.",
  marked: "Markdown to HTML for the site of the docs; without dependencies.",
  minisearch: "The search of that site, in the browser; without dependencies.",
  "oxc-parser": "Parses TypeScript for the pages of the packages' exports and for counts of the sources.",
  oxfmt: "Format.",
  oxlint: "Lint.",
  "oxlint-tsgolint": "Lint rules that need types.",
  typescript: "Types.",
  vitest: "Unit and integration tests.",
};
