/** The document. Theme and fonts are right from the first byte; fonts are part of the build, nothing is fetched. */
import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import type { Metadata, Viewport } from "next";
import { cookies } from "next/headers";
import { NuqsAdapter } from "nuqs/adapters/next/app";
import type { ReactNode } from "react";
import { readPreferences } from "../lib/preferences.ts";
import { PreferencesProvider } from "../ui/preferences-context.tsx";
import "./globals.css";

export const metadata: Metadata = {
  title: { template: "%s · Sluice", default: "Sluice" },
  robots: { index: false, follow: false },
};

export const viewport: Viewport = {
  colorScheme: "light dark",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f9fafb" },
    { media: "(prefers-color-scheme: dark)", color: "#0d1117" },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  const jar = await cookies();
  const preferences = readPreferences((name) => jar.get(name)?.value);
  return (
    <html lang="en" data-theme={preferences.theme} className={`${GeistSans.variable} ${GeistMono.variable}`}>
      <body className="font-sans">
        <PreferencesProvider initial={preferences}>
          <NuqsAdapter>{children}</NuqsAdapter>
        </PreferencesProvider>
      </body>
    </html>
  );
}
