"use client";
/** Ends the session in Redis, not only the cookie; then a whole new page, so that nothing read stays in memory. */
import { useMutation } from "@tanstack/react-query";
import { useTRPC } from "../trpc/client.tsx";

/** `everywhere`: every other session too. */
export function useSignOut({ everywhere }: { everywhere: boolean } = { everywhere: false }): () => void {
  const trpc = useTRPC();
  const { mutate } = useMutation(
    trpc.session.logout.mutationOptions({ onSettled: () => window.location.assign("/login") }),
  );
  // Pressed as a button: the event is no input.
  return () => mutate({ everywhere });
}
