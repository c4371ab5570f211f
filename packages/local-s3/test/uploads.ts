/** Multipart calls in a line each, for tests that are about what happens between them. */
import { type Answer, type S3Client, tag } from "./s3-client.ts";

export interface Listed {
  readonly number: number;
  readonly etag: string;
  /** Further elements, e.g. { ChecksumCRC32: "..." } */
  readonly more?: Readonly<Record<string, string>>;
}

export class Upload {
  readonly s3: S3Client;
  readonly key: string;
  readonly id: string;

  /** The same upload, by way of another client. */
  via(s3: S3Client): Upload {
    return new Upload(s3, this.key, this.id);
  }

  private constructor(s3: S3Client, key: string, id: string) {
    this.s3 = s3;
    this.key = key;
    this.id = id;
  }

  static async create(
    s3: S3Client,
    key: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Upload> {
    const answer = await s3.call({ method: "POST", key, query: { uploads: "" }, headers });
    if (answer.status !== 200) throw new Error(`CreateMultipartUpload: ${answer.status} ${answer.text}`);
    return new Upload(s3, key, tag(answer.text, "UploadId"));
  }

  put(
    number: number,
    body: Buffer | string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const query = { partNumber: String(number), uploadId: this.id };
    return this.s3.call({
      method: "PUT",
      key: this.key,
      query,
      body,
      headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD", ...headers },
    });
  }

  /** Puts a part that must be taken, and returns its line for Complete. */
  async part(
    number: number,
    body: Buffer | string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Listed> {
    const answer = await this.put(number, body, headers);
    if (answer.status !== 200) throw new Error(`UploadPart ${number}: ${answer.status} ${answer.text}`);
    return { number, etag: answer.headers["etag"] ?? "" };
  }

  complete(parts: readonly Listed[], headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const lines = parts.map(({ number, etag, more = {} }) => {
      const extra = Object.entries(more).map(([name, value]) => `<${name}>${value}</${name}>`);
      return `<Part><PartNumber>${number}</PartNumber><ETag>${etag.replaceAll('"', "&quot;")}</ETag>${extra.join("")}</Part>`;
    });
    return this.completeWith(`<CompleteMultipartUpload>${lines.join("")}</CompleteMultipartUpload>`, headers);
  }

  completeWith(body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.s3.call({ method: "POST", key: this.key, query: { uploadId: this.id }, body, headers });
  }

  abort(): Promise<Answer> {
    return this.s3.call({ method: "DELETE", key: this.key, query: { uploadId: this.id } });
  }

  list(query: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.s3.call({ method: "GET", key: this.key, query: { uploadId: this.id, ...query } });
  }
}
