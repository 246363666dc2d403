import type { ControlResult } from '@user-llm/evaluation';
import { alignedColumns } from './answer-table.js';
import type { Judgement } from './judge.js';
import type { RealUser } from './real-user.js';
import type { StageTime } from './stage-clock.js';

/** Whether the user is used: what happens to the loss with another user, and with none. */
export function usedText({ ways }: Pick<Judgement, 'ways'>): string {
  const controls = ways.flatMap((way) => way.controls);
  const rows = controls.map(({ candidate, task, conditions }) => [
    candidate,
    task,
    ...conditions.map(({ loss, above }) =>
      above === undefined
        ? loss.value.toFixed(3)
        : `${signed(above.value)} (${signed(above.low)} to ${signed(above.high)})`,
    ),
  ]);
  const heading = ['', 'task', 'own user', 'another user', 'no user'];
  const gates = controls.flatMap(gatesText).slice(0, 1);
  return [
    'Is the user used? Loss of the true answers, nats per token, and how much it rises:',
    alignedColumns([heading, ...rows]),
    ...gates,
  ].join('\n');
}

/** What the LLM has kept of its language: perplexity without a user, lowest at best. */
export function keptText({ ways }: Pick<Judgement, 'ways'>): string {
  const rows = ways.flatMap(({ way, perplexity }) =>
    perplexity === undefined ? [] : [[way.label, perplexity.toFixed(2)]],
  );
  const note =
    'Perplexity of plain English without a user (by cross-attention with proj or enc it is that of the LLM before tuning):';
  return [note, alignedColumns(rows)].join('\n');
}

function gatesText({ candidate, gates }: ControlResult): string[] {
  if (gates.length === 0) return [];
  return [`  Gates of ${candidate}: ${gates.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ')}`];
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
}

/** A real user's history, and what the model says of it. */
export function userText({ user, history, genres, answers }: RealUser): string {
  const most = genres
    .slice(0, 5)
    .map(([genre, events]) => `${genre} ${events}`)
    .join(', ');
  return [
    `User ${user} of the test; the model has read embeddings of the history, not these words:`,
    ...history.map((film) => `    ${film}`),
    `  genres of what it has read: ${most}`,
    ...answers.flatMap(({ question, answer, truth }) => [`  ${question}`, `    ${answer}   (true: ${truth})`]),
  ].join('\n');
}

/** What each stage took beside its budget. */
export function stageTable(times: readonly StageTime[]): string {
  const told = (seconds: number | undefined): string => (seconds === undefined ? '-' : `${Math.round(seconds)} s`);
  const total = (of: 'seconds' | 'budget'): string => told(times.reduce((sum, time) => sum + (time[of] ?? 0), 0));
  const rows = times.map(({ stage, seconds, budget }) => [stage, told(seconds), told(budget)]);
  return alignedColumns([
    ['stage, in this call', 'took', 'budget'],
    ...rows,
    ['in all', total('seconds'), total('budget')],
  ]);
}
