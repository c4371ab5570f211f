"use client";
/** The login form: one password, errors in words; a password manager may fill it in. */
import { useMutation } from "@tanstack/react-query";
import { codeOf } from "../trpc/query-client.ts";
import { useTRPC } from "../trpc/client.tsx";
import { nextPath } from "../trpc/sign-in-again.ts";
import { field } from "../ui/form-field.ts";
import { Button } from "../ui/button.tsx";

export function LoginForm() {
  const trpc = useTRPC();
  const login = useMutation(
    trpc.session.login.mutationOptions({
      // Loads a new page, so that nothing of the signed-out one is kept.
      onSuccess: () => window.location.assign(nextPath(window.location.search)),
    }),
  );
  const busy = login.isPending || login.isSuccess;
  return (
    <form
      className="card flex flex-col gap-4 p-5"
      onSubmit={(event) => {
        event.preventDefault();
        if (busy) return;
        login.mutate({ password: field(event.currentTarget, "password") });
      }}
    >
      {/* For password managers: there is only one account. */}
      <input type="text" name="username" autoComplete="username" value="operator" readOnly hidden />
      <div className="flex flex-col gap-1.5">
        <label htmlFor="password" className="text-sm font-medium">
          Password
        </label>
        <input
          id="password"
          name="password"
          type="password"
          required
          autoFocus
          autoComplete="current-password"
          aria-invalid={login.isError}
          aria-describedby="login-trouble"
          className="h-10 rounded-md border border-line-strong bg-surface px-3"
        />
      </div>
      <p id="login-trouble" role="alert" className="min-h-5 text-sm text-bad">
        {login.isError && trouble(login.error)}
      </p>
      <Button type="submit" tone="primary" className="min-h-10" aria-busy={busy}>
        {busy ? "Signing in…" : "Sign in"}
      </Button>
    </form>
  );
}

function trouble(error: { message: string }): string {
  switch (codeOf(error) ?? "") {
    case "UNAUTHORIZED":
      return "Wrong password.";
    case "TOO_MANY_REQUESTS":
    case "FORBIDDEN":
      return error.message;
    case "SERVICE_UNAVAILABLE":
      return "Redis is not reachable, so nobody can sign in now. Try again when it is back.";
    default:
      return "The dashboard did not answer. Try again.";
  }
}
