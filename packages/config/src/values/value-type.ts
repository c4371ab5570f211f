/**
 * A value type parses what the user wrote (text from a flag, the environment or a secret file, or YAML numbers, lists
 * and maps), describes what is allowed, and formats values the way users write them.
 */
import { z } from "zod";

export interface ValueType<T> {
  /** All its issues have `allowed` as their message. */
  readonly schema: z.ZodType<T>;
  /** The subject of the sentence "… is allowed". */
  readonly allowed: string;
  format(value: T): string;
}

/** Builds a type from the input shapes it accepts and a function that parses them; undefined means "not allowed". */
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
