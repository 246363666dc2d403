import { nextItemTask } from '@user-llm/tasks';
import type { TrainedOn } from '@user-llm/user-llm';
import { expect, it } from 'vitest';
import { evaluationData, heldOutUsers, leaveLastOut, planQuestions } from '../src/index.js';
import { trainingWarnings } from '../src/report/training-warnings.js';
import { history } from './support.js';

const users = Array.from({ length: 40 }, (_, at) => `user ${at}`);
const data = evaluationData({
  name: 'letters',
  events: users.flatMap((user) => history(user, 'abcde')),
  fingerprint: 'events items',
});

const warnings = (tested: TrainedOn['split'], split: TrainedOn['split'], trained = 'events items') =>
  trainingWarnings(data, planQuestions(data, { split: tested, tasks: [nextItemTask()] }), {
    'the model': { data: trained, split },
  });

it('does not warn of a model that is tested by the split that it was trained with', () => {
  expect(warnings(leaveLastOut, leaveLastOut)).toEqual([]);
  expect(warnings(heldOutUsers({ test: 0.3 }), heldOutUsers({ test: 0.3 }))).toEqual([]);
});

it('warns of users that training has seen, of answers that it has seen, and of other data', () => {
  const [users] = warnings(heldOutUsers({ test: 0.3 }), leaveLastOut);
  expect(users).toMatch(/^(\d+) of \1 questions to the model are about users that it was trained on: .*leave-last-out/);
  const [answers] = warnings(leaveLastOut, heldOutUsers({ test: 0.3, validation: 0 }));
  expect(answers).toMatch(
    /^\d\d of 40 questions to the model are about events that it was trained on: .*held-out-users/,
  );
  expect(warnings(leaveLastOut, leaveLastOut, 'others')).toEqual([
    expect.stringContaining('the model was trained on other data') as string,
  ]);
});
