/** A certificate for 127.0.0.1, made for each run; the programs measured over TLS are configured to trust it. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

export interface Certificate {
  /** Paths of PEM files. */
  cert: string;
  key: string;
}

const REQUEST =
  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1";

export function makeCertificate(directory: string): Certificate {
  const cert = join(directory, "endpoint.crt");
  const key = join(directory, "endpoint.key");
  execFileSync("openssl", [...REQUEST.split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert, key };
}
