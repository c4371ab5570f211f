/** The version in package.json, used in records, metrics and the user agent. */
import packageJson from "../package.json" with { type: "json" };

export const VERSION: string = packageJson.version;
