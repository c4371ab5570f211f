/** A client without a browser: what a script, or an attacker, could send. */
import { PASSWORD } from "./dashboard.ts";

export interface Answer {
  status: number;
  /** tRPC's code of an error. */
  code: string | undefined;
  data: unknown;
  headers: Headers;
}

export interface CallOptions {
  cookie?: string;
  origin?: string | null;
  headers?: Record<string, string>;
}

export async function mutate(
  origin: string,
  path: string,
  input: unknown,
  options: CallOptions = {},
): Promise<Answer> {
  return answerOf(
    await fetch(`${origin}/api/trpc/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headersOf(origin, options) },
      body: JSON.stringify(input ?? {}),
    }),
  );
}

export async function query(
  origin: string,
  path: string,
  input: unknown,
  options: CallOptions = {},
): Promise<Answer> {
  const asked = input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify(input))}`;
  return answerOf(await fetch(`${origin}/api/trpc/${path}${asked}`, { headers: headersOf(origin, options) }));
}

/** The cookie of a fresh session. */
export async function signIn(origin: string, password = PASSWORD, name?: string): Promise<string> {
  const answer = await mutate(origin, "session.login", { password, name });
  const cookie = answer.headers.get("set-cookie")?.split(";")[0];
  if (cookie === undefined) throw new Error(`signing in was answered ${answer.status}`);
  return cookie;
}

function headersOf(
  origin: string,
  { cookie, origin: claimed, headers }: CallOptions,
): Record<string, string> {
  return {
    ...(cookie === undefined ? {} : { cookie }),
    ...(claimed === null ? {} : { origin: claimed ?? origin }),
    ...headers,
  };
}

async function answerOf(response: Response): Promise<Answer> {
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) return streamAnswer(response);
  const text = await response.text();
  const json: unknown = text.startsWith("{") ? JSON.parse(text) : undefined;
  const body = json as { result?: { data?: unknown }; error?: { data?: { code?: string } } } | undefined;
  return {
    status: response.status,
    code: body?.error?.data?.code,
    data: body?.result?.data,
    headers: response.headers,
  };
}

/** An event stream is answered by its first event that says something: data, or an error. */
async function streamAnswer(response: Response): Promise<Answer> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const error = /event: serialized-error\ndata: (.*)\n/.exec(text)?.[1];
    if (error !== undefined) {
      const { data } = JSON.parse(error) as { data: { code: string; httpStatus: number } };
      return { status: data.httpStatus, code: data.code, data: undefined, headers: response.headers };
    }
    if (/^data: .*\nid: /m.test(text)) break;
  }
  return { status: response.status, code: undefined, data: text, headers: response.headers };
}
