/** The audit log: who did what. */
import type { Metadata } from "next";
import { ActivityView } from "../../../activity/activity-view.tsx";

export const metadata: Metadata = { title: "Activity" };

export default function ActivityPage() {
  return <ActivityView />;
}
