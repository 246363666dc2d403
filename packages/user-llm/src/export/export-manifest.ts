import { z } from 'zod';

const shape = z.array(z.union([z.int(), z.string()]));
const port = z.strictObject({
  name: z.string(),
  dtype: z.string(),
  axes: z.array(z.string()),
  /** Sizes; names where they are chosen by what is fed. */
  shape,
});
const file = z.strictObject({ file: z.string(), inputs: z.array(port), outputs: z.array(port) });

/** What `user-llm-onnx.json` says: how to answer and rank with the exported files and any onnxruntime. */
export const onnxManifest = z.strictObject({
  format: z.literal('user-llm-onnx'),
  version: z.literal(1),
  encoder: z.string().describe('Hash of the encoder and its vocabularies.'),
  /** What to do, in order, in words. */
  steps: z.array(z.string()),
  models: z.strictObject({
    user: file.describe('Histories to embeddings of events and to what the LLM reads of users.'),
    items: file.describe('Scores of the ids of the item feature for the next event.'),
    prefill: file.describe('Prompts to logits of the next token and caches.'),
    step: file.describe('One more token of each sequence.'),
  }),
  events: z.strictObject({
    maximum: z.int().describe('Events of a row; of a longer history the last.'),
    features: z.array(z.strictObject({ name: z.string(), size: z.int(), slots: z.int() })),
    /** Vocabularies, as `@user-llm/tokenization` reads them. */
    tokenizer: z.string(),
    /** The catalogue, one item a line. */
    catalogue: z.string(),
    /** Ids of the catalogue's items in the item feature, in the catalogue's order. */
    itemIds: z.array(z.int()),
  }),
  text: z.strictObject({
    /** A Hugging Face `tokenizer.json`. */
    tokenizer: z.string(),
    begin: z.int().optional(),
    end: z.int(),
    ends: z.array(z.int()).optional().describe('Every token that ends an answer, `end` first.'),
    chatTemplate: z.string().optional().describe("File of the LLM's form of conversations (Jinja), where it has one."),
    vocabulary: z.int(),
    maximumTokens: z.int(),
    prefixTokens: z.int().describe("Positions that a user's soft prompt takes before the tokens."),
    /** Tokens that stand between an instruction and its answer. */
    answerMarker: z.array(z.int()),
    titles: z
      .literal('constrained')
      .optional()
      .describe('The LLM learned titles as choices among the tokens by which some title of the catalogue goes on.'),
  }),
  cache: z.strictObject({
    names: z.array(z.string()).describe('Inputs of `step`; outputs of `prefill` and `step` are `next/NAME`.'),
    heads: z.int(),
    headSize: z.int(),
  }),
});

/** What `user-llm-onnx.json` says. */
export type OnnxManifest = z.output<typeof onnxManifest>;

/** What a reader of the manifest is told to do. */
export const onnxSteps: readonly string[] = [
  'Turn the last events of a user to ids by the event tokenizer; fill the row from its start, 0 and mask false behind.',
  'Run `user`: its outputs `context.NAME` are the inputs `user.NAME` of `prefill` and `step`; keep them, they do not change.',
  "Tokens of a prompt: `begin` where there is one, the instruction's tokens, `answerMarker`. Of a conversation, where there is a `chatTemplate`: the tokens of what it makes of the messages, special tokens included.",
  'Run `prefill` with `tokens` [batch, token] filled from the start, `counts` [batch], and `room`: zeros for as many further places as tokens are to be written, plus one.',
  'Choose a token from `logits`; end at any of `ends`. Run `step` with it, `lengths` (prefixTokens + tokens read so far) and the caches; its outputs are the next caches.',
  'To rank items by their titles (a space, the title, then `end`), add up logarithms of the probabilities of their tokens; where `titles` is `constrained`, among the tokens by which some title goes on as it began.',
  'Run `items` for scores by id. Where its input is `last`, that is the row of `events` of the last event, zeros without one. `itemIds` says which id each item of the catalogue has, 1 for none.',
];
