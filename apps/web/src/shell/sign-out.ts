"use client";
/** Ends the session in Redis, not only the cookie; then loads a new page, so that nothing stays in memory. */
import { useMutation } from "@tanstack/react-query";
import { useTRPC } from "../trpc/client.tsx";

/** `everywhere`: every other session too. */
export function useSignOut({ everywhere }: { everywhere: boolean } = { everywhere: false }): () => void {
  const trpc = useTRPC();
  const { mutate } = useMutation(
    trpc.session.logout.mutationOptions({ onSettled: () => window.location.assign("/login") }),
  );
  // Called as a click handler, so the event must not become the input.
  return () => mutate({ everywhere });
}
