"use client";
/** Shown when not even the session can be looked up. Retries every few seconds and then opens the page. */
import { DatabaseZap } from "lucide-react";
import { useRouter } from "next/navigation";
import { useEffect } from "react";

const LOOK_AGAIN_MS = 2_000;

export function RedisAway({ detail }: { detail: string }) {
  const router = useRouter();
  useEffect(() => {
    const timer = setInterval(() => router.refresh(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [router]);
  return (
    <main className="mx-auto flex min-h-dvh max-w-xl flex-col justify-center gap-4 px-5 py-10">
      <title>Redis not reachable · Sluice</title>
      <DatabaseZap aria-hidden className="size-9 text-bad" />
      <h1 className="text-xl">Redis not reachable</h1>
      <p role="status" className="text-muted">
        {detail}. This page looks again every two seconds and opens by itself.
      </p>
      <ul className="list-disc space-y-1.5 pl-5 text-sm">
        <li>
          Uploads do not lose bytes: files stay on disk, and workers wait and resume when Redis is back.
        </li>
        <li>
          Is Redis running, and does <code>SLUICE_REDIS_URL</code> point to it? Inside a container,{" "}
          <code>127.0.0.1</code> is the container itself.
        </li>
        <li>
          Are host, port, password and TLS (<code>rediss://</code>) right, and is there a firewall in between?
        </li>
      </ul>
    </main>
  );
}
