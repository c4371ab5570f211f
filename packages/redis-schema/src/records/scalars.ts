/** Numbers, times and lists as stored in Redis: decimal text, ISO text, JSON text. */
import { z } from "zod";

/** Digits only; within the integers that JavaScript represents exactly. */
export const count = z
  .string()
  .regex(/^\d{1,16}$/, "is not a whole number")
  .transform(Number)
  .refine(Number.isSafeInteger, "is too large");

/** Digits only, kept as text: inodes, devices and nanoseconds exceed 2^53. */
export const digits = z.string().regex(/^-?\d{1,24}$/, "is not a decimal number");

export const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)), "is not a time");

/** A field that must not be empty. */
export const named = z.string().min(1, "is empty");

/** JSON text in one field of a hash. */
export function jsonField<T>(schema: z.ZodType<T>) {
  return z.string().transform((text, context): T => {
    try {
      const parsed = schema.safeParse(JSON.parse(text));
      if (parsed.success) return parsed.data;
    } catch {
      // Falls through: text that is not JSON and JSON of another shape give the same error.
    }
    context.addIssue({ code: "custom", message: "is not the expected JSON" });
    return z.NEVER;
  });
}
