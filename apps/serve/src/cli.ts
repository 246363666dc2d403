import { Command, CommanderError, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { serverLimits } from '@user-llm/serving';
import { UserLlmError } from '@user-llm/tensor';
import { loadUserLlm } from './load-user-llm.js';
import { demoFolders, serve, type LoadModel } from './serve.js';

const help = `
The server speaks OpenAI's interface: the standard field "user" says whose embeddings the model reads. The history is
never part of the prompt. Once it runs:

  $ curl localhost:8080/v1/users/ann/events -H 'content-type: application/json' \\
      -d '{"events": [{"item": "260", "rating": 5}, {"item": "1196", "rating": 4.5}]}'
  $ curl localhost:8080/v1/chat/completions -H 'content-type: application/json' \\
      -d '{"user": "ann", "stream": true, "messages": [{"role": "user", "content": "Which movie does this user choose next?"}]}'
  $ curl 'localhost:8080/v1/users/ann/recommendations?k=5&by=encoder'
  $ curl -X DELETE localhost:8080/v1/users/ann

Examples:
  $ user-llm-serve                                      # the demo's model, after npm run demo
  $ user-llm-serve runs/movies/model --data data/movies # with the users of a prepared data set
  $ user-llm-serve runs/movies/model --store users --host 0.0.0.0 --api-key-file keys
  $ user-llm-serve runs/ours/model --plugin ./our-encoder.mjs

A file of API keys has a key per line, or TENANT KEY: users of different tenants have nothing to do with each other.
Ctrl-C or SIGTERM lets open requests end first; a second one does not wait.`;

/**
 * Runs `user-llm-serve`.
 *
 * @param args What follows the command's name.
 * @param loadModel How a model is loaded from its folder.
 * @returns The exit code: 0 ended as asked, 1 failed, 2 wrong usage.
 */
export async function main(args: readonly string[], loadModel: LoadModel = loadUserLlm): Promise<number> {
  const ending = new AbortController();
  const end = () => {
    if (ending.signal.aborted) process.exit(130);
    ending.abort();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  const limits = serverLimits.parse({});
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const program = new Command('user-llm-serve')
    .description('answer for users over HTTP')
    .argument('[model]', `folder of a model; ${demoFolders.model} when absent`)
    .option('--port <n>', 'port to listen at; 0 takes a free one', whole(0, 65535), 8080)
    .option('--host <name>', 'address to listen at; 0.0.0.0 is every one of this machine', '127.0.0.1')
    .option('--data <folder>', `prepared data set whose users are known; the demo's with the demo's model`)
    .option('--store <folder>', 'where users are kept (LMDB); in memory when absent')
    .option('--api-key-file <file>', 'let in who has a key of this file')
    .option(
      '--plugin <module>',
      'plugin with parts of the model: a path that starts with ./ or /, or a package; can be repeated',
      collect,
      [] as readonly string[],
    )
    .option('--name <name>', 'what the API calls the model', 'user-llm')
    .option('--question <text>', 'a question to try on the page; can be repeated', collect, [] as readonly string[])
    .option('--item-noun <word>', 'what an item is called in the questions to try', 'movie')
    .option('--category-noun <word>', 'what a category is called in the questions to try', 'genre')
    .option('--bits <n>', "bits of the LLM's matrices, 4 or 8: faster, answers differ a little", fewBits)
    .option('--compact', 'with --bits: less memory, but prompts are read more slowly')
    .option('--concurrency <n>', 'requests that the model works on at once', whole(1, 1024), 8)
    .option('--queue <n>', 'requests that may wait; more get 429', whole(0, 100_000), 32)
    .option('--deadline <seconds>', 'how long a request may take', whole(1, 86_400), 60)
    .option(
      '--maximum-tokens <n>',
      'most tokens of an answer that may be asked for',
      whole(1, 1e6),
      limits.maximumTokens,
    )
    .option('--default-tokens <n>', 'most tokens where a request does not say', whole(1, 1e6), limits.defaultTokens)
    .option('--maximum-events <n>', 'latest events kept of a user', whole(1, 1e6), limits.maximumEvents)
    .option('--maximum-body-bytes <n>', 'largest body of a request', whole(1, 2 ** 30), limits.maximumBodyBytes)
    .option('--cached-users <n>', 'users whose context is kept in memory', whole(0, 1e9), limits.cachedUsers)
    .option('--drain <seconds>', 'how long open requests get at the end', whole(0, 86_400), 20)
    .addOption(
      new Option('--log-level <level>', 'what is logged on standard error, as JSON')
        .choices(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const)
        .default('info' as const),
    )
    .addHelpText('after', help)
    .exitOverride()
    .action(async (model, { question, plugin, ...options }) => {
      const { data, store, apiKeyFile, bits, ...rest } = options;
      const given = {
        ...rest,
        questions: question,
        plugins: plugin,
        ...(model !== undefined && { model }),
        ...(bits !== undefined && { bits }),
        ...(data !== undefined && { data }),
        ...(store !== undefined && { store }),
        ...(apiKeyFile !== undefined && { apiKeyFile }),
      };
      await serve(given, loadModel, ending.signal, say);
    });
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!UserLlmError.isInstance(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    process.removeListener('SIGINT', end);
    process.removeListener('SIGTERM', end);
  }
}

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text];

function fewBits(text: string): 4 | 8 {
  if (text === '4' || text === '8') return text === '4' ? 4 : 8;
  throw new InvalidArgumentError('It must be 4 or 8.');
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It is a whole number of ${least} to ${most}.`);
  };
}
