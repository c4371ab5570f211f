"use client";
/** The dashboard's own health: how old what it shows is, how fast Redis answers it; and its settings. */
import { useQuery } from "@tanstack/react-query";
import { formatBytes, formatCount, formatDuration } from "@sluice/control/units";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Card } from "../ui/card.tsx";
import { Fact } from "../ui/fact.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { SettingsCard } from "../ui/settings-card.tsx";
import { Age, Time } from "../ui/time.tsx";

const AT_LEAST_EVERY_MS = 10_000;
/** The rows are compared with Redis every few seconds. */
const OLD_MS = 15_000;
const SLOW_REDIS_MS = 100;
const FAR_BEHIND_MS = 5_000;

export function SystemPageView() {
  const trpc = useTRPC();
  const view = useQuery(trpc.system.get.queryOptions(undefined, { refetchInterval: AT_LEAST_EVERY_MS }));
  return (
    <>
      <PageTitle title="System">The dashboard itself: what it knows, and since when.</PageTitle>
      <Answered query={view} what="The state of the dashboard" lines={8}>
        {({ at, version, started_at, redis, read_model: model, live_feeds, memory_bytes, settings }) => (
          <div className="flex flex-col gap-4">
            <Card title="Health">
              <dl className="grid grid-cols-2 gap-x-6 gap-y-2.5 text-sm sm:grid-cols-4" data-testid="health">
                <Fact name="Redis answers in">
                  <Judged
                    bad={redis.answers_in_ms === undefined}
                    warn={(redis.answers_in_ms ?? 0) > SLOW_REDIS_MS}
                  >
                    {redis.answers_in_ms === undefined
                      ? (redis.detail ?? "it does not answer")
                      : `${redis.answers_in_ms.toFixed(1)} ms`}
                  </Judged>
                </Fact>
                <Fact name="Agreed with Redis">
                  <Judged
                    bad={model.confirmed_at === undefined}
                    warn={at - (model.confirmed_at ?? at) > OLD_MS}
                  >
                    {model.confirmed_at === undefined ? (
                      "not yet"
                    ) : (
                      <>
                        <Age since={model.confirmed_at} /> ago
                      </>
                    )}
                  </Judged>
                </Fact>
                <Fact name="Behind the newest event">
                  <Judged warn={(model.feed_lag_ms ?? 0) > FAR_BEHIND_MS}>
                    {model.feed_lag_ms === undefined
                      ? "not known"
                      : model.feed_lag_ms === 0
                        ? "not at all"
                        : formatDuration(Math.max(1_000, model.feed_lag_ms))}
                  </Judged>
                </Fact>
                <Fact name="Streams in memory">
                  {formatCount(model.streams)}
                  {!model.filled && <span className="text-warn"> so far, still being read</span>}
                </Fact>
                <Fact name="Open live feeds">{formatCount(live_feeds)}</Fact>
                <Fact name="Memory">{formatBytes(memory_bytes)}</Fact>
                <Fact name="Version">{version}</Fact>
                <Fact name="Started">
                  <Time at={started_at} />
                </Fact>
              </dl>
              <p className="mt-3 text-sm text-muted">
                Probes ask <code>/api/health</code>, which needs no session.
              </p>
            </Card>
            <SettingsCard settings={settings} />
          </div>
        )}
      </Answered>
    </>
  );
}

function Judged({
  bad = false,
  warn,
  children,
}: {
  bad?: boolean;
  warn: boolean;
  children: React.ReactNode;
}) {
  return <span className={bad ? "font-semibold text-bad" : warn ? "text-warn" : ""}>{children}</span>;
}
