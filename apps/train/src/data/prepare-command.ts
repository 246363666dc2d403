import { Command, Option, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { openDataset, prepareDataset, type DatasetManifest } from '@user-llm/datasets';
import { loadPlugins } from '@user-llm/user-llm';
import { publishedCounts } from './paper-counts.js';
import { prepareProgress } from './progress.js';
import { chosenSource } from './source-flags.js';

const examples = `
Sources: movielens, amazon, google-local, table (your own CSV, JSON lines or Parquet), simulate (a made-up world), and
those of plugins.

Examples:
  $ user-llm-train data prepare --source movielens --input ml-25m --out data/ml-25m
  $ user-llm-train data prepare --source amazon --input reviews --out data/movies --k-core 5
  $ user-llm-train data prepare --source table --input 'clicks/*.parquet' --out data/clicks \\
      --columns user=customer,item=sku,time=at --time-unit milliseconds
  $ user-llm-train data prepare --source simulate --users 1000 --items 500 --events 50000 --seed 1 --out data/world
  $ user-llm-train data prepare --plugin ./our-shop.mjs --source our-shop --input exports --out data/shop

The result is events.parquet, items.parquet and manifest.json; rows that could not be used are listed in bad-rows.jsonl.`;

/** `data prepare`: raw files to canonical events and items. */
export function prepareCommand(signal: AbortSignal): CommandUnknownOpts {
  return new Command('prepare')
    .description('make a data set of raw files')
    .requiredOption('--source <name>', 'what the raw files are')
    .option('--input <path>', 'a file, a folder, a glob, or an address (https://, s3://)')
    .requiredOption('--out <folder>', 'folder of the data set; a data set that stands there is replaced')
    .option(
      '--plugin <module>',
      'plugin with sources: a path that starts with ./ or /, or a package; can be repeated',
      (module: string, before: readonly string[]) => [...before, module],
      [] as readonly string[],
    )
    .option('--min-history <n>', 'drop users with fewer events', Number)
    .option('--k-core <n>', 'drop users and items with fewer events until none is left', Number)
    .option('--max-bad-rows <share>', 'largest share of bad rows, 0 to 1', Number)
    .option('--keep-duplicates', 'keep events that equal an earlier one')
    .option('--columns <mapping>', 'table: user=RAW,item=RAW,time=RAW and others')
    .option('--items <path or n>', 'table: metadata of items; simulate: how many items')
    .option('--item-columns <mapping>', 'table: item=RAW,title=RAW,categories=RAW and others')
    .addOption(
      new Option('--format <kind>', 'table: how files are written, where their names do not say').choices([
        'csv',
        'jsonl',
        'parquet',
      ] as const),
    )
    .option('--separator <text>', 'table: what separates values')
    .addOption(
      new Option('--time-unit <unit>', 'table: unit of the times').choices([
        'seconds',
        'milliseconds',
        'microseconds',
        'iso',
      ] as const),
    )
    .option('--users <n>', 'simulate: how many users', Number)
    .option('--events <n>', 'simulate: how many events', Number)
    .option('--seed <n>', 'simulate: which world', Number)
    .option('--memory <megabytes>', 'memory of the engine', Number)
    .option('--threads <n>', 'threads of the engine', Number)
    .addHelpText('after', examples)
    .action(async (options) => {
      const source = chosenSource(options, await loadPlugins(options.plugin));
      const progress = prepareProgress(process.stderr);
      const manifest = await prepareDataset({
        source,
        output: options.out,
        signal,
        onProgress: progress.show,
        ...(options.input !== undefined && { input: options.input }),
        ...(options.minHistory !== undefined && { minHistory: options.minHistory }),
        ...(options.kCore !== undefined && { kCore: options.kCore }),
        ...(options.maxBadRows !== undefined && { maxBadRowShare: options.maxBadRows }),
        ...(options.keepDuplicates && { duplicates: 'keep' }),
        ...(options.memory !== undefined && { memoryLimit: options.memory * 1e6 }),
        ...(options.threads !== undefined && { threads: options.threads }),
      }).finally(progress.end);
      process.stdout.write(summarize(manifest, options.out));
      process.stdout.write(await publishedCounts(await openDataset(options.out)));
    });
}

/** What a person is told of a data set that was just made. */
export function summarize({ counts, rows, time }: DatasetManifest, folder: string): string {
  const number = (n: number) => n.toLocaleString('en-US');
  const bad = Object.entries(rows.events.bad).map(([reason, n]) => `${number(n)} ${reason}`);
  return [
    `${number(counts.events)} events of ${number(counts.users)} users with ${number(counts.itemsWithEvents)} items`,
    `from ${time.first} to ${time.last}`,
    `${number(rows.events.read)} rows read; bad: ${bad.join(', ') || 'none'}; duplicates dropped: ${number(rows.events.duplicates)}`,
    `${number(counts.items)} items in all, ${number(counts.itemsWithoutMetadata)} without metadata`,
    `written to ${folder}`,
    '',
  ].join('\n');
}
