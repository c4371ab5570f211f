/** The proxies of the guide, by the very snippets that it prints, with a certificate of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../compose/run-program.ts";

export const NAME = "sluice.example.org";
const snippets = join(import.meta.dirname, "../../deploy/tls");

/** Of the machine that runs this, and Debian's packages that hold them. */
export const TLS_PROGRAMS = { nginx: "nginx-light", caddy: "caddy", openssl: "openssl" };

export interface Proxy {
  name: string;
  start(home: string, ports: { tls: number; dashboard: number }): ChildProcess;
}

export const PROXIES: readonly Proxy[] = [
  {
    name: "nginx",
    start(home, { tls, dashboard }) {
      const server = readFileSync(join(snippets, "nginx.conf"), "utf8")
        .replace("listen 443", `listen 127.0.0.1:${tls}`)
        .replace("127.0.0.1:3000", `127.0.0.1:${dashboard}`)
        .replaceAll("/etc/nginx/tls/sluice", join(home, "sluice"));
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
        (kind) => `${kind}_temp_path ${home}/${kind};`,
      );
      const text = `pid ${home}/nginx.pid; daemon off; error_log stderr; events {} http { access_log off; ${temporary.join(" ")}\n${server}}`;
      writeFileSync(join(home, "nginx.conf"), text);
      return spawn("nginx", ["-e", "stderr", "-p", home, "-c", join(home, "nginx.conf")], { stdio: "pipe" });
    },
  },
  {
    name: "Caddy",
    start(home, { tls, dashboard }) {
      const site = readFileSync(join(snippets, "Caddyfile"), "utf8")
        .replace(
          `${NAME} {`,
          `${NAME}:${tls} {\n\ttls ${home}/sluice.crt ${home}/sluice.key\n\tbind 127.0.0.1`,
        )
        .replace("127.0.0.1:3000", `127.0.0.1:${dashboard}`);
      writeFileSync(join(home, "Caddyfile"), `{\n\tadmin off\n\tauto_https off\n}\n${site}`);
      return spawn("caddy", ["run", "--adapter", "caddyfile", "--config", join(home, "Caddyfile")], {
        stdio: "pipe",
        env: { PATH: process.env["PATH"], HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home },
      });
    },
  },
];

/** As `sluice.crt` and `sluice.key`, for a day. */
export async function certificate(home: string): Promise<void> {
  await mustRun([
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "1",
    "-subj",
    `/CN=${NAME}`,
    "-addext",
    `subjectAltName=DNS:${NAME}`,
    "-keyout",
    join(home, "sluice.key"),
    "-out",
    join(home, "sluice.crt"),
  ]);
  await mustRun(["chmod", "0644", join(home, "sluice.key")]);
}
