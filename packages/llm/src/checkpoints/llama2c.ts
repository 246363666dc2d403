import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { flattenParameters, type ParameterSpec } from '@user-llm/graph';
import { Tensor, UserLlmError, elements } from '@user-llm/tensor';
import { parseLlamaConfig, type LlamaConfig } from '../families/llama/config.js';
import { decoderParameters } from '../architecture/parameters.js';
import { describeLlama } from '../families/llama/llama.js';
import { loadTokenizer, type JsonTokenizer } from '../text/load-tokenizer.js';
import { readLlama2cVocabulary, readSentencePiece } from '../text/sentence-piece-files.js';
import { sentencePieceJson } from '../text/sentence-piece-json.js';
import { requireOwnTokenizer, type LoadedLanguageModel } from './loaded-language-model.js';
import { readBytes } from './read-files.js';

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
 * ends it too, as in llama2.c.
 *
 * @throws UserLlmError `bad-checkpoint` when the file is not as long as its header says, or has sizes that do not fit;
 *   `unreadable-file`; `wrong-tokenizer`.
 */
export async function loadLlama2c(path: string): Promise<LoadedLanguageModel> {
  const bytes = await readBytes(path);
  const config = headerOf(path, bytes);
  const weights = weightsOf(path, bytes, config);
  const tokenizer = await tokenizerBeside(path);
  requireOwnTokenizer(path, tokenizer, config.vocabularySize);
  return { family: 'llama', config, weights, ...(tokenizer && { tokenizer }) };
}

function headerOf(path: string, bytes: Uint8Array): LlamaConfig {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < headerBytes) throw badFile(path, 'seven sizes', `${bytes.byteLength} bytes`);
  if (view.getUint32(0, true) === laterMagic)
    throw badFile(path, 'the first format (float32, version 0)', `version ${view.getInt32(4, true)}`);
  const [width, feedForward, layers, heads, keyValueHeads, vocabulary, maximumTokens] = Array.from(
    { length: 7 },
    (_, at) => view.getInt32(4 * at, true),
  );
  try {
    return parseLlamaConfig({
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
  } catch (cause) {
    throw badFile(path, 'sizes of a Llama', cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function weightsOf(path: string, bytes: Uint8Array, config: LlamaConfig): Record<string, Tensor<'float32'>> {
  const { layers, maximumTokens, heads, width } = config;
  const numbers = (specs: Iterable<ParameterSpec>): number =>
    [...specs].reduce((sum, { shape }) => sum + elements(shape), 0);
  // Two tables of cosines and sines, which nobody reads any more.
  const tables = maximumTokens * (width / heads);
  const one = flattenParameters(decoderParameters(describeLlama({ ...config, layers: 1 })));
  const ofLayer = numbers([...one].flatMap(([name, spec]) => (name.startsWith('model.layers.0.') ? [spec] : [])));
  const expected = headerBytes + 4 * (numbers(one.values()) + (layers - 1) * ofLayer + tables);
  if (bytes.byteLength !== expected) throw badFile(path, `${expected} bytes`, `${bytes.byteLength}`);
  const parameters = flattenParameters(decoderParameters(describeLlama(config)));
  const weights: Record<string, Tensor<'float32'>> = {};
  let offset = bytes.byteOffset + headerBytes;
  const take = (name: string): void => {
    const { axes, shape } = parameters.get(name)!;
    const end = offset + 4 * elements(shape);
    weights[name] = new Tensor(
      'float32',
      axes,
      shape,
      new Float32Array(bytes.buffer.slice(offset, end) as ArrayBuffer),
    );
    offset = end;
  };
  take('model.embed_tokens.weight');
  for (const own of layerOrder) for (let layer = 0; layer < layers; layer++) take(`model.layers.${layer}.${own}`);
  take('model.norm.weight');
  offset += 4 * tables;
  if (!config.tiedEmbedding) take('lm_head.weight');
  return weights;
}

async function tokenizerBeside(path: string): Promise<JsonTokenizer | undefined> {
  const folder = dirname(path);
  const files = (await readdir(folder)).filter((file) => file !== basename(path)).sort();
  const model = files.find((file) => file.endsWith('.model'));
  const vocabulary = files.find((file) => /^tok.*\.bin$/.test(file));
  const own = model ?? vocabulary;
  if (own === undefined) return undefined;
  const bytes = await readBytes(join(folder, own));
  const pieces = own === model ? readSentencePiece(bytes) : readLlama2cVocabulary(bytes);
  return loadTokenizer(sentencePieceJson(pieces), { begin: '<s>', end: '<s>' });
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
