"use client";
/** The login form: one password, a name for the activity log, errors in words; a password manager may fill it in. */
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
        const name = field(event.currentTarget, "username").trim();
        rememberName(name);
        login.mutate({ password: field(event.currentTarget, "password"), name });
      }}
    >
      <div className="flex flex-col gap-1.5">
        <label htmlFor="username" className="text-sm font-medium">
          Your name <span className="font-normal text-muted">(optional, for the activity log)</span>
        </label>
        <input
          id="username"
          ref={withKnownName}
          name="username"
          type="text"
          maxLength={64}
          autoComplete="username"
          className="h-10 rounded-md border border-line-strong bg-surface px-3"
        />
      </div>
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

const NAME_KEY = "sluice_name";

/** Given once in each browser. A browser that keeps nothing asks again. */
function rememberName(name: string): void {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // Storage is blocked by the browser's settings.
  }
}

function withKnownName(input: HTMLInputElement | null): void {
  if (input === null || input.value !== "") return;
  try {
    input.value = localStorage.getItem(NAME_KEY) ?? "";
  } catch {
    // As above.
  }
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
