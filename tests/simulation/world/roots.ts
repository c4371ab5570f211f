/** The directories of the simulated volume. */
export const ROOT = "/simulated/inbox";
/** A second watch. */
export const OTHER_ROOT = "/simulated/other";
/** Where SLUICE_AFTER_UPLOAD may move files to. */
export const ARCHIVE = "/simulated/archive";
export const BUCKET = "recordings";
