import { expect, test } from "vitest";
import { LiveSeats } from "./live-seats.ts";

test("past the most of one session its oldest feed ends, and nobody else's", () => {
  const seats = new LiveSeats({ ofSession: 2, inAll: 10 });
  const other = seats.take("bob");
  const [first, second, third] = ["ada", "ada", "ada"].map((session) => seats.take(session));
  expect([first, second, third, other].map((seat) => seat?.lost.aborted)).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(seats.open).toBe(3);
});

test("past the most in all the oldest of all ends", () => {
  const seats = new LiveSeats({ ofSession: 2, inAll: 3 });
  const taken = ["ada", "bob", "cyd", "dan"].map((session) => seats.take(session));
  expect(taken.map((seat) => seat.lost.aborted)).toEqual([true, false, false, false]);
});

test("a feed that ended gives its place back once", () => {
  const seats = new LiveSeats({ ofSession: 1, inAll: 3 });
  const first = seats.take("ada");
  first.leave();
  const second = seats.take("ada");
  first.leave();
  expect(second.lost.aborted).toBe(false);
  expect(seats.open).toBe(1);
});

test("a thousand feeds of one session leave the most that one may have", () => {
  const seats = new LiveSeats();
  for (let count = 0; count < 1_000; count += 1) seats.take("ada");
  expect(seats.open).toBe(12);
});
