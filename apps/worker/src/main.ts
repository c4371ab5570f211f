#!/usr/bin/env node
/** `sluice <command>`: the exit code is the command's answer; an error names what is wrong and what to do. */
import { buildCli, runCli } from "./cli/cli.ts";
import { addWorkerCommand } from "./cli/worker-command.ts";

const program = buildCli();
addWorkerCommand(program);
await runCli(program);
