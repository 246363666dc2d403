import { Command, Option, type CommandUnknownOpts } from '@commander-js/extra-typings';
import {
  amazonReviews,
  fromTable,
  googleLocal,
  movielens,
  prepareDataset,
  type DatasetManifest,
} from '@user-llm/datasets';
import type { DatasetSource } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { progressLine } from './progress.js';

const sources = { movielens, amazon: amazonReviews, 'google-local': googleLocal } as const;

const examples = `
Examples:
  $ user-llm-train data prepare --source movielens --input ml-25m --out data/ml-25m
  $ user-llm-train data prepare --source amazon --input reviews --out data/movies --k-core 5
  $ user-llm-train data prepare --source table --input 'clicks/*.parquet' --out data/clicks \\
      --columns user=customer,item=sku,time=at --time-unit milliseconds

The result is events.parquet, items.parquet and manifest.json; rows that could not be used are listed in bad-rows.jsonl.`;

/** `data prepare`: raw files to canonical events and items. */
export function prepareCommand(signal: AbortSignal): CommandUnknownOpts {
  return new Command('prepare')
    .description('make a data set of raw files')
    .addOption(
      new Option('--source <name>', 'what the raw files are')
        .choices(['movielens', 'amazon', 'google-local', 'table'] as const)
        .makeOptionMandatory(),
    )
    .requiredOption('--input <path>', 'a file, a folder or a glob')
    .requiredOption('--out <folder>', 'folder of the data set; a data set that stands there is replaced')
    .option('--min-history <n>', 'drop users with fewer events', Number)
    .option('--k-core <n>', 'drop users and items with fewer events until none is left', Number)
    .option('--max-bad-rows <share>', 'largest share of bad rows, 0 to 1', Number)
    .option('--keep-duplicates', 'keep events that equal an earlier one')
    .option('--columns <mapping>', 'table: user=RAW,item=RAW,time=RAW and others')
    .option('--items <path>', 'table: metadata of items')
    .option('--item-columns <mapping>', 'table: item=RAW,title=RAW,categories=RAW and others')
    .option('--separator <text>', 'table: what separates values')
    .addOption(
      new Option('--time-unit <unit>', 'table: unit of the times').choices([
        'seconds',
        'milliseconds',
        'microseconds',
        'iso',
      ] as const),
    )
    .option('--memory <megabytes>', 'memory of the engine', Number)
    .option('--threads <n>', 'threads of the engine', Number)
    .addHelpText('after', examples)
    .action(async (options) => {
      const progress = progressLine(process.stderr);
      const manifest = await prepareDataset({
        source: options.source === 'table' ? tableSource(options) : sources[options.source],
        input: options.input,
        output: options.out,
        signal,
        onProgress: progress.show,
        ...(options.minHistory !== undefined && { minHistory: options.minHistory }),
        ...(options.kCore !== undefined && { kCore: options.kCore }),
        ...(options.maxBadRows !== undefined && { maxBadRowShare: options.maxBadRows }),
        ...(options.keepDuplicates && { duplicates: 'keep' }),
        ...(options.memory !== undefined && { memoryLimit: options.memory * 1e6 }),
        ...(options.threads !== undefined && { threads: options.threads }),
      }).finally(progress.end);
      process.stdout.write(summarize(manifest, options.out));
    });
}

interface TableFlags {
  readonly columns?: string | undefined;
  readonly items?: string | undefined;
  readonly itemColumns?: string | undefined;
  readonly separator?: string | undefined;
  readonly timeUnit?: 'seconds' | 'milliseconds' | 'microseconds' | 'iso' | undefined;
}

function tableSource({ columns, items, itemColumns, separator, timeUnit }: TableFlags): DatasetSource {
  return fromTable({
    columns: parseMapping('--columns', columns ?? ''),
    ...(items !== undefined && { items: { input: items, columns: parseMapping('--item-columns', itemColumns ?? '') } }),
    ...(separator !== undefined && { separator: separator === '\\t' ? '\t' : separator }),
    ...(timeUnit !== undefined && { timeUnit }),
  });
}

function parseMapping(flag: string, text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw new UserLlmError('bad-options', { what: flag, expected: 'name=RAW,name=RAW', got: pair });
    }),
  );
}

/** What a person is told of a data set that was just made. */
export function summarize({ counts, rows, time }: DatasetManifest, folder: string): string {
  const number = (n: number) => n.toLocaleString('en-US');
  const bad = Object.entries(rows.events.bad).map(([reason, n]) => `${number(n)} ${reason}`);
  return [
    `${number(counts.events)} events of ${number(counts.users)} users with ${number(counts.itemsWithEvents)} items`,
    `from ${time.first.slice(0, 10)} to ${time.last.slice(0, 10)}`,
    `${number(rows.events.read)} rows read; bad: ${bad.join(', ') || 'none'}; duplicates dropped: ${number(rows.events.duplicates)}`,
    `${number(counts.items)} items in all, ${number(counts.itemsWithoutMetadata)} without metadata`,
    `written to ${folder}`,
    '',
  ].join('\n');
}
