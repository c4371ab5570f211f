"use client";
/** The effective settings of one program, each with its origin; those in which another worker differs are marked. */
import { useState } from "react";
import { plural } from "@sluice/control/units";
import { TriangleAlert } from "lucide-react";
import { Card } from "./card.tsx";
import { Choice } from "./choice.tsx";
import { Cell, Row, Table } from "./table.tsx";
import { VisibleName } from "./visible-name.tsx";

export interface ShownSetting {
  name: string;
  group: string;
  value?: string;
  origin: string;
  /** What other workers of the source have instead. */
  elsewhere?: readonly { worker: string; value?: string }[];
}

const GRID = "grid grid-cols-1 gap-x-5 gap-y-0.5 md:grid-cols-[minmax(0,4fr)_minmax(0,4fr)_minmax(0,3fr)]";
const COLUMNS = [{ name: "Setting" }, { name: "Value" }, { name: "From" }] as const;
const SHOWN = [
  { value: "given", label: "Given" },
  { value: "all", label: "All" },
] as const;

export function SettingsCard({ settings }: { settings: readonly ShownSetting[] }) {
  const [shown, setShown] = useState<"given" | "all">("given");
  const differing = settings.filter(({ elsewhere }) => elsewhere !== undefined).length;
  const rows = settings.filter((setting) => shown === "all" || isGiven(setting));
  return (
    <Card
      title="Effective settings"
      flush
      aside={
        <Choice
          legend="Which settings"
          hideLegend
          name="settings"
          value={shown}
          options={SHOWN}
          onChange={setShown}
        />
      }
    >
      {differing > 0 && (
        <p className="flex items-start gap-2 px-4 pb-2 text-sm text-warn" data-testid="differing">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          {plural(differing, "setting differs", "settings differ")} from those of another worker of this
          source.
        </p>
      )}
      <Table label="Effective settings" columns={COLUMNS} grid={GRID}>
        {rows.map((setting) => (
          <SettingRow key={setting.name} setting={setting} />
        ))}
      </Table>
      <p className="border-t border-line px-4 py-2.5 text-sm text-muted">
        {shown === "given"
          ? `${plural(settings.length - rows.length, "other setting has its default", "other settings have their defaults")}.`
          : "Of secrets only whether they are set is shown."}
      </p>
    </Card>
  );
}

function SettingRow({ setting: { name, value, origin, elsewhere } }: { setting: ShownSetting }) {
  return (
    <Row grid={GRID} className="py-2">
      <Cell className="font-mono text-xs [overflow-wrap:anywhere]">
        <VisibleName text={name} />
      </Cell>
      <Cell>
        {value === undefined ? (
          <span className="text-muted">not set</span>
        ) : (
          <VisibleName text={value} className="font-mono text-xs" />
        )}
        {elsewhere?.map((other) => (
          <span key={other.worker} className="block text-xs text-warn [overflow-wrap:anywhere]">
            {other.worker} has {other.value === undefined ? "it not set" : <VisibleName text={other.value} />}
          </span>
        ))}
      </Cell>
      <Cell className="text-muted [overflow-wrap:anywhere]">{origin}</Cell>
    </Row>
  );
}

/** Whatever somebody decided, or should decide. */
function isGiven({ origin, elsewhere }: ShownSetting): boolean {
  return elsewhere !== undefined || !(origin.startsWith("default") || origin === "computed");
}
