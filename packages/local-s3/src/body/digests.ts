/** The digests of one body: those declared, those recorded, and none besides. */
import { createHash, type Hash } from "node:crypto";
import {
  CHECKSUMS,
  type ChecksumAlgorithm,
  checksumHeader,
  type ChecksumValues,
  type RunningChecksum,
} from "../checksums/algorithms.ts";
import { S3Error } from "../errors.ts";
import type { Declared } from "./declared.ts";

export interface DigestOptions {
  readonly declared: Declared;
  /** Computed and recorded although the sender did not declare it. */
  readonly alsoCompute?: ChecksumAlgorithm | undefined;
  /** False if the MD5 is not needed; it is then computed only to check Content-MD5. */
  readonly md5: boolean;
}

export interface DigestResult {
  /** hex; undefined when it was not computed */
  readonly md5: string | undefined;
  readonly checksums: ChecksumValues;
}

export class Digests {
  readonly #declared: Declared;
  readonly #md5: Hash | undefined;
  readonly #sha256: Hash | undefined;
  readonly #checksums = new Map<ChecksumAlgorithm, RunningChecksum>();

  constructor({ declared, alsoCompute, md5 }: DigestOptions) {
    this.#declared = declared;
    if (md5 || declared.md5 !== undefined) this.#md5 = createHash("md5");
    if (declared.sha256 !== undefined) this.#sha256 = createHash("sha256");
    const wanted = new Set(Object.keys(declared.checksums) as ChecksumAlgorithm[]);
    if (declared.trailer !== undefined) wanted.add(declared.trailer);
    if (alsoCompute !== undefined) wanted.add(alsoCompute);
    for (const algorithm of wanted) this.#checksums.set(algorithm, CHECKSUMS[algorithm].start());
  }

  update(chunk: Buffer): void {
    this.#md5?.update(chunk);
    this.#sha256?.update(chunk);
    for (const checksum of this.#checksums.values()) checksum.update(chunk);
  }

  /** Compares with what was declared, in headers and trailers. Throws XAmzContentSHA256Mismatch, BadDigest or InvalidRequest. */
  check(trailers: ReadonlyMap<string, string>): DigestResult {
    const declared = this.#declared;
    const sha256 = this.#sha256?.digest("hex");
    if (sha256 !== declared.sha256) {
      throw new S3Error(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        {
          fields: {
            ClientComputedContentSHA256: declared.sha256 ?? "",
            S3ComputedContentSHA256: sha256 ?? "",
          },
        },
      );
    }
    const md5 = this.#md5?.digest();
    if (declared.md5 !== undefined && md5?.toString("base64") !== declared.md5) {
      throw new S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.", {
        fields: { ExpectedDigest: declared.md5, CalculatedDigest: md5?.toString("base64") ?? "" },
      });
    }
    return { md5: md5?.toString("hex"), checksums: this.#checkChecksums(trailers) };
  }

  #checkChecksums(trailers: ReadonlyMap<string, string>): ChecksumValues {
    const values: Partial<Record<ChecksumAlgorithm, string>> = {};
    for (const [algorithm, running] of this.#checksums) {
      const value = running.digest().toString("base64");
      const name = checksumHeader(algorithm);
      const inTrailer = this.#declared.trailer === algorithm;
      const claimed = inTrailer ? trailers.get(name) : this.#declared.checksums[algorithm];
      if (inTrailer && claimed === undefined) {
        throw new S3Error("InvalidRequest", `The trailer ${name} that was announced is missing.`);
      }
      if (claimed !== undefined && claimed !== value) {
        throw new S3Error(
          "BadDigest",
          `The ${algorithm} you specified did not match the calculated checksum.`,
        );
      }
      values[algorithm] = value;
    }
    return values;
  }
}
