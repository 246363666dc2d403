import type { ChatMessage } from '@user-llm/user-llm';
import { z } from 'zod';
import type { Sampling } from '../user-model.js';
import { parse } from './parse.js';
import { BadRequest } from './problem.js';

/** A question to the model, whichever route it came by. */
export interface Question {
  /** Whose embeddings the model reads; nobody's when absent. */
  readonly user?: string;
  /** Whether an unknown user is answered as nobody. */
  readonly allowAnonymous: boolean;
  readonly model?: string;
  readonly prompt: string;
  /** The conversation that the prompt was made of, where it came as one. */
  readonly messages?: readonly ChatMessage[];
  readonly maximumTokens: number;
  readonly sampling: Sampling;
  readonly stop: readonly string[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** Limits on a question. */
export interface TokenLimits {
  /** Most tokens that may be asked for. */
  readonly maximumTokens: number;
  /** Tokens of an answer where the request does not say. */
  readonly defaultTokens: number;
}

/** Longest id of a user, in UTF-16 units. */
export const longestUser = 256;

const common = {
  model: z.string().nullish(),
  user: z.string().min(1).max(longestUser).nullish(),
  allow_anonymous: z.boolean().default(false),
  max_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  top_k: z.int().min(1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().gt(0).max(10).nullish(),
  seed: z.int().min(0).nullish(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(4)], 'a text, or up to 4 texts').nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
};

const messageText = z.union(
  [
    z.string(),
    z
      .array(z.object({ type: z.literal('text'), text: z.string() }))
      .transform((parts) => parts.map(({ text }) => text).join('')),
  ],
  'a text, or parts of type text',
);

/** The body of `POST /v1/chat/completions`: what is not here is ignored, or refused where it would change the answer. */
export const chatBody = z.looseObject({
  ...common,
  max_completion_tokens: z.int().min(1).nullish(),
  messages: z
    .array(
      z.looseObject({ role: z.enum(['system', 'developer', 'user', 'assistant']), content: messageText.nullable() }),
    )
    .min(1),
});

/** The body of `POST /v1/completions`, as `chatBody`. */
export const completionBody = z.looseObject({
  ...common,
  prompt: z.union(
    [
      z.string(),
      z
        .array(z.string())
        .length(1)
        .transform((prompts) => prompts[0]!),
    ],
    'a text',
  ),
});

/** Fields that would change the answer but that this server does not heed, with the values that ask for nothing. */
const unsupported: Readonly<Record<string, readonly unknown[]>> = {
  n: [1],
  best_of: [1],
  echo: [false],
  suffix: [''],
  logprobs: [false, 0],
  top_logprobs: [0],
  logit_bias: [],
  tools: [],
  tool_choice: ['none', 'auto'],
  functions: [],
  function_call: ['none', 'auto'],
  response_format: [],
  presence_penalty: [0],
  frequency_penalty: [0],
  audio: [],
};

/**
 * Reads the body of `POST /v1/chat/completions`. The texts of the messages, in order, are the prompt of a model that
 * knows no turns; one that does is given the messages.
 *
 * @throws BadRequest of the first field that is wrong or not supported.
 */
export function readChat(body: unknown, limits: TokenLimits): Question {
  const request = parse(chatBody, body);
  if (request.messages.at(-1)!.role !== 'user')
    throw new BadRequest(`messages.${request.messages.length - 1}.role`, 'the last message to be of the user');
  const messages = request.messages.map(({ role, content }, at) => {
    if (content === null && role !== 'assistant') throw new BadRequest(`messages.${at}.content`, 'a text');
    return { role: roleOf(role), content: content ?? '' };
  });
  const texts = messages.map(({ content }) => content.trim()).filter((text) => text !== '');
  if (texts.length === 0) throw new BadRequest('messages', 'a message with a text');
  const lengthField = typeof request.max_completion_tokens === 'number' ? 'max_completion_tokens' : 'max_tokens';
  return { ...questionOf(request, texts.join('\n'), lengthField, limits), messages };
}

/** OpenAI's newer name of the system, which templates do not know. */
const roleOf = (role: string): string => (role === 'developer' ? 'system' : role);

/**
 * Reads the body of `POST /v1/completions`.
 *
 * @throws BadRequest of the first field that is wrong or not supported.
 */
export function readCompletion(body: unknown, limits: TokenLimits): Question {
  const request = parse(completionBody, body);
  if (request.prompt.trim() === '') throw new BadRequest('prompt', 'a text');
  return questionOf(request, request.prompt, 'max_tokens', limits);
}

type Common = z.output<z.ZodObject<typeof common>>;

function questionOf(
  request: Common & Readonly<Record<string, unknown>>,
  prompt: string,
  lengthField: 'max_tokens' | 'max_completion_tokens',
  { maximumTokens, defaultTokens }: TokenLimits,
): Question {
  for (const [field, harmless] of Object.entries(unsupported)) {
    const value = request[field];
    const empty = typeof value === 'object' && Object.keys(value ?? {}).length === 0;
    const plain = field === 'response_format' && (value as { readonly type?: unknown } | null)?.type === 'text';
    if (value !== undefined && !empty && !plain && !harmless.includes(value))
      throw new BadRequest(field, 'none: this server does not support it', 'unsupported-parameter');
  }
  const asked = request[lengthField] as number | null | undefined;
  if (asked && asked > maximumTokens) throw new BadRequest(lengthField, `at most ${maximumTokens}`);
  return {
    ...(typeof request.user === 'string' && { user: request.user }),
    ...(typeof request.model === 'string' && { model: request.model }),
    allowAnonymous: request.allow_anonymous,
    prompt,
    maximumTokens: asked ?? Math.min(defaultTokens, maximumTokens),
    sampling: samplingOf(request),
    stop: typeof request.stop === 'string' ? [request.stop] : (request.stop ?? []),
    stream: request.stream ?? false,
    includeUsage: request.stream_options?.include_usage ?? false,
  };
}

function samplingOf(request: Common): Sampling {
  const { temperature, top_k: topK, top_p: topP, min_p: minP, repetition_penalty: repetitionPenalty, seed } = request;
  const given = Object.entries({ topK, topP, minP, repetitionPenalty, seed }).filter(
    ([, value]) => (value ?? undefined) !== undefined,
  );
  return { temperature: temperature ?? 0, ...Object.fromEntries(given) };
}
