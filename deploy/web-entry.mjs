/**
 * Starts the dashboard in a container. Where no password is given, one is made on first start, kept in the volume
 * with mode 0600 and printed at every start: whoever can read the container's log may act.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const PASSWORD_FILE = "/var/lib/sluice/web-password";
const PASSWORD_BYTES = 15;
const EXIT_CANNOT_CREATE = 73;

const { SLUICE_WEB_AUTH: auth = "", SLUICE_WEB_PASSWORD: password = "" } = process.env;
const { SLUICE_WEB_PASSWORD_FILE: file = "", SLUICE_WEB_PORT: port = "3000" } = process.env;

if (password === "" && file === "" && (auth === "" || auth === "password")) {
  console.log(`dashboard: http://127.0.0.1:${port}  password: ${keptPassword()}`);
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
