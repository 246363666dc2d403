import type { StandardSchemaV1 } from '@standard-schema/spec';

/** What every part of a model has in common: a name that configs select it by, and a validated config of its own. */
export interface ModelPart<Config> {
  readonly specVersion: 1;
  /** Name that configs select it by, in kebab case. */
  readonly name: string;
  /** Validates the part's own config and fills in defaults; it takes what it gave again, and leaves that as it is. */
  readonly config: StandardSchemaV1<unknown, Config>;
}
