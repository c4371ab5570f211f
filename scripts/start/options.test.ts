import { expect, it } from "vitest";
import { parseOptions } from "./options.ts";
import { portFrom } from "./ports.ts";
import { baseUrl } from "./programs.ts";
import { summaryText } from "./summary.ts";

it("without options the inbox and the state are in the checkout", () => {
  expect(parseOptions("/check out", [])).toEqual({
    inbox: "/check out/inbox",
    stateDir: "/check out/.sluice",
    demo: false,
    dev: false,
  });
});

it("for development they are apart from those of `npm start`, and sample recordings grow", () => {
  expect(parseOptions("/check out", ["--dev"])).toEqual({
    inbox: "/check out/.sluice/dev/inbox",
    stateDir: "/check out/.sluice/dev",
    demo: true,
    dev: true,
  });
});

it("an unknown option is refused with the ones there are", () => {
  expect(() => parseOptions("/x", ["--dmeo"])).toThrow(/--demo/);
});

it("a port that is no port is refused by its variable's name", () => {
  expect(portFrom({}, "SLUICE_WEB_PORT", 3000)).toBe(3000);
  expect(portFrom({ SLUICE_WEB_PORT: "8080" }, "SLUICE_WEB_PORT", 3000)).toBe(8080);
  expect(() => portFrom({ SLUICE_WEB_PORT: "tcp://10.0.0.1:3000" }, "SLUICE_WEB_PORT", 3000)).toThrow(
    /SLUICE_WEB_PORT=tcp/,
  );
  expect(() => portFrom({ SLUICE_WEB_PORT: "70000" }, "SLUICE_WEB_PORT", 3000)).toThrow(/65535/);
});

it.each([
  ["127.0.0.1", "http://127.0.0.1:3000"],
  ["0.0.0.0", "http://127.0.0.1:3000"],
  ["::", "http://[::1]:3000"],
  ["::1", "http://[::1]:3000"],
])("a server bound to %s is reached at %s", (host, url) => {
  expect(baseUrl(host, 3000)).toBe(url);
});

it("the summary tells where to look, how to sign in and how to stop", () => {
  const parts = {
    url: "URL",
    signIn: "SIGNIN",
    inbox: "INBOX",
    redis: "REDIS",
    store: "STORE",
    logs: "LOGS",
    demo: false,
    dev: false,
  };
  const text = summaryText(parts);
  for (const word of ["URL", "SIGNIN", "INBOX", "REDIS", "STORE", "LOGS", "Ctrl-C"])
    expect(text).toContain(word);
  expect(text).not.toContain("Sample recordings");
  expect(text).not.toContain("sources change");
  expect(summaryText({ ...parts, demo: true })).toContain("Sample recordings");
  expect(summaryText({ ...parts, dev: true })).toContain("restarts when its sources change");
});
