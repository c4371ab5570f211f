/**
 * Starts the dashboard in a container. Where no password is given, one is made on first start, kept in the volume
 * with mode 0600 and printed at every start: whoever can read the container's log may act.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { readConfig, systemInputs } from "../packages/config/src/index.ts";

const PASSWORD_FILE = "/var/lib/sluice/web-password";
const PASSWORD_BYTES = 15;
const EXIT_CANNOT_CREATE = 73;

// Whatever is wrong is said by the dashboard itself.
const { config, sources, wrong } = readConfig(systemInputs([]));

if (config.webAuth === "password" && sources.webPassword.kind === "computed" && !wrong.has("webPassword")) {
  console.log(`dashboard: http://127.0.0.1:${config.webPort}  password: ${keptPassword()}`);
  process.env.SLUICE_WEB_PASSWORD_FILE = PASSWORD_FILE;
}
await import("../apps/web/start.mjs");

/** The one made earlier, else a new one. */
function keptPassword() {
  try {
    writeFileSync(PASSWORD_FILE, `${randomBytes(PASSWORD_BYTES).toString("base64url")}\n`, {
      mode: 0o600,
      flag: "wx",
    });
  } catch (error) {
    if (error.code !== "EEXIST") {
      console.error(
        `${PASSWORD_FILE} cannot be written (${error.code}): mount a volume there, or set SLUICE_WEB_PASSWORD_FILE`,
      );
      process.exit(EXIT_CANNOT_CREATE);
    }
  }
  return readFileSync(PASSWORD_FILE, "utf8").trim();
}
