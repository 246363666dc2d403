import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { flattenParameters } from '@user-llm/graph';
import { Tensor, UserLlmError, elements } from '@user-llm/tensor';
import { headsOf } from '../families/config-fields.js';
import { parseLlamaConfig, type LlamaConfig } from '../families/llama/config.js';
import { decoderParameters } from '../architecture/parameters.js';
import { describeLlama } from '../families/llama/llama.js';
import { loadTokenizer, type JsonTokenizer } from '../text/load-tokenizer.js';
import { readLlama2cVocabulary, readSentencePiece } from '../text/sentence-piece-files.js';
import { sentencePieceJson } from '../text/sentence-piece-json.js';
import type { ReadOptions } from './hugging-face.js';
import { requireOwnTokenizer, type LoadedLanguageModel } from './loaded-language-model.js';
import { filesOf, openFile, readAt, readBytes } from './read-files.js';

const headerBytes = 28;
/** `ak42`, the first four bytes of later versions of the format. */
const laterMagic = 0x616b3432;

/** Layer parameters in the order of the file, each for all layers. */
const layerOrder = [
  'input_layernorm.weight',
  'self_attn.q_proj.weight',
  'self_attn.k_proj.weight',
  'self_attn.v_proj.weight',
  'self_attn.o_proj.weight',
  'post_attention_layernorm.weight',
  'mlp.gate_proj.weight',
  'mlp.down_proj.weight',
  'mlp.up_proj.weight',
];

/**
 * A checkpoint of llama2.c in its first format (`.bin`, float32): seven sizes, then all weights. The tokenizer is the
 * SentencePiece model (`*.model`) or vocabulary (`tok*.bin`) beside it, if there is one; the token that begins a text
 * ends it too, as in llama2.c. The file's length is held against its sizes before anything is made of them.
 *
 * @throws UserLlmError `bad-checkpoint` when the file is not as long as its header says, or has sizes that do not fit;
 *   `unreadable-file`, `too-large`, `wrong-tokenizer`, and what `loadTokenizer` throws.
 */
export async function loadLlama2c(
  path: string,
  { withTokenizer = true }: ReadOptions = {},
): Promise<LoadedLanguageModel> {
  const file = await openFile(path);
  try {
    const config = await headerOf(path, file);
    const tokenizer = withTokenizer ? await tokenizerBeside(path) : undefined;
    requireOwnTokenizer(path, tokenizer, config.vocabularySize);
    return { family: 'llama', config, weights: await weightsOf(path, file, config), ...(tokenizer && { tokenizer }) };
  } finally {
    await file.close();
  }
}

/** The config that the seven sizes say; the file is as long as they ask for. */
async function headerOf(path: string, file: FileHandle): Promise<LlamaConfig> {
  const { size } = await file.stat();
  if (size < headerBytes) throw badFile(path, 'seven sizes', `${size} bytes`);
  const view = new DataView((await readAt(path, file, 0, headerBytes)).buffer);
  if (view.getUint32(0, true) === laterMagic)
    throw badFile(path, 'the first format (float32, version 0)', `version ${view.getInt32(4, true)}`);
  const [width, feedForward, layers, heads, keyValueHeads, vocabulary, maximumTokens] = Array.from(
    { length: 7 },
    (_, at) => view.getInt32(4 * at, true),
  );
  const config = configOf(path, {
    vocabularySize: Math.abs(vocabulary!),
    width,
    layers,
    heads,
    keyValueHeads,
    feedForward,
    maximumTokens,
    rotaryInterleaved: true,
    // A negative size says that the output layer is a table of its own.
    tiedEmbedding: vocabulary! > 0,
  });
  const expected = headerBytes + 4 * numbersOf(config);
  if (size !== expected) throw badFile(path, `${expected} bytes`, `${size}`);
  return config;
}

function configOf(path: string, sizes: unknown): LlamaConfig {
  try {
    return parseLlamaConfig(sizes);
  } catch (cause) {
    throw badFile(path, 'sizes of a Llama', cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** How many numbers stand behind the sizes. */
function numbersOf(config: LlamaConfig): number {
  const { vocabularySize, width, layers, feedForward, tiedEmbedding } = config;
  const { heads, keyValueHeads, headSize } = headsOf(config);
  const attention = 2 * width * (heads + keyValueHeads) * headSize;
  const layer = 2 * width + attention + 3 * width * feedForward;
  return (tiedEmbedding ? 1 : 2) * vocabularySize * width + layers * layer + width + tablesOf(config);
}

/** Numbers of two tables of cosines and sines, which nobody reads any more. */
function tablesOf(config: LlamaConfig): number {
  return config.maximumTokens * headsOf(config).headSize;
}

async function weightsOf(
  path: string,
  file: FileHandle,
  config: LlamaConfig,
): Promise<Record<string, Tensor<'float32'>>> {
  const parameters = flattenParameters(decoderParameters(describeLlama(config)));
  const weights: Record<string, Tensor<'float32'>> = {};
  let position = headerBytes;
  const take = async (name: string): Promise<void> => {
    const { axes, shape } = parameters.get(name)!;
    const { buffer } = await readAt(path, file, position, 4 * elements(shape));
    weights[name] = new Tensor('float32', axes, shape, new Float32Array(buffer));
    position += buffer.byteLength;
  };
  await take('model.embed_tokens.weight');
  for (const own of layerOrder)
    for (let layer = 0; layer < config.layers; layer++) await take(`model.layers.${layer}.${own}`);
  await take('model.norm.weight');
  position += 4 * tablesOf(config);
  if (!config.tiedEmbedding) await take('lm_head.weight');
  return weights;
}

async function tokenizerBeside(path: string): Promise<JsonTokenizer | undefined> {
  const folder = dirname(path);
  const files = (await filesOf(folder)).filter((file) => file !== basename(path)).sort();
  const model = files.find((file) => file.endsWith('.model'));
  const vocabulary = files.find((file) => /^tok.*\.bin$/.test(file));
  const own = model ?? vocabulary;
  if (own === undefined) return undefined;
  const bytes = await readBytes(join(folder, own));
  const pieces = own === model ? readSentencePiece(bytes) : readLlama2cVocabulary(bytes);
  return loadTokenizer(sentencePieceJson(pieces), { begin: '<s>', end: '<s>', opensWithBegin: true });
}

function badFile(path: string, expected: string, got: string, cause?: unknown): UserLlmError {
  return new UserLlmError('bad-checkpoint', {
    what: path,
    expected,
    got,
    mend: 'Give a whole llama2.c checkpoint of the first format.',
    cause,
  });
}
