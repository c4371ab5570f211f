/**
 * A stream as lists show it: only the fields a list needs, parsed leniently, so that a record that cannot be used is
 * still shown. For display: bytes of a path that are not UTF-8 are shown as %XX.
 */
import {
  displayPath,
  FIELD_NAMES,
  isListed,
  isNumber,
  kindOf,
  MAX_PARTS,
  type Index,
  type Kind,
  type ListedField,
  type NumberField as NumberName,
} from "@sluice/core";
import type { RawHash } from "./records/text.ts";

const LISTED = FIELD_NAMES.filter(isListed);
const NUMBER_FIELDS = LISTED.filter((name) => isNumber(name));
const TEXT_FIELDS = LISTED.filter((name): name is TextField => name !== "status" && !isNumber(name));

export const LIST_FIELDS: readonly ListedField[] = LISTED;

type NumberField = ListedField & NumberName;
type TextField = Exclude<ListedField, NumberField | "status">;

export type ListedStream = { [K in TextField]?: string } & { [K in NumberField]?: number } & {
  id: string;
  /** As stored; a record of an early version without a status is `processing`; "" if there is no record. */
  status: string;
  /** Undefined for an unknown status. */
  kind: Kind | undefined;
  /** Absent if the row was read by id. */
  index?: Index;
  /** In ms since 1970: last activity (active) or time of entering. */
  score?: number;
};

/**
 * Undefined if none of a list's fields is stored under the id; the same for a whole hash and for its LIST_FIELDS alone.
 */
export function listedStream(id: string, hash: RawHash): ListedStream | undefined {
  if (!LISTED.some((field) => hash[field] !== undefined)) return undefined;
  const status = hash["status"] ?? "processing";
  const row: ListedStream = { id, status, kind: kindOf(status) };
  for (const field of TEXT_FIELDS) {
    const value = hash[field];
    if (value !== undefined) row[field] = displayPath(value);
  }
  for (const field of NUMBER_FIELDS) {
    const value = hash[field];
    if (value !== undefined && /^\d{1,16}$/.test(value)) row[field] = Number(value);
  }
  // Parts are counted from 1, and code that derives a size from the number must not get anything else.
  if (row.next_part !== undefined && (row.next_part < 1 || row.next_part > MAX_PARTS + 1))
    delete row.next_part;
  return row;
}

/** An id that an index lists although its record is missing. */
export function emptyRow(id: string): ListedStream {
  return { id, status: "", kind: undefined };
}

/** An id under whose name there is a key of another type. */
export function foreignRow(id: string): ListedStream {
  return { ...emptyRow(id), failure_detail: "the key of its record is not a hash: another program wrote it" };
}
