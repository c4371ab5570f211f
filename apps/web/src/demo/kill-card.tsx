"use client";
/** The demonstration, which only a demo loads. */
import dynamic from "next/dynamic";
import { useSession } from "../shell/session-context.tsx";

const DemoCard = dynamic(() => import("./demo-card.tsx").then((module) => module.DemoCard), { ssr: false });

/** Renders nothing outside a demo. `id`: of the stream on the page. */
export function KillCard({ id }: { id?: string }) {
  const { demo } = useSession();
  return demo ? <DemoCard id={id} /> : null;
}
