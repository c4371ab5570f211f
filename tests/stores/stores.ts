/** Every store that the suite can be run on: where it comes from, how it starts, and what it is known to do otherwise. */
import type { StoreServer } from "./servers/store-server.ts";
import { startCephRgw } from "./servers/ceph-rgw.ts";
import { startLocal } from "./servers/local-s3.ts";
import { startMinio } from "./servers/minio.ts";
import { startMoto } from "./servers/moto.ts";
import { startS3Mock } from "./servers/s3mock.ts";
import { startS3Proxy } from "./servers/s3proxy.ts";
import { startSwift } from "./servers/swift.ts";
import { startSeaweedFs } from "./servers/seaweedfs.ts";
import { startVersityGw } from "./servers/versitygw.ts";
import { ENDPOINT_VARIABLE, missingVariables, yourServer } from "./servers/yours.ts";
import * as programs from "./programs.ts";

export interface Store {
  /** Of its kept answers, and on the command line. */
  file: string;
  name: string;
  /** Where its program comes from, for docs/reference/stores.md. */
  from: string;
  /** Run for every change; the others run by night. */
  always?: true;
  /** Undefined: it is there. Otherwise why it cannot be had. */
  bring(): Promise<string | undefined>;
  start(): Promise<StoreServer>;
  /** Tests of the object store's contract that it fails, each with what it does instead. */
  differs?: Readonly<Record<string, string>>;
  /** Default true: what it answers is compared with what is kept, and stands in docs/reference/stores.md. */
  isKept?: boolean;
}

const CONDITIONAL = "S24 a Complete that must not replace anything is a conflict, and the upload stays";
const REPLACED = "a part sent again takes the place of the first";
const STALE =
  "S6 a Complete that names a stale ETag, or a part that is not there, leaves the upload to be repaired";
const ENDED = "S27 what is completed is gone as an upload, and its abort leaves the object alone";
const ABORTED = "an aborted upload is gone for every request, and aborting it again is success";
const COPIED = "a range is copied from an object that stands, and only from that one";

export const STORES: readonly Store[] = [
  {
    file: "local-s3",
    name: "local-s3",
    from: "this repository",
    always: true,
    bring: () => Promise.resolve(undefined),
    start: startLocal,
  },
  {
    file: "versitygw",
    name: "VersityGW",
    from: "Go's module proxy, built once",
    always: true,
    bring: () => programs.bringGoProgram(programs.VERSITYGW),
    start: startVersityGw,
  },
  {
    file: "ceph-rgw",
    name: "Ceph RGW",
    from: "Debian's packages",
    always: true,
    bring: () => programs.bringDebian(programs.CEPH, process.env),
    start: startCephRgw,
  },
  {
    file: "moto",
    name: "moto",
    from: "PyPI",
    bring: () => programs.bringPythonPackage(programs.MOTO),
    start: startMoto,
    differs: {
      [ENDED]: "a part sent to an upload that was completed is answered with 500",
      [ABORTED]: "Complete of an upload that was aborted is answered with 500",
    },
  },
  {
    file: "s3mock",
    name: "Adobe S3Mock",
    from: "Maven Central",
    bring: () => programs.bringJavaProgram(programs.S3MOCK),
    start: startS3Mock,
    differs: { [COPIED]: "a range is also copied into an upload that was completed" },
  },
  {
    file: "s3proxy",
    name: "S3Proxy",
    from: "Maven Central",
    bring: () => programs.bringJavaProgram(programs.S3PROXY),
    start: startS3Proxy,
    differs: {
      [COPIED]: "a range is also copied into an upload that was completed",
      [ENDED]: "ListParts of an upload that was completed is an empty list",
      [ABORTED]: "ListParts of an upload that was aborted is an empty list",
    },
  },
  {
    file: "swift",
    name: "OpenStack Swift",
    from: "Debian's packages",
    bring: () => programs.bringDebian(programs.SWIFT, process.env),
    start: startSwift,
    differs: {
      [ENDED]: "ListParts of an upload that was completed still lists its parts",
      [CONDITIONAL]: "Complete with `If-Match` is answered with 412, also with the right ETag",
    },
  },
  {
    file: "minio",
    name: "MinIO",
    from: "Go's module proxy, built once",
    bring: () => programs.bringGoProgram(programs.MINIO),
    start: startMinio,
  },
  {
    file: "seaweedfs",
    name: "SeaweedFS",
    from: "Go's module proxy, built once",
    bring: () => programs.bringGoProgram(programs.SEAWEEDFS),
    start: startSeaweedFs,
    differs: {
      [REPLACED]: "a part that was sent again is listed twice",
      [STALE]: "Complete accepts the ETag of a part that was replaced",
    },
  },
];

/** A store that runs already, where STORE_ENDPOINT names one. */
export function yours(env: NodeJS.ProcessEnv): Store | undefined {
  const endpoint = env[ENDPOINT_VARIABLE];
  if (endpoint === undefined) return undefined;
  return {
    file: "yours",
    name: URL.canParse(endpoint) ? new URL(endpoint).host : endpoint,
    from: ENDPOINT_VARIABLE,
    bring: () => Promise.resolve(missingVariables(env)),
    start: () => Promise.resolve(yourServer(env)),
    isKept: false,
  };
}

/** Set by `run.ts` for the suite that it starts. */
export function storeOf(env: NodeJS.ProcessEnv): Store {
  const file = env["SLUICE_STORE"];
  const store = yours(env) ?? STORES.find((one) => one.file === file);
  if (store === undefined) throw new Error(`no store ${file}: run npm run test:stores`);
  return store;
}
