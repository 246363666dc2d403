import type { Event, Item } from '../event.js';
import type { Example } from '../example.js';
import type { Catalogue, Question, Task } from '../task.js';
import type { History } from '../timeline.js';
import { demand, type Check } from './check.js';

/** What a task is tried on. */
export interface TaskSample {
  readonly histories: readonly History[];
  readonly catalogue: Catalogue;
}

/**
 * What every task must do: ask at any place of any history or say that it cannot, tell the model of earlier events alone,
 * keep the answer out of the instruction, name the wording it used, and give the same example for the same question.
 *
 * @param sample Histories in which the task can be asked at least once; a small world of films with ratings, texts and
 *   gaps when absent.
 */
export function taskChecks(task: Task, sample: TaskSample = smallWorld()): readonly Check[] {
  const histories = sample.histories.map(frozenHistory);
  const ask = (question: Question): Example | undefined => task.example(question, sample.catalogue);
  const questions = (): Question[] =>
    histories.flatMap((history) =>
      history.events.flatMap((_, position) => [
        { history, position },
        { history, position, length: 2 },
        { history, position, phrasing: position },
      ]),
    );
  const asked = (): { question: Question; example: Example }[] =>
    questions().flatMap((question) => {
      const example = ask(question);
      return example === undefined ? [] : [{ question, example }];
    });
  const each = (name: string, run: (question: Question, example: Example) => void): Check =>
    check(name, () => {
      for (const { question, example } of asked()) run(question, example);
    });
  return [
    check('has a name, a version, phrasings and metrics', () => {
      const counted = [task.version, task.phrasings];
      const right =
        task.name !== '' && counted.every((n) => Number.isSafeInteger(n) && n > 0) && task.metrics.length > 0;
      demand(right, 'task', 'a name, a version and phrasings from 1, at least one metric', JSON.stringify(task));
    }),
    check('can be asked', () => {
      demand(asked().length > 0, 'examples of the sample', 'at least one', 'none');
    }),
    check('says that it cannot be asked where there is nothing, and never fails', () => {
      const nobody: History = { user: 'nobody', events: [] };
      for (const history of [nobody, ...histories]) {
        const { length } = history.events;
        // What these give is the task's own affair; a task about a user needs no event to ask about.
        for (const position of [0, length, length + 5]) ask({ history, position, length: 0 });
        const unknown = task.example({ history, position: Math.max(0, length - 1) }, new Map());
        demand(unknown?.target !== '', 'target with an empty catalogue', 'words, or no example', 'none');
      }
    }),
    each('tells who is asked about what, in words', ({ history }, example) => {
      demand(example.task === task.name, 'task of an example', task.name, example.task);
      demand(example.user === history.user, 'user of an example', history.user, example.user);
      demand(example.instruction.trim() !== '', 'instruction', 'words', 'none');
      demand(example.target.trim() !== '', 'target', 'words', 'none');
      const named = task.answers !== 'item' || example.item !== undefined;
      demand(named, 'example whose answer is an item', 'the item', 'none');
    }),
    each('tells of events before the position alone, in their order, no more than asked for', (question, example) => {
      const { history, position, length = Infinity } = question;
      let next = 0;
      for (const { item, time } of example.history) {
        const at = history.events.findIndex(
          (event, place) => place >= next && event.item === item && event.time === time,
        );
        const expected = `events before ${position}, oldest first`;
        demand(at >= next && at < position, 'history of an example', expected, `${item} at ${time}`);
        next = at + 1;
      }
      const told = example.history.length;
      demand(told <= length, 'history of an example', `at most ${length} events`, String(told));
    }),
    each('keeps the answer out of the instruction', (_, { instruction, target }) => {
      // A review's words may by chance be those that ask for it.
      const told = task.answers !== 'text' && instruction.includes(target);
      demand(!told, 'instruction', `words other than the answer ${target}`, instruction);
    }),
    each('gives the same example for the same question', (question, example) => {
      const again = ask(question);
      demand(show(again) === show(example), 'example of the same question', show(example), show(again));
    }),
    each('puts a question in each of its phrasings, and wraps around', (question, example) => {
      const ways = Array.from({ length: task.phrasings }, (_, phrasing) => ask({ ...question, phrasing }));
      const instructions = new Set(ways.map((way) => way?.instruction));
      demand(instructions.size === task.phrasings, 'instructions', `${task.phrasings} of them`, `${instructions.size}`);
      ways.forEach((way, phrasing) => {
        const name = `${task.name}@${task.version}#${phrasing}`;
        demand(way?.template === name, 'template', name, String(way?.template));
        demand(way?.target === example.target, 'target in another phrasing', example.target, String(way?.target));
        const wrapped = ask({ ...question, phrasing: phrasing + task.phrasings });
        demand(show(wrapped) === show(way), `phrasing ${phrasing + task.phrasings}`, show(way), show(wrapped));
      });
    }),
  ];
}

function check(name: string, run: () => void): Check {
  return { name, run: () => Promise.resolve().then(run) };
}

function show(example: Example | undefined): string {
  return example === undefined ? 'none' : JSON.stringify(example);
}

function frozenHistory({ user, events }: History): History {
  return { user, events: Object.freeze(events.map((event) => Object.freeze({ ...event }))) };
}

/** Films with and without title and categories, and users with one event and with many. */
function smallWorld(): TaskSample {
  const genres = ['Drama', 'Comedy', 'Western', 'Noir'];
  const items = Array.from({ length: 12 }, (_, at): Item => {
    if (at === 11) return { item: 'i11', title: null, categories: null };
    return { item: `i${at}`, title: `Number ${at} (19${50 + at})`, categories: genres.slice(at % 3, (at % 3) + 2) };
  });
  const histories = [1, 2, 9].map((length, user): History => ({
    user: `u${user}`,
    events: Array.from({ length }, (_, at): Event => {
      const words = at % 3 === 2 ? {} : { text: `Words of u${user} on ${at}.`, summary: `Headline ${at}` };
      return { user: `u${user}`, item: `i${(5 * at + user) % 13}`, time: 1e12 + at, rating: 1 + (at % 5), ...words };
    }),
  }));
  return { histories, catalogue: new Map(items.map((item) => [item.item, item])) };
}
