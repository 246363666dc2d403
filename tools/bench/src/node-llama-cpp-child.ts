import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serveSteps } from './step-process.js';

/** What is used of node-llama-cpp. */
interface NodeLlamaCpp {
  getLlama(options: object): Promise<{
    loadModel(options: object): Promise<{
      createContext(options: object): Promise<{ getSequence(): Sequence }>;
    }>;
  }>;
}

interface Sequence {
  clearHistory(): Promise<void>;
  /** Reads tokens without asking for logits. */
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  /** Reads tokens, then gives the next ones that it draws, each read before the one behind it. */
  evaluate(tokens: readonly number[], options: object): AsyncGenerator<number>;
}

/** llama.cpp as node-llama-cpp brings it: `MODULE MODEL THREADS`, then requests for tokens, as lines of JSON. */
async function main(module: string, modelPath: string, threads: number): Promise<void> {
  const url = pathToFileURL(join(module, 'dist/index.js')).href;
  const { version } = JSON.parse(readFileSync(join(module, 'package.json'), 'utf8')) as { version: string };
  const { getLlama } = (await import(url)) as NodeLlamaCpp;
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: 'error' });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ contextSize: 1024, batchSize: 512, threads });
  const sequence = context.getSequence();
  const timed = async (work: () => Promise<void>): Promise<{ milliseconds: number }> => {
    const start = performance.now();
    await work();
    return { milliseconds: performance.now() - start };
  };
  const prompt = (tokens: number): number[] => Array.from({ length: tokens }, (_, at) => 100 + (at % 1000));
  await serveSteps(
    { engine: `node-llama-cpp ${version}` },
    {
      decode: async (count) => {
        await sequence.clearHistory();
        const tokens = sequence.evaluate(prompt(16), { temperature: 0, yieldEogToken: true });
        await tokens.next();
        const taken = await timed(async () => {
          for (let at = 0; at < count; at++) await tokens.next();
        });
        await tokens.return(undefined);
        return taken;
      },
      prefill: async (count) => {
        await sequence.clearHistory();
        return timed(() => sequence.evaluateWithoutGeneratingNewTokens(prompt(count)));
      },
    },
  );
  // Its threads would keep the process.
  process.exit();
}

await main(process.argv[2]!, process.argv[3]!, Number(process.argv[4]));
