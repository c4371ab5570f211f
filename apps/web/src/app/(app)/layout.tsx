/** Pages that need a login. Other visitors are redirected to sign in; each procedure checks access itself. */
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import type { ReactNode } from "react";
import { ActionProvider } from "../../actions/action-context.tsx";
import { LiveProvider } from "../../live/live-context.tsx";
import { server } from "../../server/shared-server.ts";
import { RedisAway } from "../../shell/redis-away.tsx";
import { Refused } from "../../shell/refused.tsx";
import { SessionProvider } from "../../shell/session-context.tsx";
import { Shell } from "../../shell/shell.tsx";
import { DataProvider } from "../../trpc/client.tsx";

export default async function AppLayout({ children }: { children: ReactNode }) {
  const { settings, pageAccess, firstBatch } = server();
  const access = await pageAccess(await headers());
  if (access.kind === "redis_away") return <RedisAway detail={access.detail} />;
  if (access.kind === "refused") return <Refused why={access.why} />;
  if (access.kind === "login") redirect("/login");
  const facts = {
    user: access.user,
    role: access.role,
    read_only: settings.readOnly,
    can_sign_out: settings.auth.mode === "password",
    demo: settings.demo,
    ...(settings.environment === undefined ? {} : { environment: settings.environment }),
  };
  return (
    <DataProvider>
      <SessionProvider facts={facts}>
        <LiveProvider first={await firstBatch()}>
          <ActionProvider>
            <Shell>{children}</Shell>
          </ActionProvider>
        </LiveProvider>
      </SessionProvider>
    </DataProvider>
  );
}
