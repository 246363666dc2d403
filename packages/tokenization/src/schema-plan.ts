import type { EventSchema, Feature, FeatureOrigin, FeatureSpec, FittedFeature } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

/** One feature of a schema: its spec with the defaults filled in, and its kind. */
export interface PlannedFeature {
  readonly name: string;
  readonly origin: FeatureOrigin;
  readonly field: string;
  /** Ids per event. */
  readonly slots: number;
  /** Whether its ids have a `slot` axis, also when there is one slot. */
  readonly slotted: boolean;
  readonly kind: Feature;
  readonly options: unknown;
}

/** A planned feature that knows its ids. */
export interface ReadyFeature extends PlannedFeature {
  readonly fitted: FittedFeature;
}

const origins: ReadonlySet<string> = new Set<FeatureOrigin>(['event', 'item', 'time-gap', 'hour']);
const ownColumns: ReadonlySet<string> = new Set(['user', 'item', 'time']);

/**
 * Resolves the kinds of a schema's features and validates their options.
 *
 * @param kinds The kinds there are; a later one replaces an earlier one of the same name.
 * @throws UserLlmError `unknown-feature-kind` or `bad-feature-options`, naming the feature.
 */
export function planSchema(schema: EventSchema, kinds: readonly Feature[]): PlannedFeature[] {
  const byName = new Map(kinds.map((kind) => [kind.kind, kind]));
  return Object.entries(schema).map(([name, spec]) => {
    const kind = byName.get(spec.kind);
    if (kind === undefined) {
      throw new UserLlmError('unknown-feature-kind', {
        what: `feature ${name}`,
        expected: `one of the kinds ${[...byName.keys()].join(', ')}`,
        got: `"${spec.kind}"`,
        mend: 'Correct the kind, or hand over the plugin that brings it.',
      });
    }
    const origin = spec.from ?? 'event';
    if (!origins.has(origin)) throw badOptions(name, `from one of ${[...origins].join(', ')}`, `"${origin}"`);
    return {
      name,
      origin,
      field: spec.field ?? name,
      slots: spec.slots ?? 1,
      slotted: spec.slots !== undefined,
      kind,
      options: validOptions(name, kind, spec),
    };
  });
}

/** Joins a planned feature with what it has learned. */
export function readyFeature(planned: PlannedFeature, fitted: FittedFeature): ReadyFeature {
  if (fitted.slots !== planned.slots) {
    throw badOptions(planned.name, `${planned.slots} slots, as the schema says`, `${fitted.slots} from its kind`);
  }
  return { ...planned, fitted };
}

/** The fields of an event, beside user, item and time, that features read. */
export function eventFields(features: readonly PlannedFeature[]): string[] {
  const fields = features.filter(({ origin, field }) => origin === 'event' && !ownColumns.has(field));
  return [...new Set(fields.map(({ field }) => field))];
}

function validOptions(name: string, kind: Feature, spec: FeatureSpec): unknown {
  const result = kind.options['~standard'].validate(spec);
  if (result instanceof Promise) throw badOptions(name, 'options that validate at once', 'a promise');
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ path = [], message }) => {
    const where = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return where === '' ? message : `${where}: ${message}`;
  });
  throw badOptions(name, `options of the kind ${kind.kind}`, issues.join('; '));
}

function badOptions(name: string, expected: string, got: string): UserLlmError {
  return new UserLlmError('bad-feature-options', { what: `feature ${name}`, expected, got });
}
