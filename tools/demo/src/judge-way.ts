import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  evaluateCandidates,
  measureCosts,
  perplexityOf,
  planQuestions,
  rememberedCandidate,
  textPromptCandidate,
  userControls,
  userLlmCandidate,
  type Candidate,
  type ControlResult,
  type CostMeasurement,
  type EvaluationProgress,
} from '@user-llm/evaluation';
import { UserLlmError, writeFileAtomically } from '@user-llm/tensor';
import { UserLlm } from '@user-llm/user-llm';
import type { JudgeOptions, Test } from './judge.js';
import type { Recipe, Way } from './recipes/recipe.js';

/** What was found of one way, apart from its answers. */
interface Findings {
  readonly description: string;
  /** Wall time of the answers of each task, in milliseconds; of those since it was last stopped. */
  readonly milliseconds: Readonly<Record<string, number>>;
  readonly costs: readonly CostMeasurement[];
  readonly controls: readonly ControlResult[];
  /** Of plain texts, without a user; absent where the recipe has none. */
  readonly perplexity?: number;
}

/** A way that has been judged, with a candidate that gives its answers once more. */
export interface JudgedWay extends Findings {
  readonly way: Way;
  readonly candidate: Candidate;
}

/** Judges one way, or takes what was found of the same model before. */
export async function judgeWay(test: Test, way: Way, options: JudgeOptions): Promise<JudgedWay> {
  const folder = join(options.folder, 'judged');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${way.name}.json`);
  const remembering = {
    path: join(folder, `${way.name}.jsonl`),
    fingerprint: await fingerprintOf(test, options.recipe, options.models.get(way.name)!),
  };
  const findings =
    (await readFindings(path, remembering.fingerprint)) ?? (await findOut(test, way, remembering, options));
  await writeFileAtomically(path, JSON.stringify({ fingerprint: remembering.fingerprint, findings }, null, 2));
  const again = (): never => {
    throw new UserLlmError('answers-missing', { what: remembering.path, expected: 'all answers', got: 'some' });
  };
  const { description } = findings;
  const candidate = await rememberedCandidate(
    { name: way.label, description, kind: 'model', rank: again, answer: again },
    remembering,
  );
  return { ...findings, way, candidate };
}

/** Everything that the answers of a way depend on. */
async function fingerprintOf({ data, questions }: Test, recipe: Recipe, model: string): Promise<string> {
  const hash = createHash('sha256');
  hash.update(await readFile(join(model, 'model.json')));
  const asked = questions.questions.map(({ example, position }) => [example.user, example.template, position]);
  hash.update(JSON.stringify([data.hash, asked, recipe.maximumEvents, recipe.beamWidth, recipe.timedEvents]));
  return hash.digest('hex');
}

async function readFindings(path: string, fingerprint: string): Promise<Findings | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const kept = JSON.parse(text) as { readonly fingerprint: string; readonly findings: Findings };
  return kept.fingerprint === fingerprint ? kept.findings : undefined;
}

async function findOut(
  test: Test,
  way: Way,
  remembering: { readonly path: string; readonly fingerprint: string },
  { recipe, models, runtime, seed, signal, show }: JudgeOptions,
): Promise<Findings> {
  const { data, questions } = test;
  const userLlm = await UserLlm.load(models.get(way.name)!, { runtime });
  try {
    const candidate = candidateOf(test, way, userLlm, recipe);
    const { results } = await evaluateCandidates(data, questions, [await rememberedCandidate(candidate, remembering)], {
      bootstrap: { seed },
      signal,
      onProgress: (progress) => {
        show(answeredText(progress));
      },
    });
    const held = { ...userLlm.parts, runtime };
    const controls =
      way.kind === 'fusion'
        ? await userControls(held, questions.questions, {
            name: way.label,
            seed,
            bootstrap: { seed },
            signal,
            onProgress: (next) => {
              show(`${way.label}: loss of ${next}`);
            },
          })
        : [];
    const costs = way.kind === 'fusion' ? await costsOf(test, way, userLlm, recipe, { signal, show }) : [];
    const plain = recipe.plainTexts;
    return {
      description: candidate.description,
      milliseconds: Object.fromEntries(results.map(({ task, milliseconds }) => [task, milliseconds])),
      costs,
      controls,
      ...(plain.length > 0 && { perplexity: (await perplexityOf(held, plain, signal)).perplexity }),
    };
  } finally {
    await userLlm.dispose();
  }
}

/** How far answering is. */
export function answeredText({ candidate, task, answered, questions }: EvaluationProgress): string {
  return `${candidate}: ${task} ${answered}/${questions}`;
}

function candidateOf({ data }: Test, way: Way, userLlm: UserLlm, { beamWidth }: Recipe): Candidate {
  const options = { name: way.label, beamWidth };
  return way.kind === 'text'
    ? textPromptCandidate(data, userLlm, { ...options, lastEvents: way.lastEvents })
    : userLlmCandidate(data, userLlm, options);
}

/**
 * What an answer takes with histories of several lengths. The text prompts are those of the same decoder, so they are
 * measured once, beside the first way.
 */
async function costsOf(
  { data, questions }: Test,
  way: Way,
  userLlm: UserLlm,
  recipe: Recipe,
  { signal, show }: Pick<JudgeOptions, 'signal' | 'show'>,
): Promise<CostMeasurement[]> {
  const withText = way === recipe.ways[0];
  const planned = planQuestions(data, { split: questions.split, tasks: questions.tasks, seed: questions.seed });
  // A constrained title is no text that the LLM has learned to write to its end.
  const written = userLlm.model.config.titles === 'constrained' ? 'label' : 'item';
  const asked = planned.questions.filter(({ answers }) => answers === written);
  const historyEvents = withText ? recipe.timedEvents : [shownEvents(recipe)];
  const measured = await measureCosts(data, userLlm, asked, {
    historyEvents,
    signal,
    onProgress: (next) => {
      show(`cost of an answer: ${next}`);
    },
  });
  return measured
    .filter(({ candidate }) => withText || candidate !== 'text prompt')
    .map(({ candidate, ...cost }) => ({
      ...cost,
      candidate:
        candidate === 'text prompt'
          ? candidate
          : candidate.endsWith('cached')
            ? `${way.label}, context cached`
            : way.label,
    }));
}

/** The length of the histories whose cost the table shows: the longest that is timed and read as a whole. */
export function shownEvents({ timedEvents, maximumEvents }: Recipe): number {
  return Math.max(...timedEvents.filter((events) => events <= maximumEvents));
}
