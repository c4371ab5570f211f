/** Sign in with the operator's password. */
import type { Metadata } from "next";
import { connection } from "next/server";
import { LoginForm } from "../../shell/login-form.tsx";
import { Brand } from "../../shell/brand.tsx";
import { DataProvider } from "../../trpc/client.tsx";
import { server } from "../../server/shared-server.ts";

export const metadata: Metadata = { title: "Sign in" };

export default async function LoginPage() {
  // Rendered for each request, because the page's scripts carry that request's nonce.
  await connection();
  const { environment } = server().settings;
  return (
    <main className="mx-auto flex min-h-dvh max-w-88 flex-col justify-center gap-6 px-5 py-10">
      <div className="flex items-center justify-between">
        <h1 className="text-lg">
          <Brand />
          <span className="heard">: sign in</span>
        </h1>
        {environment && (
          <span className="rounded-md bg-sunken px-2 py-1 text-xs font-semibold text-muted">
            {environment}
          </span>
        )}
      </div>
      <DataProvider>
        <LoginForm />
      </DataProvider>
    </main>
  );
}
