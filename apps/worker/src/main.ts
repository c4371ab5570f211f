#!/usr/bin/env node
/** `sluice <command>`: the exit code is the command's answer; an error names what is wrong and what to do. */
import { Command } from "commander";
import { addWorkerCommand } from "./cli/worker-command.ts";
import { VERSION } from "./version.ts";

const program = new Command("sluice")
  .version(VERSION)
  .description("Gets files that are still being written safely into S3.");
addWorkerCommand(program);
await program.parseAsync();
