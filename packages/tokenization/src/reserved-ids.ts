import type { ReservedIds } from '@user-llm/plugin';

/** The ids that mean the same in every feature: nothing there, a value never seen or missing, a value hidden in training. */
export const reservedIds: ReservedIds = { padding: 0, unknown: 1, mask: 2 };

/** The first id that stands for a value of its own. */
export const firstValueId = 3;
