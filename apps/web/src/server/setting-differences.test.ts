import { expect, it } from "vitest";
import { settingDifferences } from "./setting-differences.ts";

const setting = (name: string, value?: string) => ({
  name,
  group: "Parts",
  origin: "default",
  ...(value === undefined ? {} : { value }),
});
const own = [
  setting("SLUICE_PART_SIZE", "8MiB"),
  setting("SLUICE_BANDWIDTH"),
  setting("SLUICE_VERIFY", "full"),
  setting("SLUICE_WORKER_ID", "a"),
];

it("names every setting whose value another worker does not have, and the value there", () => {
  const others = [
    {
      id: "b",
      settings: [
        setting("SLUICE_PART_SIZE", "16MiB"),
        setting("SLUICE_BANDWIDTH", "1MiB/s"),
        setting("SLUICE_VERIFY", "full"),
        setting("SLUICE_WORKER_ID", "b"),
        setting("watch cam", "/data"),
      ],
    },
    { id: "c", settings: own.slice(0, 2) },
  ];
  expect(Object.fromEntries(settingDifferences(own, others))).toEqual({
    SLUICE_PART_SIZE: [{ worker: "b", value: "16MiB" }],
    SLUICE_BANDWIDTH: [{ worker: "b", value: "1MiB/s" }],
    SLUICE_VERIFY: [{ worker: "c" }],
    "watch cam": [{ worker: "b", value: "/data" }],
  });
});

it("finds nothing between equals, and nothing without others", () => {
  expect(settingDifferences(own, [{ id: "b", settings: own }]).size).toBe(0);
  expect(settingDifferences(own, []).size).toBe(0);
});
