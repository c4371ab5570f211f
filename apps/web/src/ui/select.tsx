"use client";
/** A choice of many options, as a native list; the first entry is "any". */
export function Select({
  label,
  value,
  options,
  words = (option) => option,
  onChange,
}: {
  label: string;
  value: string;
  options: readonly string[];
  words?: (option: string) => string;
  onChange: (value: string) => void;
}) {
  // A value from the URL that no longer exists stays visible, because it explains the empty list.
  const all = value === "" || options.includes(value) ? options : [value, ...options];
  return (
    <label>
      <span className="heard">{label}</span>
      <select
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className={`h-8.5 max-w-44 rounded-md border bg-surface px-2 text-sm ${value === "" ? "border-line text-muted" : "border-accent text-text"}`}
      >
        <option value="">{label}: any</option>
        {all.map((option) => (
          <option key={option} value={option}>
            {words(option)}
          </option>
        ))}
      </select>
    </label>
  );
}
