import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTokenizer, trainBpe } from '@user-llm/llm';
import { EventTokenizer } from '@user-llm/tokenization';
import { presets, UserLlm } from '@user-llm/user-llm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  exportedBy,
  linesOf,
  namedErrors,
  printedBy,
  problemsOf,
  readmesWithExamples,
  saidBy,
  thrownBy,
} from './readme.js';

const readmes = readmesWithExamples();
const start = process.cwd();
let folder = '';
let problems: ReturnType<typeof problemsOf>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'user-llm-readmes-'));
  process.chdir(folder);
  problems = problemsOf(readmes);
  await saveModel('runs/demo/model');
});
afterAll(() => {
  process.chdir(start);
  rmSync(folder, { recursive: true, force: true });
});

/** A model such as the demo leaves behind, for examples that load one. */
async function saveModel(place: string): Promise<void> {
  const events = ['260', '1196', '1210'].map((item, time) => ({ user: 'ann', item, time }));
  const catalogue = events.map(({ item }) => ({ item, title: `Film ${item}` }));
  const schema = { item: { kind: 'id' } } as const;
  const textTokenizer = loadTokenizer(
    trainBpe(
      catalogue.map(({ title }) => title),
      { vocabularySize: 300 },
    ),
  );
  const model = UserLlm.create({
    config: presets.tiny({ events: schema, vocabularySize: textTokenizer.vocabularySize }),
    eventTokenizer: await EventTokenizer.fit(schema, { events }),
    textTokenizer,
    catalogue,
    weights: { seed: 1 },
  });
  await model.save(place);
  await model.dispose();
}

/** Codes that no source names where it throws: those of a class of errors, or handed on from another package. */
const more: Readonly<Record<string, readonly string[]>> = {
  '@user-llm/serving': ['bad-request', 'unsupported-parameter'],
  '@user-llm/tokenization': ['worker-failed'],
  '@user-llm/training': ['missing-model', 'unknown-version'],
  '@user-llm/user-llm': ['plugin-failed'],
};

/** Those that tell what there is in groups, or leave it to the types. */
const inGroups = ['@user-llm/graph', '@user-llm/plugin'];

describe.each(readmes)('README of $name', (readme) => {
  it('has a short example that prints what it says', async () => {
    expect(linesOf(readme.example).length).toBeLessThan(20);
    // Any free port instead of the one that people know.
    const { plain, quoted } = await printedBy(readme.example.replace('port: 8080', 'port: 0'));
    const said = saidBy(readme.example);
    expect(said).toEqual(quoted.join() === said.join() ? quoted : plain);
  });

  it('has an example that compiles', () => {
    expect(problems.get(readme.name)).toEqual([]);
  });

  it.skipIf(inGroups.includes(readme.name))('names everything that the package exports', () => {
    const names = exportedBy(readme);
    expect(names).not.toEqual([]);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(readme.text))).toEqual([]);
  });

  it('names every error code that the package throws, and no other, where it has a table of them', () => {
    const named = namedErrors(readme);
    if (named) expect(named).toEqual([...thrownBy(readme), ...(more[readme.name] ?? [])].sort());
  });
});

it('finds the READMEs', () => {
  expect(readmes.length).toBeGreaterThan(15);
});
