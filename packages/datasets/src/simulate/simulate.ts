import type { Event, Item } from '@user-llm/plugin';
import { Random } from '@user-llm/tensor';
import { makeCatalogue } from './catalogue.js';
import { HistorySimulator, historyLengths } from './histories.js';
import { parseSimulation, type SimulationOptions } from './options.js';

/** A world that was made up: its items, and what its users did. */
export interface SimulatedWorld {
  readonly items: readonly Item[];
  /** The events, users one after the other, each in the order of time; every call begins anew. */
  events(): Generator<Event>;
}

/**
 * A made-up world of users with tastes, so that everything runs where there are no data. Nothing in it is about anyone.
 *
 * An item has a main genre, perhaps a second, a quality, a popularity (a power of its rank), and may be the next part of
 * a series; its title tells the genre. Items and tastes are directions in a space of eight latents, where genres are
 * directions too. A user's interest drifts from one taste to another in the course of the history. A sitting keeps to
 * a genre that fits the interest; there a few popular items come to mind and the one that fits best is likely taken, or
 * the next part of a series is. Ratings, 1 to 5, follow the fit and the quality; short reviews follow the ratings. Nobody
 * meets an item twice. So what comes next depends on the last item, on the recent ones and on the whole history, and
 * popularity alone is a weak guess.
 *
 * The same options give the same world.
 *
 * @throws UserLlmError `bad-options` when one is out of its range, or there is no room for so many events.
 */
export function simulate(options: SimulationOptions = {}): SimulatedWorld {
  const parsed = parseSimulation(options);
  const random = Random.fromSeed(parsed.seed);
  const catalogue = makeCatalogue(parsed.items, random);
  return {
    items: catalogue.items,
    *events() {
      const simulator = new HistorySimulator(catalogue);
      const lives = random.split('users');
      const lengths = historyLengths(parsed, random.split('lengths'));
      for (const [user, length] of lengths.entries()) yield* simulator.history(user, length, lives.at(user).stream());
    },
  };
}
