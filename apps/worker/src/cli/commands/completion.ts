/** `sluice completion <shell>`: prints a completion script that the shell loads at its start. */
import { Argument, type Command } from "commander";
import { completionScript, SHELLS, type Shell } from "../completion.ts";

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .summary("print a shell completion script")
    .description("Print a script with which the shell completes commands and options.")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .action((shell: Shell) => void process.stdout.write(completionScript(program, shell)));
}
