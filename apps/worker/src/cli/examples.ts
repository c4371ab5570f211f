/** Examples by command, for `--help` and for the reference page. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  worker: ["sluice worker --watch /data/recordings --s3-bucket recordings"],
  ls: ["sluice ls", "sluice ls failed --reason access_denied --older-than 1h", "sluice ls all --json"],
  show: ["sluice show 01k9w3"],
  parts: ["sluice parts 01k9w3 --compare"],
  retry: [
    "sluice retry 01k9w3",
    "sluice retry --all --reason access_denied",
    "sluice retry /data/recordings/cam1.mkv",
  ],
  finalize: ["sluice finalize 01k9w3", "sluice finalize 01k9w3 --force --yes"],
  abort: ["sluice abort 01k9w3 --yes --count 1"],
  purge: [
    "sluice purge 01k9w3",
    "sluice purge --all --older-than 7d --uploads keep",
    "token=$(sluice purge --reason file_replaced --reason file_truncated --plan) && sluice purge --execute $token",
    "sluice purge --completed --older-than 1d --yes",
  ],
  "orphans ls": ["sluice orphans ls --scan"],
  "orphans clean": ["sluice orphans clean", "sluice orphans clean --older-than 3d --yes --count 4"],
  verify: ["sluice verify 01k9w3", "sluice verify cam1/2026-11-24.mkv --deep"],
  export: ["sluice export > streams.ndjson", "sluice export completed --parts | jq -r .s3_key"],
  adopt: ["sluice adopt --from old-host"],
  doctor: ["sluice doctor", "sluice doctor --json --strict"],
  "config print": ["sluice config print", "sluice config print --part-size 16MiB --json"],
  "config validate": ["sluice config validate", "sluice config validate --for all"],
  healthcheck: ["sluice healthcheck", "sluice healthcheck --ready"],
};
