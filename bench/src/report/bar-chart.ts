/** A plain horizontal bar chart as SVG, readable in light and dark pages. */
export interface ChartBar {
  name: string;
  value: number;
}

const ROW = 30;
const LEFT = 120;
const WIDTH = 480;

export function barChart(title: string, unit: string, bars: readonly ChartBar[]): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ name, value }, at) => {
    const y = 40 + at * ROW;
    const width = Math.max(1, (value / most) * WIDTH);
    return [
      `<text x="${LEFT - 8}" y="${y + 15}" text-anchor="end">${name}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="20" fill="${name.startsWith("sluice") ? "#0a7d5a" : "#8a94a6"}"/>`,
      `<text x="${(LEFT + width + 6).toFixed(1)}" y="${y + 15}">${value.toFixed(2)} ${unit}</text>`,
    ].join("");
  });
  const height = 48 + bars.length * ROW;
  const total = LEFT + WIDTH + 80;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${height}" role="img" aria-label="${title}" font-family="sans-serif" font-size="13" fill="#6b7280"><text x="8" y="22" font-weight="bold">${title}</text>${rows.join("")}</svg>\n`;
}
