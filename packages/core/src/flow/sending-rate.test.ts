import { expect, it } from "vitest";
import { SendingRate } from "./sending-rate.ts";

it("is what was acknowledged over the time since the first part set out, for a minute at most", () => {
  const rate = new SendingRate();
  expect(rate.now(0)).toBeUndefined();
  rate.begin(1_000);
  expect(rate.now(5_000)).toBeUndefined();
  rate.acknowledged(8_000, 5_000);
  expect(rate.now(5_000)).toBe(2_000);
  expect(rate.now(9_000)).toBe(1_000);
  rate.acknowledged(8_000, 60_000);
  expect(rate.now(121_000), "the last acknowledgement is older than a minute").toBeUndefined();
  rate.begin(200_000);
  rate.acknowledged(1_000, 201_000);
  expect(rate.now(201_000)).toBe(1_000);
});
