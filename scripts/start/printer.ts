/** Lines for the terminal: our own unchanged, a child's with its name as prefix. */
import { styleText } from "node:util";

export interface Printer {
  line(text: string): void;
  child(name: string, line: string): void;
}

const NAME_COLUMNS = 7;

export function printer(out: NodeJS.WriteStream): Printer {
  // A closed terminal accepts no lines; what is running must still be stopped in order.
  out.on("error", () => {});
  const dim = (text: string) => (out.isTTY ? styleText("dim", text, { stream: out }) : text);
  return {
    line: (text) => void out.write(`${text}\n`),
    child: (name, line) => void out.write(`${dim(`${name.padEnd(NAME_COLUMNS)}│`)} ${line}\n`),
  };
}
