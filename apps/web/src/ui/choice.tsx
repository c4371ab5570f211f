"use client";
/** A choice of a few options: radio buttons that look like a segmented switch. */
export function Choice<T extends string>({
  legend,
  name,
  value,
  options,
  onChange,
  hideLegend = false,
}: {
  legend: string;
  name: string;
  value: T;
  options: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
  hideLegend?: boolean;
}) {
  return (
    <fieldset>
      <legend className={hideLegend ? "heard" : "mb-1.5 text-xs font-medium text-muted"}>{legend}</legend>
      <div className="flex flex-wrap rounded-lg border border-line bg-sunken p-0.5">
        {options.map((option) => (
          <label
            key={option.value}
            className="relative flex-1 cursor-pointer rounded-md border border-transparent px-2.5 py-0.5 text-center text-sm whitespace-nowrap text-muted has-checked:border-line has-checked:bg-raised has-checked:font-medium has-checked:text-text has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
              className="heard"
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
