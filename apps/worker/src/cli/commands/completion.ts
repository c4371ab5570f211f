/** `sluice completion <shell>`: a script for the shell to read at its start. */
import { Argument, type Command } from "commander";
import { completionScript, SHELLS, type Shell } from "../completion.ts";

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .summary("complete commands in a shell")
    .description("Print what a shell needs to complete this command's words and options.")
    .addArgument(new Argument("<shell>", "the shell that reads it").choices(SHELLS))
    .action((shell: Shell) => void process.stdout.write(completionScript(program, shell)));
}
