import { describe, expect, it } from "vitest";
import { objectNames } from "./object-address.ts";

const ROW = { kind: "completed", s3_bucket: "recordings", s3_key: "cam 1/a&b.ts" } as const;
const BASE = "https://s3.example.com/recordings/";

describe("the names of an object", () => {
  it("are a URI, an address and a link to the console", () => {
    expect(objectNames(ROW, BASE, "https://console.example.com/{bucket}?key={key}")).toEqual({
      uri: "s3://recordings/cam 1/a&b.ts",
      address: "https://s3.example.com/recordings/cam%201/a%26b.ts",
      console: "https://console.example.com/recordings?key=cam%201%2Fa%26b.ts",
    });
  });

  it("are left out where they are not known", () => {
    expect(objectNames(ROW, undefined, undefined)).toEqual({ uri: "s3://recordings/cam 1/a&b.ts" });
    expect(objectNames({ ...ROW, kind: "processing" }, BASE, undefined)).toBeUndefined();
    expect(objectNames({ kind: "completed", s3_bucket: "b" }, BASE, undefined)).toBeUndefined();
  });

  it.each([
    ["a script", "javascript:alert(1)//"],
    ["a password", "https://a:b@s3.example.com/"],
    ["no address", "x"],
  ])("from Redis are never %s", (_, base) => {
    expect(objectNames(ROW, base, undefined)).not.toHaveProperty("address");
  });

  it.each(["a/../b", "./a", "\ud800"])(
    "have no address for the key %j, which no browser can ask for",
    (key) => {
      expect(objectNames({ ...ROW, s3_key: key }, BASE, undefined)).not.toHaveProperty("address");
    },
  );

  it("of a key that looks like a template or a replacement are still of that key", () => {
    const names = objectNames({ ...ROW, s3_key: "{bucket}$&" }, BASE, "https://c.example.com/?k={key}");
    expect(names?.console).toBe("https://c.example.com/?k=%7Bbucket%7D%24%26");
  });
});
