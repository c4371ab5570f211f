/** What foreign stores, proxies, firewalls and portals answer in place of what was asked: the columns of the table. */

export interface Answer {
  readonly name: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** The connection ends after so many bytes of the body. */
  readonly cutAfter?: number;
  /** The body comes in pieces, one each so many ms. */
  readonly everyMs?: number;
  /** Too long to be given again and again in a test. */
  readonly once?: true;
}

/** What S3 would call a refusal of this status. */
const CODES: Readonly<Record<number, string>> = {
  301: "PermanentRedirect",
  307: "TemporaryRedirect",
  304: "NotModified",
  400: "InvalidArgument",
  403: "AccessDenied",
  404: "NoSuchKey",
  409: "OperationAborted",
  412: "PreconditionFailed",
  413: "EntityTooLarge",
  429: "TooManyRequests",
  500: "InternalError",
  501: "NotImplemented",
  503: "SlowDown",
};

const PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Welcome</p></body></html>";
const LOCATION = { location: "https://portal.example/login?from=store" };

const BODIES: Readonly<Record<string, (status: number) => Pick<Answer, "headers" | "body">>> = {
  XML: (status) => ({
    headers: { "content-type": "application/xml" },
    body: errorDocument(CODES[status] ?? "Odd"),
  }),
  HTML: () => ({ headers: { "content-type": "text/html" }, body: PAGE }),
  JSON: () => ({ headers: { "content-type": "application/json" }, body: '{"error":{"code":"Denied"}}' }),
  nothing: () => ({ headers: {}, body: "" }),
};

function errorDocument(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>said by whoever answered</Message></Error>`;
}

const REFUSALS = [301, 302, 304, 307, 400, 403, 404, 409, 412, 413, 429, 500, 501, 503];

function isRedirect(status: number): boolean {
  return status < 400 && status !== 304;
}

const refusals: readonly Answer[] = REFUSALS.flatMap((status) =>
  Object.entries(BODIES).map(([body, make]) => {
    const { headers, body: bytes } = make(status);
    return {
      name: `${status} with ${body}`,
      status,
      headers: isRedirect(status) ? { ...headers, ...LOCATION } : headers,
      body: bytes,
    };
  }),
);

/** 200 that is none. */
const successes: readonly Answer[] = [
  ...Object.entries(BODIES).map(([body, make]) => ({ name: `200 with ${body}`, status: 200, ...make(200) })),
  {
    name: "200 with HTML and an ETag",
    status: 200,
    headers: { "content-type": "text/html", etag: '"5f3-1"' },
    body: PAGE,
  },
  { name: "204 with nothing", status: 204, headers: {}, body: "" },
  {
    name: "200 with another document of S3",
    status: 200,
    headers: { "content-type": "application/xml" },
    body: '<?xml version="1.0"?><LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>',
  },
  {
    name: "200 with an endless entity",
    status: 200,
    headers: { "content-type": "application/xml" },
    body: entities(),
  },
  {
    name: "200 with 100,000 nested elements",
    status: 200,
    headers: { "content-type": "application/xml" },
    body: `${"<a>".repeat(100_000)}${"</a>".repeat(100_000)}`,
    once: true,
  },
];

/** A billion laughs. */
function entities(): string {
  const levels = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`);
  return `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">${levels.join("")}]><ListPartsResult><UploadId>&l9;</UploadId></ListPartsResult>`;
}

const HUGE = 17 * 1024 * 1024;
const XML = { "content-type": "application/xml" };

const odd: readonly Answer[] = [
  ...[200, 403, 500].flatMap((status) => [
    {
      name: `${status} with half a document`,
      status,
      headers: XML,
      body: errorDocument("SlowDown").slice(0, 70),
    },
    {
      name: `${status} that is cut off`,
      status,
      headers: XML,
      body: errorDocument("SlowDown"),
      cutAfter: 40,
    },
    {
      name: `${status} that comes slowly`,
      status,
      headers: XML,
      body: errorDocument("AccessDenied"),
      everyMs: 2,
      once: true as const,
    },
  ]),
  { name: "200 with 17 MiB", status: 200, headers: XML, body: Buffer.alloc(HUGE, "<a>"), once: true },
  { name: "403 with 17 MiB", status: 403, headers: XML, body: Buffer.alloc(HUGE, " "), once: true },
  {
    name: "503 that asks to wait for 30 years",
    status: 503,
    headers: { ...XML, "retry-after": "999999999" },
    body: errorDocument("SlowDown"),
  },
  {
    name: "500 that asks to wait for 30 years",
    status: 500,
    headers: { ...XML, "retry-after": "999999999" },
    body: errorDocument("InternalError"),
  },
  {
    name: "400 with a code of 4,000 characters",
    status: 400,
    headers: XML,
    body: errorDocument("A".repeat(4_000)),
  },
  {
    name: "400 with control characters",
    status: 400,
    headers: XML,
    body: errorDocument("\u001b[2J\u0007\u202e"),
  },
];

export const ANSWERS: readonly Answer[] = [...refusals, ...successes, ...odd];
