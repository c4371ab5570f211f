import { expect, test } from "vitest";
import { sourceStateOf } from "./identity.ts";
import { sourceStateOfFailed } from "./source-state.ts";

const file = { file_inode: "7", file_birthtime_ns: "5" };
const facts = { size: 100, inode: "7", device: "1", birthtimeNs: "5", mtimeNs: "50", ctimeNs: "50" };
const seen = (over: Partial<typeof facts>) => ({ kind: "file" as const, facts: { ...facts, ...over } });

test.each([
  [seen({}), "present"],
  [seen({ size: 500 }), "present"],
  [seen({ size: 99 }), "replaced"],
  [seen({ inode: "8", birthtimeNs: "6" }), "replaced"],
  [{ kind: "missing" } as const, "missing"],
  [{ kind: "not_a_stream", what: "directory" } as const, "missing"],
  [{ kind: "unreadable", code: "EIO", detail: "input/output error" } as const, "unknown"],
])("of what a look finds (%o) the file is %s", (look, state) => {
  expect(sourceStateOf(file, look, 100)).toBe(state);
});

test.each([
  [{ source_state: "present", failure_reason: "file_missing" }, "present"],
  [{ failure_reason: "file_missing" }, "missing"],
  [{ failure_reason: "file_truncated" }, "replaced"],
  [{ failure_reason: "access_denied" }, "unknown"],
  [{ source_state: "elsewhere" }, "unknown"],
  [{}, "unknown"],
])("a failed stream's record (%o) says %s", (row, state) => {
  expect(sourceStateOfFailed(row)).toBe(state);
});
