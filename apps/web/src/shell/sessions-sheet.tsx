"use client";
/** Every signed-in browser, and a button to sign all of them out. */
import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";
import { useSignOut } from "./sign-out.ts";

export function SessionsSheet({ open, onClose }: { open: boolean; onClose: () => void }) {
  const signOut = useSignOut({ everywhere: true });
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Signed-in browsers"
      footer={
        <Button tone="danger" onClick={signOut}>
          Sign out everywhere
        </Button>
      }
    >
      {open && <SessionList />}
      <p className="mt-4 text-sm text-muted">
        A changed password ends every session; its entry leaves this list within the hour.
      </p>
    </Dialog>
  );
}

function SessionList() {
  const trpc = useTRPC();
  const sessions = useQuery(trpc.session.list.queryOptions());
  return (
    <Answered query={sessions} what="The list of sessions" lines={3}>
      {(list) => (
        <ul className="flex flex-col divide-y divide-line text-sm">
          {list.map((session) => (
            <li key={`${session.started_at} ${session.from}`} className="py-2">
              <p className="font-medium">
                <VisibleName text={session.who} />
                <span className="text-muted"> from </span>
                <VisibleName text={session.from ?? "unknown address"} />
                {session.is_this && " (this browser)"}
              </p>
              <p className="text-muted">
                since <Time at={session.started_at} />, last used <Time at={session.used_at} />
              </p>
              <p className="break-words text-muted">
                <VisibleName text={session.agent ?? "unknown browser"} />
              </p>
            </li>
          ))}
        </ul>
      )}
    </Answered>
  );
}
