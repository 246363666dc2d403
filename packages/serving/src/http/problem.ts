import { UserLlmError } from '@user-llm/tensor';

/** An error as clients of OpenAI's interface read it. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    /** The field of the request that is wrong. */
    readonly param: string | null;
    readonly code: string | null;
  };
}

/** An answer that tells what went wrong. */
export interface Problem {
  readonly status: number;
  readonly body: ErrorBody;
}

/** HTTP status and OpenAI's type of each error code that a client can bring about. */
const kinds: Readonly<Record<string, readonly [status: number, type: string]>> = {
  'bad-request': [400, 'invalid_request_error'],
  'bad-chat': [400, 'invalid_request_error'],
  'bad-options': [400, 'invalid_request_error'],
  'unsupported-parameter': [400, 'invalid_request_error'],
  'too-many-tokens': [400, 'invalid_request_error'],
  'bad-api-key': [401, 'authentication_error'],
  'bad-host': [403, 'permission_error'],
  'route-not-found': [404, 'not_found_error'],
  'user-not-found': [404, 'not_found_error'],
  'model-not-found': [404, 'not_found_error'],
  'user-deleted': [410, 'invalid_request_error'],
  'request-reused': [422, 'invalid_request_error'],
  'queue-full': [429, 'rate_limit_error'],
  'client-gone': [499, 'invalid_request_error'],
  draining: [503, 'server_error'],
  deadline: [504, 'server_error'],
};

/** Fastify's own errors that the client is to blame for. */
const fastifyCodes: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'request-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
};

/**
 * What a client is told of an error: our own errors of the table above in full, others only that there was one, since
 * their text may tell of other users.
 */
export function problemOf(error: unknown): Problem {
  if (UserLlmError.isInstance(error)) {
    const [status, type] = kinds[error.code] ?? [500, 'server_error'];
    const message = status === 500 ? 'The model failed; the log of the server says why.' : error.message;
    const param = (error as { readonly param?: unknown }).param;
    return {
      status,
      body: { error: { message, type, param: typeof param === 'string' ? param : null, code: snake(error.code) } },
    };
  }
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    const { statusCode: status, message } = error;
    const code = 'code' in error ? (fastifyCodes[String(error.code)] ?? 'bad-request') : 'bad-request';
    if (status >= 400 && status < 500)
      return { status, body: { error: { message, type: 'invalid_request_error', param: null, code: snake(code) } } };
  }
  const message = 'The server failed; its log says why.';
  return { status: 500, body: { error: { message, type: 'server_error', param: null, code: 'internal_error' } } };
}

/** A field of a request that is wrong. */
export class BadRequest extends UserLlmError {
  /** Path of the field, such as `messages.0.role`. */
  readonly param: string;

  constructor(param: string, expected: string, code: 'bad-request' | 'unsupported-parameter' = 'bad-request') {
    super(code, { what: param === '' ? 'the request' : param, expected });
    this.param = param;
  }
}

/** OpenAI's codes are in snake case. */
const snake = (code: string) => code.replaceAll('-', '_');
