/** Names of the recordings that `npm start -- --demo` writes: `studio-1-20261130-120000-01.ts`. */
const RECORDING =
  /^(?:studio-1|gate-north|telescope|stage-left|lab-cam|harbour)-\d{8}-\d{6}-\d{2}\.[a-z\d]+$/;

/** Without a temporary suffix: a file that vanishes under one is no recording that was lost. */
export function isDemoRecording(name: string): boolean {
  return RECORDING.test(name);
}
