import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  createDecoder,
  llama,
  loadLanguageModel,
  rankTitles,
  TitleTrie,
  type DecodeStepper,
  type LlamaConfig,
  type TokenizedTitle,
} from '@user-llm/llm';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { answerTokens } from '@user-llm/user-llm';
import type { Benchmark } from '../benchmark.js';
import { median } from '../median.js';
import { seconds } from './decoder-timing.js';
import { smolLm2 } from './smol-lm2.js';

const rounds = 5;
const questions = 16;
const beamWidth = 16;

/** What a search over the titles of MovieLens-1M takes when all of a title is read, and when it is read up to its last choice. */
export const titles: Benchmark = {
  name: 'titles',
  description: `the likeliest 10 titles of MovieLens-1M for ${questions} questions, ${beamWidth} beams each, SmolLM2-135M in float32`,
  async run({ threads, progress }) {
    progress('getting ready');
    const runtime = await OnnxRuntime.create({ intraOpThreads: threads });
    const { config, weights, tokenizer } = await loadLanguageModel(smolLm2());
    const stepper = createDecoder({ llm: llama.build(config as LlamaConfig), weights, runtime });
    const names = await filmTitles();
    const films = names.map((title, at): TokenizedTitle => {
      return { item: `${at}`, tokens: tokenizer!.encode(` ${title}`) };
    });
    const trie = new TitleTrie(films, tokenizer!.end);
    const prompts = films.slice(0, questions).map(({ tokens }) => [...tokenizer!.encode('A film like'), ...tokens]);
    const ways = [false, true].map((constrained) => ({ constrained, times: [] as number[] }));
    const rank = (constrained: boolean) =>
      seconds(() => rankTitles({ stepper, prompts }, trie, { k: 10, beamWidth, constrained }));
    for (const { constrained } of ways) await rank(constrained);
    for (let round = 0; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      for (const { constrained, times } of ways) times.push(1000 * (await rank(constrained)));
    }
    await disposed(stepper, runtime);
    const lengths = names.map((title, at) => ({
      whole: films[at]!.tokens.length + 1,
      chosen: answerTokens(tokenizer!, title, trie).tokens.length,
    }));
    const mean = (of: (each: (typeof lengths)[number]) => number) =>
      lengths.reduce((sum, each) => sum + of(each), 0) / lengths.length;
    const [free, constrained] = ways.map(({ times }) => median(times)) as [number, number];
    return {
      rows: [
        { titles: 'free', 'tokens of a title': mean(({ whole }) => whole), 'median ms': free },
        { titles: 'constrained', 'tokens of a title': mean(({ chosen }) => chosen), 'median ms': constrained },
      ],
      ratios: { 'constrained titles, times as fast as free ones': free / constrained },
      versions: { 'ONNX Runtime': runtime.engine.version, titles: `${films.length}` },
    };
  },
};

/** Titles of `movies.dat` in the folder `ml-1m` of `USER_LLM_DATA`. */
async function filmTitles(): Promise<string[]> {
  const path = join(resolve(process.env['USER_LLM_DATA'] ?? '../shared/data'), 'ml-1m', 'movies.dat');
  if (!existsSync(path)) throw new Error(`No ${path}. Set USER_LLM_DATA to the folder with ml-1m.`);
  const lines = (await readFile(path, 'latin1')).split(/\r?\n/u).filter((line) => line !== '');
  return lines.map((line) => line.split('::')[1]!);
}

async function disposed(stepper: DecodeStepper, runtime: OnnxRuntime): Promise<void> {
  await stepper.dispose();
  await runtime.dispose();
}
