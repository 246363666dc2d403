import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { catalogue as everyBenchmark, type Catalogue } from './catalogue.js';
import { describeMachine } from './machine.js';
import { formatTable } from './table.js';

/**
 * The command `bench`: runs one benchmark and prints its table and its ratios.
 *
 * @param args The command line after the command's own name.
 * @param catalogue What there is to run.
 * @returns The exit status: 0 when the benchmark ran.
 * @throws Error when the command line names no benchmark that exists, or a number of threads below 1.
 */
export async function main(args: readonly string[], catalogue: Catalogue = everyBenchmark): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, json: { type: 'string' }, threads: { type: 'string' } },
  });
  const usage = `Usage: npm run bench -- NAME [--threads N] [--json FILE]\n\nNAME is one of: ${Object.keys(catalogue).join(', ')}\n`;
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const [name, ...more] = positionals;
  const load = name !== undefined && Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
  if (!load || more.length > 0)
    throw new Error(`Name one benchmark; got: ${positionals.join(' ') || 'nothing'}.\n\n${usage}`);
  const threads = values.threads === undefined ? availableParallelism() : Number(values.threads);
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new Error(`--threads takes a whole number from 1 up; got: ${values.threads}.`);
  }

  const benchmark = await load();
  const result = await benchmark.run({ threads, progress: (line) => process.stderr.write(`${line}\n`) });
  const machine = describeMachine();
  const list = (entries: object): string =>
    Object.entries(entries)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ');
  process.stdout.write(`${benchmark.name}: ${benchmark.description}\n\n${formatTable(result.rows)}\n\n`);
  for (const [what, ratio] of Object.entries(result.ratios)) process.stdout.write(`${what}: ${ratio.toFixed(2)}\n`);
  process.stdout.write(`\n${list(machine)}, threads ${threads}\n${list(result.versions)}\n`);
  if (values.json !== undefined) {
    const record = { name: benchmark.name, threads, machine, ...result };
    await writeFile(values.json, `${JSON.stringify(record, undefined, 2)}\n`);
  }
  return 0;
}
