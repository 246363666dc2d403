import type { Catalogue, Event, History, Item } from '@user-llm/plugin';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  builtInTasks,
  favouriteCategory,
  favouriteCategoryTask,
  nextItemTask,
  promptOf,
  reviewTask,
} from '../src/index.js';

const catalogue: Catalogue = new Map(
  (
    [
      { item: 'a', title: 'Alien', categories: ['Horror', 'Sci-Fi'] },
      { item: 'b', title: 'Big', categories: ['Comedy'] },
      { item: 'c', title: 'Cube', categories: ['Horror', 'Mystery'] },
      { item: 'd', title: ' Dune\n', categories: ['Sci-Fi'] },
      { item: 'e', title: null, categories: null },
    ] satisfies Item[]
  ).map((item) => [item.item, item]),
);

function historyOf(items: string, more: Partial<Event> = {}): History {
  return { user: 'u', events: [...items].map((item, at) => ({ user: 'u', item, time: at, rating: 4, ...more })) };
}

describe('next item', () => {
  const task = nextItemTask({ noun: 'film' });

  it('asks for the event at the position and shows none of it', () => {
    const example = task.example({ history: historyOf('abcd'), position: 2 }, catalogue);
    expect(example).toMatchObject({ task: 'next-item', template: 'next-item@1#0', target: 'Cube', item: 'c' });
    expect(example?.history.map(({ item }) => item)).toEqual(['a', 'b']);
    expect(example?.instruction).toBe('Which film does this user choose next?');
  });

  it('shows the last events of a longer history', () => {
    const example = task.example({ history: historyOf('abcd'), position: 3, length: 2 }, catalogue);
    expect(example?.history.map(({ item }) => item)).toEqual(['b', 'c']);
  });

  it('calls an item without a title by its id', () => {
    expect(task.example({ history: historyOf('ae'), position: 1 }, catalogue)?.target).toBe('e');
    expect(task.example({ history: historyOf('az'), position: 1 }, catalogue)?.target).toBe('z');
  });

  it('cannot be asked before the first event or after the last', () => {
    expect(task.example({ history: historyOf('a'), position: 0 }, catalogue)).toBeUndefined();
    expect(task.example({ history: historyOf('a'), position: 1 }, catalogue)).toBeUndefined();
  });
});

describe('favourite category', () => {
  it('is the most frequent one, ties to the most recent', () => {
    const { events } = historyOf('acb');
    expect(favouriteCategory(events, catalogue)).toBe('Horror');
    expect(favouriteCategory(historyOf('ba').events, catalogue)).toBe('Horror');
    expect(favouriteCategory(historyOf('ab').events, catalogue)).toBe('Comedy');
    expect(favouriteCategory(historyOf('ee').events, catalogue)).toBeUndefined();
  });

  it('leaves out categories that do not count', () => {
    expect(favouriteCategory(historyOf('acb').events, catalogue, ['Horror', 'Comedy'])).toBe('Mystery');
  });

  it('of the future counts only what follows, ties to the soonest', () => {
    const task = favouriteCategoryTask({ over: 'future', noun: 'genre' });
    const example = task.example({ history: historyOf('bbbad'), position: 3 }, catalogue);
    expect(example).toMatchObject({ task: 'future-favourite-genre', target: 'Sci-Fi' });
    const tied = task.example({ history: historyOf('bbbcd'), position: 3 }, catalogue);
    expect(tied?.target).toBe('Horror');
    const near = favouriteCategoryTask({ over: 'future', horizon: 1 });
    expect(near.example({ history: historyOf('abdd'), position: 1 }, catalogue)?.target).toBe('Comedy');
    expect(task.example({ history: historyOf('bb'), position: 2 }, catalogue)).toBeUndefined();
  });

  it('equals a plain count over random histories', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 12 }), (items) => {
        const { events } = historyOf(items.join(''));
        const all = events.flatMap(({ item }) => catalogue.get(item)?.categories ?? []);
        const found = favouriteCategory(events, catalogue);
        const countOf = (category: string | undefined) => all.filter((one) => one === category).length;
        expect(countOf(found)).toBe(Math.max(0, ...all.map(countOf)));
      }),
    );
  });
});

describe('review', () => {
  it('gives title and rating and asks for the words', () => {
    const history = historyOf('ad', { text: ' Loved it. ', summary: 'Wow' });
    const example = reviewTask().example({ history, position: 1, phrasing: 1 }, catalogue);
    expect(example?.instruction).toBe('This user rated "Dune" 4. What did they write about it?');
    expect(example).toMatchObject({ target: 'Loved it.', item: 'd', template: 'review-text@1#1' });
    expect(reviewTask({ of: 'summary' }).example({ history, position: 1 }, catalogue)?.target).toBe('Wow');
  });

  it('cannot be asked without words or without a rating', () => {
    const at = { position: 1 };
    expect(reviewTask().example({ history: historyOf('ad', { text: ' ' }), ...at }, catalogue)).toBeUndefined();
    expect(reviewTask().example({ history: historyOf('ad', { text: null }), ...at }, catalogue)).toBeUndefined();
    const unrated = historyOf('ad', { text: 'ok', rating: null });
    expect(reviewTask().example({ history: unrated, ...at }, catalogue)).toBeUndefined();
  });
});

describe('wordings', () => {
  it('are fixed: a change of any of them raises the version', () => {
    const history = historyOf('abcd', { text: 'fine', summary: 'fine' });
    const wordings = builtInTasks().map((task) => ({
      [`${task.name}@${task.version}`]: Array.from(
        { length: task.phrasings },
        (_, phrasing) => task.example({ history, position: 2, phrasing }, catalogue)?.instruction,
      ),
    }));
    expect(wordings).toMatchSnapshot();
  });

  it('wrap around', () => {
    const task = nextItemTask();
    const ask = (phrasing: number) => task.example({ history: historyOf('ab'), position: 1, phrasing }, catalogue);
    expect(ask(task.phrasings + 1)).toEqual(ask(1));
    expect(new Set([0, 1, 2, 3].map((phrasing) => ask(phrasing)?.instruction)).size).toBe(4);
  });

  it('leave braces and dollar signs of titles alone', () => {
    const titles: Catalogue = new Map([['x', { item: 'x', title: '{rating} $& $1' }]]);
    const example = reviewTask().example({ history: historyOf('ax', { text: 'y' }), position: 1 }, titles);
    expect(example?.instruction).toContain('"{rating} $& $1", rated 4');
  });
});

describe('text prompt', () => {
  const history = historyOf('abcd');
  const example = nextItemTask().example({ history, position: 3 }, catalogue)!;
  const countTokens = (text: string) => text.split(/\s+/).length;

  it('tells the last events, oldest first, then asks', () => {
    expect(promptOf(example, catalogue, { lastEvents: 2 }).text).toBe(
      'What this user has done so far, oldest first:\n- Big | Comedy | rated 4\n- Cube | Horror, Mystery | rated 4\n\n' +
        'Which item does this user choose next?',
    );
    expect(promptOf(example, catalogue, { lastEvents: 99 }).events).toBe(3);
    expect(promptOf(example, catalogue, { lastEvents: 0 }).text).toMatch(/^Nothing is known/);
  });

  it('tells the fields asked for, each event on one line', () => {
    const wordy = historyOf('ab', { text: 'line one\nline two', summary: 'So "so"' });
    const asked = nextItemTask().example({ history: wordy, position: 1 }, catalogue)!;
    expect(promptOf(asked, catalogue, { lastEvents: 1 }, ['summary', 'text']).text).toContain(
      '- Alien | "So "so"" | "line one line two"\n',
    );
  });

  it('tells as many events as fit a budget of tokens', () => {
    fc.assert(
      fc.property(fc.integer({ min: 18, max: 60 }), (tokenBudget) => {
        const prompt = promptOf(example, catalogue, { tokenBudget, countTokens });
        expect(countTokens(prompt.text)).toBeLessThanOrEqual(tokenBudget);
        if (prompt.events === example.history.length) return;
        const longer = promptOf(example, catalogue, { lastEvents: prompt.events + 1 });
        expect(countTokens(longer.text)).toBeGreaterThan(tokenBudget);
      }),
    );
  });

  it('refuses a budget that the instruction alone exceeds', () => {
    expect(() => promptOf(example, catalogue, { tokenBudget: 5, countTokens })).toThrow(/Raise the token budget/);
  });
});
