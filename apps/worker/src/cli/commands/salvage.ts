/** `sluice salvage`: makes an object of what S3 holds of a stream whose file is gone, or of an upload without a stream. */
import { choose, readRows, sourcesAlive } from "@sluice/control/choose";
import { draftSalvage, draftSalvageUpload, type Draft } from "@sluice/control/draft";
import { OrphanStore } from "@sluice/redis-schema";
import type { Command } from "commander";
import { addPlanOptions, planOrRun, type PlanFlags } from "../actions/planned-action.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { findStreams } from "../find-streams.ts";
import { addFilters, addJson, type FilterFlags } from "../options.ts";
import { performOnRedis, type Session } from "../session.ts";
import { collect, selectRows } from "../stream-rows.ts";

interface SalvageFlags extends PlanFlags, FilterFlags {
  all?: true;
  upload?: true;
  force?: true;
}

export function addSalvage(program: Command): void {
  const command = program
    .command("salvage")
    .summary("make an object of what S3 holds of a lost file")
    .description(
      "Complete an object from the parts in S3, without the file: for a stream whose file is missing, replaced or truncated, or whose source has no living worker. The object holds the file's first bytes and is marked as partial. With --upload: an upload that no stream has, by its key and id.",
    )
    .argument("[id...]", "ids of streams, or their beginnings; with --upload: the key, then the upload id")
    .option("--all", "every stream that the filters leave and that can be salvaged")
    .option("--upload", "an open upload of which Redis knows nothing")
    .option("--force", "with --upload: also where its last part went up a moment ago");
  addJson(addPlanOptions(addFilters(command))).action(async (given: string[], flags: SalvageFlags) => {
    await performOnRedis(flags, (session) =>
      planOrRun(session, "salvage", ["salvage", "salvage_upload"], flags, () =>
        flags.upload ? uploadDraft(session, given, flags) : draftOf(session, given, flags),
      ),
    );
  });
}

async function uploadDraft(
  { context }: Session,
  given: readonly string[],
  flags: SalvageFlags,
): Promise<Draft> {
  const [key, id, ...more] = given;
  if (key === undefined || id === undefined || more.length > 0)
    throw new CliError(EXIT.usage, "Say --upload <key> <upload id>: sluice orphans ls --scan lists them.");
  const known = await new OrphanStore(context).orphan(id);
  if (known !== undefined && known.s3_key !== key)
    throw new CliError(EXIT.usage, `The upload ${id} was opened under ${known.s3_key}, not under ${key}.`);
  return draftSalvageUpload(known ?? { s3_upload_id: id, s3_key: key }, flags.force === true);
}

async function draftOf(session: Session, given: readonly string[], flags: SalvageFlags): Promise<Draft> {
  const { reader, context, out } = session;
  const { reason, source, watch, path, olderThan } = flags;
  if (flags.force) throw new CliError(EXIT.usage, "--force goes with --upload only.");
  if (given.length === 0 && !flags.all) throw new CliError(EXIT.usage, "Name streams, or say --all.");
  const alive = await sourcesAlive(context);
  if (given.length > 0) {
    if (flags.all) throw new CliError(EXIT.usage, "Name streams, or say --all, but not both.");
    const rows = await readRows(reader, await findStreams(reader, given));
    return draftSalvage(choose("salvage", rows, undefined, alive));
  }
  const filter = { reasons: reason, source, watch, path, olderThan };
  const rows = await collect(
    selectRows(reader, ["active", "pending_completion", "failed"], filter, out.nowMs),
  );
  return draftSalvage({ ...choose("salvage", rows, undefined, alive), excluded: [] });
}
