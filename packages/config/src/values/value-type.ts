/**
 * A value type reads what a person wrote (text from a flag, the environment or a secret file, or YAML's own numbers,
 * lists and maps), says in words what is allowed, and writes the value the way it would be written.
 */
import { z } from "zod";

export interface ValueType<T> {
  /** Every issue it raises has `allowed` as its message. */
  readonly schema: z.ZodType<T>;
  /** Ends the sentence "… is allowed". */
  readonly allowed: string;
  format(value: T): string;
}

/** Builds a type from the shapes it takes and one function that reads them; undefined means "not allowed". */
export function valueType<T, Input>(options: {
  input: z.ZodType<Input>;
  allowed: string;
  read(input: Input): T | undefined;
  format(value: T): string;
}): ValueType<T> {
  const { input, allowed, read, format } = options;
  const schema = input.transform((raw, context) => {
    const value = read(raw);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: allowed });
    return z.NEVER;
  });
  return { schema, allowed, format };
}
