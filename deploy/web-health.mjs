/** Exit code 0 while the dashboard answers; its login page needs neither a session nor Redis. */
const { SLUICE_WEB_PORT: port = "3000" } = process.env;
const WITHIN_MS = 4_000;

const reply = await fetch(`http://127.0.0.1:${port}/login`, {
  redirect: "manual",
  signal: AbortSignal.timeout(WITHIN_MS),
}).catch((error) => error);
if (reply instanceof Error) console.error(reply.message);
process.exitCode = !(reply instanceof Error) && reply.status < 500 ? 0 : 1;
