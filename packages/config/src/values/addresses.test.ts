import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressOf, addressText, isWithin, networkOf, rangeAround, type Network } from "./addresses.ts";

describe("an address", () => {
  test.each([
    ["192.0.2.1:5678", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["[::ffff:192.0.2.1]:80", "192.0.2.1"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["fe80::1%25eth0", "fe80::1"],
  ])("is the same in any spelling: %s", (text, plain) => {
    const address = addressOf(text);
    expect(address && addressText(address)).toBe(plain);
  });

  test.each([
    "",
    "unknown",
    "_hidden",
    "1",
    "0x7f.1",
    "010.0.0.1",
    "1.2.3",
    "1.2.3.4:",
    "::1::",
    "1.2.3.4.5",
  ])("is not: %s", (text) => {
    expect(addressOf(text)).toBeUndefined();
  });

  test("never throws, whatever stands in a header", () => {
    const odd = fc.string({ unit: fc.constantFrom(...Array.from("0123456789abcdef:.%[]/x")) });
    const readable = (text: string) => {
      const [address, network] = [addressOf(text), networkOf(text)];
      return (address === undefined || [4, 16].includes(address.length)) && (network?.bits ?? 0) <= 128;
    };
    expect(() => fc.assert(fc.property(fc.oneof(fc.string(), odd), readable))).not.toThrow();
  });
});

describe("a range", () => {
  const range = (text: string): Network => {
    const found = networkOf(text);
    if (found === undefined) throw new Error(`${text} is no range`);
    return found;
  };
  const holds = (text: string, address: string) => {
    const parsed = addressOf(address);
    return parsed !== undefined && isWithin(parsed, range(text));
  };

  test("holds the addresses of its own family, in any spelling", () => {
    expect(holds("10.0.0.0/8", "::ffff:10.1.2.3")).toBe(true);
    expect(holds("::ffff:10.0.0.0/104", "10.1.2.3")).toBe(true);
    expect(holds("10.0.0.0/8", "11.1.2.3")).toBe(false);
    expect(holds("fd00::/8", "fd12::1%eth0")).toBe(true);
    expect(holds("::/0", "10.1.2.3")).toBe(false);
    expect(holds("192.0.2.1", "192.0.2.1:99")).toBe(true);
  });

  test.each(["10.0.0.0/33", "10.0.0.0/8/8", "::/129", "::ffff:0:0/95", "all", "10.0.0.0/"])(
    "is not: %s",
    (text) => {
      expect(networkOf(text)).toBeUndefined();
    },
  );

  test("around an address is spelt in one way", () => {
    const around = (text: string, bits: number) => {
      const address = addressOf(text);
      return address && rangeAround(address, bits);
    };
    expect(around("192.0.2.200", 24)).toBe("192.0.2.0/24");
    expect(around("192.0.2.200", 32)).toBe("192.0.2.200/32");
    expect(around("192.0.2.200", 20)).toBe("192.0.0.0/20");
    expect(around("2001:db8:1:2:3:4:5:6", 64)).toBe("2001:db8:1:2::/64");
    expect(around("2001:db8:1:2:3:4:5:6", 52)).toBe("2001:db8:1::/52");
  });
});
