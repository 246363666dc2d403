import {
  add,
  constant,
  gather,
  multiply,
  parameter,
  stopGradient,
  type Float,
  type ParameterSpec,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import { projection, xavierInitialization, zeros, type ProjectionParameters } from '@user-llm/layers';
import { Tensor } from '@user-llm/tensor';

// V ids, F feature width, X vector width.

/** Parameters of a table: `weight` `[V, F]` and, with vectors, `vectors.weight` `[F, X]`. */
export type FeatureTableParameters = {
  readonly weight: ParameterSpec<readonly ['id', 'featureWidth']>;
};

type WithVectors = FeatureTableParameters & { readonly vectors: ProjectionParameters<'vectorWidth', 'featureWidth'> };
type Own = SymbolicParameters<FeatureTableParameters>;

/** Embeddings of the ids of a feature. */
export interface FeatureTable {
  readonly size: number;
  readonly width: number;
  readonly parameters: FeatureTableParameters;
  /** Embeddings of ids: `[...axes of ids, F]`. */
  rows(own: Own, ids: Symbolic<'int32'>): Float;
  /** Embeddings of all ids, `[V, F]`. */
  all(own: Own): Float<readonly ['id', 'featureWidth']>;
}

/** Sizes of a table, and what is known of its ids beforehand. */
export interface FeatureTableConfig {
  readonly size: number;
  readonly width: number;
  /** Standard deviation of the first values; with vectors these start at 0, so that an id never seen is its vector. */
  readonly deviation: number;
  /** `[V, X]`; a linear map of them is added to the table. */
  readonly vectors?: Tensor<'float32', readonly ['id', 'vectorWidth']>;
  /** Whether that map stays as it starts. */
  readonly frozen?: boolean;
  /** `[V]`, 0 for ids that have no more than their vector, 1 for the others; all others when absent. */
  readonly seen?: Tensor<'float32', readonly ['id']>;
}

/** A table of embeddings, with a map of vectors that are given added where there are some. */
export function featureTable({
  size,
  width,
  deviation,
  vectors,
  frozen = false,
  seen,
}: FeatureTableConfig): FeatureTable {
  const normal = { kind: 'normal', standardDeviation: deviation } as const;
  const weight = parameter(['id', 'featureWidth'], [size, width], vectors ? zeros : normal);
  if (!vectors) {
    return {
      size,
      width,
      parameters: { weight },
      rows: (own, ids) => gather(own.weight, ids),
      all: (own) => own.weight,
    };
  }
  const from = { axis: 'vectorWidth', size: vectors.shape[1]! } as const;
  const map = projection(from, { axis: 'featureWidth', size: width }, xavierInitialization());
  const known = constant(vectors);
  const mapped = (own: Own, x: Float): Float => {
    const { weight: learned } = (own as SymbolicParameters<WithVectors>).vectors;
    return map.apply({ weight: frozen ? stopGradient(learned) : learned }, x as Float<readonly ['id', 'vectorWidth']>);
  };
  const learns_V1 = seen && constant(new Tensor('float32', ['id', 'featureWidth'] as const, [size, 1], seen.data));
  const learned = (x: Float, learns: Float | undefined): Float => (learns ? multiply(x, learns as never) : x);
  const parameters: WithVectors = { weight, vectors: map.parameters };
  return {
    size,
    width,
    parameters,
    rows: (own, ids) =>
      add(
        learned(gather(own.weight, ids) as Float, learns_V1 && (gather(learns_V1, ids) as Float)),
        mapped(own, gather(known, ids) as Float),
      ),
    all: (own) =>
      add(learned(own.weight, learns_V1), mapped(own, known as Float)) as Float<readonly ['id', 'featureWidth']>,
  };
}
