// What went wrong with a call, in one shape: the server's problem document, or the fact that there was no answer.

export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    /** The server's stable code, or `offline`. */
    readonly code: string,
    detail: string,
    readonly requestId: string | null = null,
    /** Seconds after which the server wants to be asked again. */
    readonly retryAfter: number | null = null,
    /** What the server's document says beyond that. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }

  /** Whether the same call may work later without anybody changing anything. */
  get passing(): boolean {
    // 507 is a word about the account's room, not a weakness of the server.
    return this.status === 0 || this.status === 429 || (this.status >= 500 && this.status !== 507);
  }

  static offline(cause?: unknown): Problem {
    const problem = new Problem(0, 'offline', 'No connection to the server.');
    problem.cause = cause;
    return problem;
  }

  /** Of whatever was thrown: what is no answer of the server is none at all. */
  static of(error: unknown): Problem {
    return error instanceof Problem ? error : Problem.offline(error);
  }

  static fromParts(response: Response, body: unknown): Problem {
    const doc = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
    const text = (key: string) => (typeof doc[key] === 'string' ? doc[key] : null);
    const retry = Number(response.headers.get('retry-after'));
    return new Problem(
      response.status,
      text('code') ?? `http-${response.status}`,
      text('detail') ?? text('title') ?? response.statusText,
      text('request_id') ?? response.headers.get('request-id'),
      Number.isFinite(retry) && retry > 0 ? retry : null,
      doc,
    );
  }

  static async fromResponse(response: Response): Promise<Problem> {
    const body: unknown = await response.json().catch(() => null);
    return Problem.fromParts(response, body);
  }
}

export function isProblem(error: unknown, code?: string): error is Problem {
  return error instanceof Problem && (code === undefined || error.code === code);
}
