import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

const optionsSchema = z.strictObject({
  users: z.int().min(1).max(2e7).default(1000),
  items: z.int().min(10).max(1e6).default(500),
  events: z.int().min(1).default(50_000),
  seed: z.int().min(0).default(0),
});

/** How large a simulated world is; the same options give the same world. */
export interface SimulationOptions {
  /** How many users; 1,000 when absent. */
  readonly users?: number;
  /** How many items, at least 10; 500 when absent. */
  readonly items?: number;
  /** How many events of all users together; 50,000 when absent. Nobody has more than half of the items. */
  readonly events?: number;
  /** A whole number from 0; 0 when absent. */
  readonly seed?: number;
}

/** Most events of one user: nobody meets an item twice, and half of them stay unseen. */
export const mostEvents = (items: number): number => Math.floor(items / 2);

/**
 * Options with their defaults.
 *
 * @throws UserLlmError `bad-options` when one is out of its range, or there is no room for so many events.
 */
export function parseSimulation(options: SimulationOptions): Required<SimulationOptions> {
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) {
    throw new UserLlmError('bad-options', { what: 'simulate', got: z.prettifyError(parsed.error) });
  }
  const { users, items, events } = parsed.data;
  if (events < users || events > users * mostEvents(items)) {
    throw new UserLlmError('bad-options', {
      what: 'simulate',
      expected: `from ${users} to ${users * mostEvents(items)} events for ${users} users and ${items} items`,
      got: String(events),
      mend: 'Every user has at least one event, and no more than half as many as there are items.',
    });
  }
  return parsed.data;
}
