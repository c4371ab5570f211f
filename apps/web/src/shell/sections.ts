/** The pages of the dashboard, defined once for navigation, titles and shortcuts. */
import {
  Activity,
  Database,
  Gauge,
  HeartPulse,
  Layers,
  Send,
  Server,
  TriangleAlert,
  Unlink,
  type LucideIcon,
} from "lucide-react";

export interface Section {
  href: string;
  name: string;
  icon: LucideIcon;
  /** Pressed after "g". */
  key: string;
}

export const SECTIONS: readonly Section[] = [
  { href: "/", name: "Overview", icon: Gauge, key: "o" },
  { href: "/streams", name: "Streams", icon: Layers, key: "s" },
  { href: "/failed", name: "Failed", icon: TriangleAlert, key: "f" },
  { href: "/orphans", name: "Orphans", icon: Unlink, key: "r" },
  { href: "/sources", name: "Sources", icon: Database, key: "v" },
  { href: "/workers", name: "Workers", icon: Server, key: "w" },
  { href: "/webhooks", name: "Webhooks", icon: Send, key: "h" },
  { href: "/activity", name: "Activity", icon: Activity, key: "a" },
  { href: "/system", name: "System", icon: HeartPulse, key: "d" },
];

export function isCurrent(href: string, pathname: string): boolean {
  return href === "/" ? pathname === "/" : pathname === href || pathname.startsWith(`${href}/`);
}
